"""What a file is, told by its content; its name counts for nothing.

Only kinds that cannot act by themselves are taken. A file that is of two kinds at once is refused: what one reader
takes for a PDF, another would unpack as an archive.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Sequence

from layers.attachment_words import RefusedFileError

PICTURES = ("image/jpeg", "image/png", "image/webp")
_ODF = "application/vnd.oasis.opendocument."
_OOXML = "application/vnd.openxmlformats-officedocument."
# Media type → the ending that a saved copy gets (IANA media types).
ENDINGS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "application/pdf": ".pdf",
    "text/csv; charset=utf-8": ".csv",
    "text/csv; charset=shift_jis": ".csv",
    "text/plain; charset=utf-8": ".txt",
    "text/plain; charset=shift_jis": ".txt",
    f"{_ODF}text": ".odt",
    f"{_ODF}spreadsheet": ".ods",
    f"{_ODF}presentation": ".odp",
    f"{_ODF}graphics": ".odg",
    f"{_OOXML}wordprocessingml.document": ".docx",
    f"{_OOXML}spreadsheetml.sheet": ".xlsx",
    f"{_OOXML}presentationml.presentation": ".pptx",
}
_OFFICE_PARTS = {
    "word/document.xml": f"{_OOXML}wordprocessingml.document",
    "xl/workbook.xml": f"{_OOXML}spreadsheetml.sheet",
    "ppt/presentation.xml": f"{_OOXML}presentationml.presentation",
}
# Beginning of the file → why it is refused.
_REFUSED_STARTS = (
    (b"MZ", "program"),
    (b"\x7fELF", "program"),
    (b"\xfe\xed\xfa", "program"),
    (b"\xce\xfa\xed\xfe", "program"),
    (b"\xcf\xfa\xed\xfe", "program"),
    (b"\xca\xfe\xba\xbe", "program"),
    (b"\x00asm", "program"),
    (b"#!", "script"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old_office"),
    (b"Rar!", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"\x1f\x8b", "archive"),
    (b"BZh", "archive"),
    (b"\xfd7zXZ", "archive"),
    (b"\x28\xb5\x2f\xfd", "archive"),
    (b"GIF8", "picture_kind"),
    (b"BM", "picture_kind"),
    (b"II*\x00", "picture_kind"),
    (b"MM\x00*", "picture_kind"),
    (b"OggS", "media"),
    (b"ID3", "media"),
    (b"\x1aE\xdf\xa3", "media"),
)
_MARKUP = re.compile(rb"<(!doctype\s+html|html|head|body|script|iframe)\b", re.IGNORECASE)
_SVG = re.compile(rb"<svg\b", re.IGNORECASE)
_SCRIPT = re.compile(rb"<\?php|<%", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_ZIP_END = b"PK\x05\x06"
_ZIP_END_SIZE = 22  # APPNOTE.TXT 4.3.16, without a comment
_LONGEST_COMMENT = 65_535
_PDF_MARK = b"%PDF-"
_MOST_ZIP_ENTRIES = 10_000
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


def file_kind(body: bytes) -> str:
    """Return the media type of a file that may be attached, a key of ENDINGS.

    Raises
    ------
    RefusedFileError : it is empty, of no kind that is taken, broken, or of two kinds.
    """
    if not body:
        raise RefusedFileError("empty")
    if body.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if body[:4] == b"RIFF":
        return _riff_kind(body)
    if body[4:8] == b"ftyp":
        raise RefusedFileError(_boxed_code(body[8:12]))
    if body.startswith(_PDF_MARK):
        return _pdf_kind(body)
    if body.startswith(b"PK\x03\x04"):
        return _zip_kind(body)
    for start, code in _REFUSED_STARTS:
        # Two letters may begin a text as well; a program or a picture holds what no text does.
        if body.startswith(start) and (len(start) > 2 or start == b"#!" or _is_binary(body)):
            raise RefusedFileError(code)
    return _text_kind(body)


def _riff_kind(body: bytes) -> str:
    if body[8:12] == b"WEBP":
        return "image/webp"
    raise RefusedFileError("media")


def _boxed_code(brand: bytes) -> str:
    """Tell the kinds of ISO/IEC 14496-12 files apart by their major brand."""
    if brand in _HEIF_BRANDS:
        return "heic"
    return "picture_kind" if brand in (b"avif", b"avis") else "media"


def _pdf_kind(body: bytes) -> str:
    if b"%%EOF" not in body[-2048:]:
        raise RefusedFileError("polyglot" if _ZIP_END in body[-_LONGEST_COMMENT:] else "broken_document")
    if _ZIP_END in body[-_ZIP_END_SIZE - _LONGEST_COMMENT :] or _MARKUP.search(body[:1024]):
        raise RefusedFileError("polyglot")
    return "application/pdf"


def _zip_kind(body: bytes) -> str:
    """Tell an office document from an archive; nothing but the first entry's few bytes is unpacked."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(body))
        entries = archive.infolist()
        names = {entry.filename for entry in entries}
        mimetype = _odf_mimetype(archive, entries)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, OSError) as error:
        raise RefusedFileError("broken_document") from error
    if len(entries) > _MOST_ZIP_ENTRIES:
        raise RefusedFileError("archive")
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise RefusedFileError("encrypted")
    kind = mimetype or _ooxml_kind(names)
    if kind is None:
        raise RefusedFileError("archive")
    # An office program ends its file with the directory and no comment: what hangs on before or behind is another.
    if body[-_ZIP_END_SIZE:][:4] != _ZIP_END or min(entry.header_offset for entry in entries) != 0:
        raise RefusedFileError("polyglot")
    if any(name.endswith("vbaProject.bin") or name.startswith(("Basic/", "Scripts/")) for name in names):
        raise RefusedFileError("macros")
    return kind


def _odf_mimetype(archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo]) -> str | None:
    """Return the media type that an ODF package names in its first entry (OpenDocument 1.3 part 2, 3.3)."""
    first = entries[0] if entries else None
    if first is None or first.filename != "mimetype" or first.flag_bits & 0x1 or first.file_size > 200:
        return None
    named = archive.read(first).decode("ascii", "replace")
    if named not in ENDINGS:
        return None
    if "META-INF/manifest.xml" in archive.namelist():
        manifest = archive.getinfo("META-INF/manifest.xml")
        # ODF encrypts inside the package and says so here (OpenDocument 1.3 part 2, 4.8).
        with archive.open(manifest) as file:
            if b"encryption-data" in file.read(1_000_000):
                raise RefusedFileError("encrypted")
    return named


def _ooxml_kind(names: set[str]) -> str | None:
    if "[Content_Types].xml" not in names:
        return None
    kinds = [kind for part, kind in _OFFICE_PARTS.items() if part in names]
    return kinds[0] if len(kinds) == 1 else None


def _is_binary(body: bytes) -> bool:
    return b"\x00" in body[:4096]


def _text_kind(body: bytes) -> str:
    for charset, encoding in (("utf-8", "utf-8-sig"), ("shift_jis", "cp932")):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _CONTROLS.search(text):
            _refuse_markup(body)
            return f"text/{'csv' if _is_table(text) else 'plain'}; charset={charset}"
    raise RefusedFileError("unknown")


def _refuse_markup(body: bytes) -> None:
    start = body[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    for pattern, code in ((_SVG, "svg"), (_MARKUP, "html"), (_SCRIPT, "script")):
        if pattern.search(start):
            raise RefusedFileError(code)
    if start.startswith(b"<"):
        raise RefusedFileError("xml")
    if start.startswith(b"#!"):
        raise RefusedFileError("script")
    if _PDF_MARK in body or _ZIP_END in body:
        raise RefusedFileError("polyglot")


def _is_table(text: str) -> bool:
    """Whether the first rows have the same number of at least two cells (RFC 4180)."""
    lines = text[:20_000].splitlines()[:20]
    try:
        rows = [row for row in csv.reader(lines) if row]
    except csv.Error:
        return False
    return bool(rows) and len(rows[0]) > 1 and all(len(row) == len(rows[0]) for row in rows)
