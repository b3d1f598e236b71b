"""Whether a file is what its ending says, before any library reads it.

GDAL chooses its driver by the content: a file called .gml that is in truth a virtual data set could make it open
other files of this machine or addresses in the network. So only what begins as its kind does goes on.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from lxml import etree

from gis.errors import UsageError
from layers.reading import SHEET_SUFFIXES

_MOST_WORKBOOK_BYTES = 300_000_000
# First bytes: SQLite 3; Shapefile (file code 9994); FlatGeobuf; a zip (Office Open XML).
_MAGIC = {".gpkg": b"SQLite format 3\x00", ".shp": b"\x00\x00\x27\x0a", ".fgb": b"fgb", ".xlsx": b"PK\x03\x04"}
_FORBIDDEN = (b"OGRVRTDataSource", b"VRTDataset", b"OGRWFSDataSource", b"GDAL_WMS", b"<!DOCTYPE", b"<!ENTITY")


def require_kind(path: Path) -> None:
    """Refuse a file that is not what its ending says.

    Raises
    ------
    UsageError : naming the file.
    """
    if path.stat().st_size == 0:
        raise UsageError("%(file)s is empty.", "Check that it is the right file.", file=path.name)
    suffix = path.suffix.lower()
    with path.open("rb") as file:
        start = file.read(4096)
    if not _is_kind(path, suffix, start):
        raise UsageError(
            "%(file)s is no %(suffix)s file.",
            "Its content is something else: check the file.",
            file=path.name,
            suffix=suffix,
        )
    if suffix == ".shp" and not all(_has_companion(path, other) for other in (".shx", ".dbf")):
        raise UsageError(
            "%(file)s came without its .shx and .dbf.",
            "Send all files of the Shapefile, or a zip of them.",
            file=path.name,
        )


def _is_kind(path: Path, suffix: str, start: bytes) -> bool:
    if suffix in _MAGIC:
        return start.startswith(_MAGIC[suffix]) and (suffix != ".xlsx" or _is_workbook(path))
    plain = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if suffix in (".geojson", ".json"):
        return plain.startswith(b"{")
    if suffix == ".dxf":
        return plain.split()[:1] in ([b"0"], [b"999"])
    if suffix in (".gml", ".kml"):
        return _is_plain_xml(path, suffix)
    return suffix in SHEET_SUFFIXES and (b"\x00" not in start or start.startswith((b"\xff\xfe", b"\xfe\xff")))


def _is_plain_xml(path: Path, suffix: str) -> bool:
    body = path.read_bytes()
    if any(word in body for word in _FORBIDDEN):
        return False
    parser = etree.iterparse(
        path, events=("start",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        _, root = next(iter(parser))
    except (etree.XMLSyntaxError, StopIteration):
        return False
    if suffix == ".kml":
        return bool(etree.QName(root).localname == "kml")
    return b"opengis.net/gml" in body[:65_536]


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as book:
            size = sum(entry.file_size for entry in book.infolist())
            return "xl/workbook.xml" in book.namelist() and size <= _MOST_WORKBOOK_BYTES
    except zipfile.BadZipFile:
        return False


def _has_companion(path: Path, suffix: str) -> bool:
    return path.with_suffix(suffix).exists() or path.with_suffix(suffix.upper()).exists()
