"""Files made for the tests of attachments: pictures that tell too much, documents, and what must be refused."""

from __future__ import annotations

import io
import zipfile

from PIL import ExifTags, Image, ImageCms

SECRET = b"SECRET-OF-THE-CAMERA"


def make_picture(
    kind: str = "JPEG",
    size: tuple[int, int] = (640, 480),
    place: tuple[float, float] | None = (141.2, 38.4),
    **more: object,
) -> bytes:
    """Return a picture with everything that a camera hides in one; `place` is (lon, lat) in degrees."""
    picture = Image.new("RGB", size, (200, 30, 30))
    picture.paste((30, 30, 200), (0, 0, size[0] // 2, size[1] // 2))
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = SECRET.decode()
    for tag, value in more.items():
        exif[ExifTags.Base[tag]] = value
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    inner[ExifTags.Base.DateTimeOriginal] = "2026:03:11 14:46:18"
    inner[ExifTags.Base.MakerNote] = SECRET
    inner[ExifTags.Base.BodySerialNumber] = SECRET.decode()
    if place:
        lon, lat = place
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLongitudeRef] = "N", "E"
        gps[ExifTags.GPS.GPSLatitude], gps[ExifTags.GPS.GPSLongitude] = _parts(lat), _parts(lon)
    made = io.BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + SECRET
    extra = {"comment": SECRET} if kind == "JPEG" else {}
    picture.save(made, kind, exif=exif, icc_profile=profile, xmp=b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>", **extra)
    return made.getvalue()


def make_office(*names: str, **contents: bytes) -> bytes:
    """Return a ZIP with entries of these names; `contents` gives some of them bytes (`mimetype=…`)."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in (*contents, *names):
            archive.writestr(name, contents.get(name, b"<x/>"))
    return made.getvalue()


def make_pdf() -> bytes:
    """Return a small PDF."""
    return b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def _parts(degrees: float) -> tuple[float, float, float]:
    whole, rest = divmod(degrees * 3600, 3600)
    minutes, seconds = divmod(rest, 60)
    return whole, minutes, round(seconds, 4)
