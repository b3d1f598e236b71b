"""A file on its way in: told by its content, made clean, and given a name that is only ever shown."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from layers.attachment_words import RefusedFileError
from layers.file_kinds import ENDINGS, PICTURES, file_kind
from layers.photos import make_photo

_LONGEST_NAME = 120


@dataclass(frozen=True)
class CleanFile:
    """A file as it may be kept.

    Attributes
    ----------
    media_type : a key of `file_kinds.ENDINGS`. sha256 : of `body`, hexadecimal.
    thumbnail, width, height : of pictures, pixels. place : (lon, lat) in degrees, of pictures that told it.
    """

    name: str
    media_type: str
    body: bytes
    sha256: str
    thumbnail: bytes | None = None
    width: int | None = None
    height: int | None = None
    taken_at: datetime | None = None
    place: tuple[float, float] | None = None


def clean_file(name: str, body: bytes, most_bytes: int) -> CleanFile:
    """Return a file as it may be kept: pictures encoded anew, documents as they are.

    Raises
    ------
    RefusedFileError : it is too large, broken, or of a kind that is not taken.
    """
    if len(body) > most_bytes:
        raise RefusedFileError("large", most_bytes // 1_000_000)
    kind = file_kind(body)
    shown = clean_name(name, kind)
    if kind not in PICTURES:
        return CleanFile(shown, kind, body, hashlib.sha256(body).hexdigest())
    photo = make_photo(body, kind)
    sha256 = hashlib.sha256(photo.body).hexdigest()
    return CleanFile(
        shown, kind, photo.body, sha256, photo.thumbnail, photo.width, photo.height, photo.taken_at, photo.place
    )


def clean_name(name: str, media_type: str) -> str:
    """Return what a file is called, for people: no folders, no invisible letters, the ending of what it is.

    Examples
    --------
    >>> clean_name("C:\\\\写真\\\\マンホール.JPEG", "image/jpeg")
    'マンホール.JPEG'
    >>> clean_name("bill.pdf.exe", "application/pdf")
    'bill.pdf.exe.pdf'
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    # Cc, Cf: control letters and those that turn the reading direction, so that exe.fdp reads as pdf.exe.
    visible = "".join(letter for letter in last if unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    kept = visible.strip(" .") or "file"
    ending = ENDINGS[media_type]
    endings = (".jpg", ".jpeg") if ending == ".jpg" else (ending,)
    if not kept.lower().endswith(endings):
        return kept[: _LONGEST_NAME - len(ending)] + ending
    stem, _, own = kept.rpartition(".")
    return f"{stem[: _LONGEST_NAME - len(own) - 1]}.{own}"
