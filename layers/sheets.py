"""Tables with columns for longitude and latitude: CSV, TSV, and the sheets of an XLSX."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS
from shapely import Point

from gis.errors import UsageError
from layers.reading import FeatureFile, Reading, Row, distinct_headers, list_tables, normalise
from layers.reference_system import STORED_EPSG
from layers.unfit import UnfitError

# What offices here write their tables in; tried in this order, as each refuses most of what the others are.
ENCODINGS = ("utf-8-sig", "cp932", "euc_jp", "utf-16")
_GUESSED_ENCODINGS = ENCODINGS[:2]
_LON_HEADERS = ("経度", "lon", "longitude", "lng", "経度(度)", "経度(10進)", "世界測地系経度")
_LAT_HEADERS = ("緯度", "lat", "latitude", "緯度(度)", "緯度(10進)", "世界測地系緯度")
_NAME_THEM = "Name them %(lon)s and %(lat)s, in degrees; a table of addresses has no positions."
_TITLE_ROWS = 20  # the header is looked for in so many rows

# A row of cells with its line in the file.
Record = tuple[int, list[str]]


class NoPositionsError(UsageError):
    """A table whose columns for longitude and latitude are not found."""


def read_sheet(path: Path, reading: Reading) -> FeatureFile:
    """Read a table's rows as points, in degrees of JGD2011 unless somebody says otherwise.

    Raises
    ------
    UsageError : it is no text of a known encoding, no table, or has no columns for positions.
    """
    records, reading = read_records(path, reading)
    position, lon, lat = _find_header(records, path.name, reading)
    cells = [cell.strip() for cell in records[position][1]]
    body = [(number, cells) for number, cells in records[position + 1 :] if any(cell.strip() for cell in cells)]
    headers = distinct_headers(cells)
    # Spreadsheets leave columns that never had a name or a value.
    kept = [at for at, name in enumerate(cells) if name or any(at < len(row) and row[at].strip() for _, row in body)]
    rows = []
    for number, record in body:
        padded = [*record, *[""] * (len(headers) - len(record))]
        values = {headers[at]: padded[at].strip() or None for at in kept}
        point, problem = point_of(padded[lon], padded[lat])
        rows.append(Row(number, values, point, problem))
    used = replace(reading, header_line=records[position][0], lon=headers[lon], lat=headers[lat])
    return FeatureFile(path, tuple(headers[at] for at in kept), tuple(rows), CRS.from_epsg(STORED_EPSG), used)


def read_records(path: Path, reading: Reading) -> tuple[list[Record], Reading]:
    """Return a table's rows of cells, and how they were read (encoding or sheet).

    Raises
    ------
    UsageError : it is no text of a known encoding, or no table.
    """
    return _workbook_records(path, reading) if path.suffix.lower() == ".xlsx" else _text_records(path, reading)


def _text_records(path: Path, reading: Reading) -> tuple[list[Record], Reading]:
    text, encoding = _decode(path, reading.encoding)
    if "\x00" in text:
        raise UsageError(
            "%(file)s is no text.", "A program or a picture may be called .csv, too: check the file.", file=path.name
        )
    is_tabbed = path.suffix.lower() == ".tsv" or text.partition("\n")[0].count("\t") > text.partition("\n")[0].count(
        ","
    )
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if is_tabbed else ",")
    try:
        records = [(reader.line_num, record) for record in reader]
    except csv.Error as error:
        raise UsageError(
            "%(file)s, line %(line)s: %(error)s.",
            "Check the quotes in that line.",
            file=path.name,
            line=reader.line_num,
            error=error,
        ) from error
    return records, replace(reading, encoding=encoding)


def _decode(path: Path, said: str) -> tuple[str, str]:
    """Return text and encoding. What somebody said is believed: what does not decode shows as U+FFFD."""
    body = path.read_bytes()
    if said:
        if said not in ENCODINGS:
            raise UsageError(
                "The encoding %(said)r is not known.", "Known are: %(known)s.", said=said, known=", ".join(ENCODINGS)
            )
        return body.decode(said, errors="replace"), said
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", errors="replace"), "utf-16"
    for encoding in _GUESSED_ENCODINGS:
        try:
            return body.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise UsageError("%(file)s is neither UTF-8 nor Shift_JIS (cp932).", "Save it as CSV UTF-8.", file=path.name)


def _workbook_records(path: Path, reading: Reading) -> tuple[list[Record], Reading]:
    sheets = list_tables(path)
    sheet = reading.table or (sheets[0] if sheets else "")
    if sheet not in sheets:
        raise UsageError(
            "%(file)s has no sheet %(sheet)r.",
            "Its sheets are: %(sheets)s.",
            file=path.name,
            sheet=sheet,
            sheets=", ".join(sheets),
        )
    try:
        frame = pyogrio.read_dataframe(path, layer=sheet, read_geometry=False, HEADERS="DISABLE", FIELD_TYPES="STRING")
    except (DataSourceError, DataLayerError, ValueError) as error:
        raise UsageError(
            "%(file)s cannot be read: %(error)s", "Save it as CSV UTF-8.", file=path.name, error=error
        ) from error
    rows = frame.itertuples(index=False, name=None)
    records = [(line, ["" if pandas.isna(cell) else str(cell) for cell in cells]) for line, cells in enumerate(rows, 1)]
    return records, replace(reading, table=sheet)


def find_position_columns(headers: Sequence[str], name: str, reading: Reading) -> tuple[str, str]:
    """Return the names of the columns for longitude and latitude among `headers` of the file `name`.

    Raises
    ------
    NoPositionsError : one of them is not there.
    """
    lon, lat = (_find(headers, names) for names in _position_names(reading))
    if lon is None or lat is None:
        raise NoPositionsError(
            "%(file)s: has no columns for longitude and latitude.",
            _NAME_THEM,
            file=name,
            lon=_LON_HEADERS[0],
            lat=_LAT_HEADERS[0],
        )
    return headers[lon], headers[lat]


def _position_names(reading: Reading) -> tuple[Sequence[str], Sequence[str]]:
    return [reading.lon] if reading.lon else _LON_HEADERS, [reading.lat] if reading.lat else _LAT_HEADERS


def _find_header(records: Sequence[Record], name: str, reading: Reading) -> tuple[int, int, int]:
    """Position of the header among the records, and its columns for longitude and latitude; titles stand above it."""
    lon_names, lat_names = _position_names(reading)
    for position, (line, cells) in enumerate(records[:_TITLE_ROWS]):
        if reading.header_line and line != reading.header_line:
            continue
        headers = distinct_headers([cell.strip() for cell in cells])
        lon, lat = _find(headers, lon_names), _find(headers, lat_names)
        if lon is not None and lat is not None:
            return position, lon, lat
    blanks = {
        "file": name,
        "line": reading.header_line,
        "lines": _TITLE_ROWS,
        "lon": _LON_HEADERS[0],
        "lat": _LAT_HEADERS[0],
    }
    if reading.header_line:
        raise NoPositionsError(
            "%(file)s: line %(line)s has no columns for longitude and latitude.", _NAME_THEM, **blanks
        )
    raise NoPositionsError(
        "%(file)s: none of the first %(lines)s rows has columns for longitude and latitude.", _NAME_THEM, **blanks
    )


def _find(cells: Sequence[str], names: Sequence[str]) -> int | None:
    wanted = {normalise(name) for name in names}
    return next((index for index, cell in enumerate(cells) if normalise(cell) in wanted), None)


def point_of(lon: str, lat: str) -> tuple[Point | None, UnfitError | None]:
    """Return the point that two cells name in degrees, nothing when both are empty, or a problem."""
    if not lon.strip() and not lat.strip():
        return None, None
    try:
        return Point(*(float(unicodedata.normalize("NFKC", value)) for value in (lon, lat))), None
    except ValueError:
        return None, UnfitError(
            "longitude %(lon)s and latitude %(lat)s are no numbers (write degrees with decimals: 141.2103)",
            lon=repr(lon),
            lat=repr(lat),
        )
