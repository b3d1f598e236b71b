"""Pictures made anew: only the pixels of the original are kept, upright, in sRGB and not larger than is looked at.

Whatever a camera hid beside them (place, owner, serial number, a small copy of what was cut away) ends here.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from PIL import ExifTags, Image, ImageCms, ImageOps

from layers.attachment_words import RefusedFileError

LONGEST_SIDE = 2560  # pixels
THUMBNAIL_SIDE = 320  # pixels
# Below Pillow's own warning; an honest camera's full size stays below, a bomb does not.
_MOST_PIXELS = 80_000_000
_FORMATS = {"image/jpeg": ("JPEG", "MPO"), "image/png": ("PNG",), "image/webp": ("WEBP",)}
_TOKYO = ZoneInfo("Asia/Tokyo")
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError)


@dataclass(frozen=True)
class Photo:
    """A picture to keep.

    Attributes
    ----------
    width, height : pixels, upright. thumbnail : JPEG.
    taken_at : by the camera's clock, Japanese time where it names no offset. place : (lon, lat) in degrees, WGS 84.
    """

    body: bytes
    thumbnail: bytes
    width: int
    height: int
    taken_at: datetime | None
    place: tuple[float, float] | None


def make_photo(body: bytes, media_type: str) -> Photo:
    """Decode a picture and encode it anew in its own format.

    Raises
    ------
    RefusedFileError : it is broken, cut off, or unpacks to more pixels than a camera makes.
    """
    try:
        with Image.open(io.BytesIO(body), formats=_FORMATS[media_type]) as opened:
            if opened.width * opened.height > _MOST_PIXELS:
                raise RefusedFileError("huge_picture", _MOST_PIXELS // 10_000)
            exif = opened.getexif()
            taken_at, place = _taken_at(exif), _place(exif)
            # JPEG unpacks at a fraction of its size when that is enough.
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            opened.load()
            pixels = _plain_pixels(ImageOps.exif_transpose(opened))
    except Image.DecompressionBombError as error:
        raise RefusedFileError("huge_picture", _MOST_PIXELS // 10_000) from error
    except _BROKEN as error:
        raise RefusedFileError("broken_picture") from error
    pixels.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    small = _on_white(pixels)
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    kept = _on_white(pixels) if media_type == "image/jpeg" else pixels
    return Photo(_encode(kept, media_type), _encode(small, "image/jpeg"), *pixels.size, taken_at, place)


def _plain_pixels(picture: Image.Image) -> Image.Image:
    """Return a picture in sRGB that has nothing but pixels."""
    has_alpha = "A" in picture.getbands() or "transparency" in picture.info
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in ("RGB", "CMYK", "L"):
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
            picture = converted or picture
        except (ImageCms.PyCMSError, OSError):
            # A profile that cannot be read says nothing about the colours; they are taken as they are.
            picture = picture.convert("RGB")
    picture = picture.convert("RGBA" if has_alpha else "RGB")
    bare = Image.new(picture.mode, picture.size)
    bare.paste(picture)
    return bare


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode == "RGB":
        return picture.copy()
    ground = Image.new("RGB", picture.size, "white")
    ground.paste(picture, mask=picture.getchannel("A"))
    return ground


def _encode(picture: Image.Image, media_type: str) -> bytes:
    made = io.BytesIO()
    if media_type == "image/jpeg":
        picture.save(made, "JPEG", quality=85, optimize=True, progressive=True)
    elif media_type == "image/webp":
        picture.save(made, "WEBP", quality=85)
    else:
        picture.save(made, "PNG", optimize=True)
    return made.getvalue()


def _taken_at(exif: Image.Exif) -> datetime | None:
    """Return DateTimeOriginal (Exif 3.0, 4.6.6.7) with its offset, None where it cannot be true."""
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    try:
        clock = datetime.strptime(str(inner.get(ExifTags.Base.DateTimeOriginal)), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007
    except ValueError:
        return None
    try:
        zone = datetime.strptime(str(inner.get(ExifTags.Base.OffsetTimeOriginal)), "%z").tzinfo
    except ValueError:
        zone = None
    taken_at = clock.replace(tzinfo=zone or _TOKYO)
    is_credible = datetime(1990, 1, 1, tzinfo=_TOKYO) < taken_at < datetime.now(_TOKYO) + timedelta(days=1)
    return taken_at if is_credible else None


def _place(exif: Image.Exif) -> tuple[float, float] | None:
    """Return (lon, lat) of the GPS tags (Exif 3.0, 4.6.7), None where they are missing or nonsense."""
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    try:
        lat = _degrees(gps[ExifTags.GPS.GPSLatitude]) * (-1 if gps[ExifTags.GPS.GPSLatitudeRef] == "S" else 1)
        lon = _degrees(gps[ExifTags.GPS.GPSLongitude]) * (-1 if gps[ExifTags.GPS.GPSLongitudeRef] == "W" else 1)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    # Phones without a fix write zeros.
    is_credible = -180 <= lon <= 180 and -90 <= lat <= 90 and (lon, lat) != (0, 0)
    return (round(lon, 8), round(lat, 8)) if is_credible else None


def _degrees(written: tuple[float, float, float]) -> float:
    degrees, minutes, seconds = (float(part) for part in written)
    return degrees + minutes / 60 + seconds / 3600
