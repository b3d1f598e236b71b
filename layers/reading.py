"""Reads features from the files that town offices exchange; CSV and spreadsheets are in layers/sheets.py."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from gis.errors import Phrase, UsageError
from layers.unfit import UnfitError

SHEET_SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx")
VECTOR_SUFFIXES = (".geojson", ".json", ".shp", ".gpkg", ".fgb", ".dxf", ".gml", ".kml")


@dataclass(frozen=True)
class Reading:
    """How a file is to be read. What is empty or 0 is found out.

    Attributes
    ----------
    table : of a file that holds several: a GeoPackage, a KML, a spreadsheet.
    encoding : of a CSV's or Shapefile's text, e.g. `cp932`.
    header_line : of a CSV or spreadsheet: the line of the column names, from 1.
    lon, lat : its columns for longitude (or easting) and latitude (or northing).
    is_swapped : x and y change places.
    """

    table: str = ""
    encoding: str = ""
    header_line: int = 0
    lon: str = ""
    lat: str = ""
    is_swapped: bool = False


@dataclass(frozen=True)
class Row:
    """One feature of a file, untouched.

    Attributes
    ----------
    number : line of a CSV, or the feature's position in another file; both begin at 1.
    geometry : in the file's own reference system, x/y or lon/lat, or None.
    problem : why what stands for its position is none.
    """

    number: int
    values: dict[str, Any]
    geometry: BaseGeometry | None
    problem: UnfitError | None = None


@dataclass(frozen=True)
class FeatureFile:
    """What a file holds.

    Attributes
    ----------
    crs : what the file says itself, None when it says nothing.
    reading : how it was read, with everything that was found out.
    """

    path: Path
    headers: tuple[str, ...]
    rows: tuple[Row, ...]
    crs: CRS | None
    reading: Reading = Reading()


def normalise(header: str) -> str:
    """Return a header as it is compared: full-width and half-width alike, without outer spaces."""
    return unicodedata.normalize("NFKC", header).strip().lower()


def distinct_headers(headers: Sequence[str]) -> list[str]:
    """Return headers that can be told apart: a second 備考 becomes 備考_2, a nameless third column column_3."""
    made: list[str] = []
    for position, header in enumerate(headers, 1):
        name, count = header or f"column_{position}", 1
        while name in made:
            count += 1
            name = f"{header}_{count}"
        made.append(name)
    return made


def read_features(path: Path, reading: Reading | None = None) -> FeatureFile:
    """Read all features of a file.

    Raises
    ------
    UsageError : the file is missing, unreadable, empty, holds several tables, or is a table without positions.
    """
    from layers.records import is_record_list, read_record_list  # which build on the records of this module
    from layers.sheets import read_sheet

    if not path.exists():
        raise UsageError("There is no file %(path)s.", "Check the path.", path=path)
    if path.stat().st_size == 0:
        raise UsageError("%(file)s is empty.", "Check that it is the right file.", file=path.name)
    read = read_sheet if path.suffix.lower() in SHEET_SUFFIXES else _read_vector
    if is_record_list(path):
        read = read_record_list
    found = read(path, reading or Reading())
    if not found.rows:
        raise UsageError("%(file)s has no features.", "Check that it is the right file.", file=path.name)
    if found.reading.is_swapped:
        found = replace(found, rows=tuple(replace(row, geometry=_swap(row.geometry)) for row in found.rows))
    return found


def list_tables(path: Path) -> list[str]:
    """Return the names of a file's tables that can become a layer; one for most kinds of files.

    Raises
    ------
    UsageError : the file cannot be read.
    """
    from layers.records import is_record_list

    suffix = path.suffix.lower()
    if (suffix in SHEET_SUFFIXES and suffix != ".xlsx") or is_record_list(path):
        return [path.stem]
    try:
        found = pyogrio.list_layers(path)
    except (DataSourceError, DataLayerError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error
    return [str(name) for name, geometry_type in found if geometry_type is not None or suffix == ".xlsx"]


def _unreadable(path: Path, error: Exception) -> UsageError:
    return UsageError(
        "%(file)s cannot be read: %(error)s",
        "It must be GeoJSON, Shapefile (with .shx and .dbf), GeoPackage, FlatGeobuf, DXF, GML, KML, XLSX or CSV.",
        file=path.name,
        error=error,
    )


def _swap(geometry: BaseGeometry | None) -> BaseGeometry | None:
    return None if geometry is None else shapely.transform(geometry, lambda places: places[:, ::-1])


def _read_vector(path: Path, reading: Reading) -> FeatureFile:
    tables = list_tables(path)
    if reading.table not in tables and (reading.table or len(tables) != 1):
        raise UsageError(
            "%(file)s holds %(count)s tables with positions: %(tables)s.",
            "Say which one is meant (--table), or export it to a file of its own.",
            file=path.name,
            count=len(tables),
            tables=", ".join(tables) or Phrase("none"),
        )
    table = reading.table or tables[0]
    encoding = (reading.encoding or shapefile_encoding(path)) if path.suffix.lower() == ".shp" else None
    try:
        info = pyogrio.read_info(path, layer=table)
        frame = pyogrio.read_dataframe(path, layer=table, encoding=encoding, datetime_as_string=True)
    except (DataSourceError, DataLayerError, UnicodeDecodeError, shapely.errors.GEOSException) as error:
        raise _unreadable(path, error) from error
    headers = tuple(name for name in frame.columns if name != "geometry")
    columns = [[None if _is_absent(value) else value for value in frame[name].tolist()] for name in headers]
    geometries = frame.geometry.tolist()
    rows = tuple(
        Row(number, dict(zip(headers, values, strict=True)), geometries[number - 1])
        for number, values in enumerate(zip(*columns, strict=True) if columns else ((),) * len(geometries), 1)
    )
    used = replace(reading, table=table, encoding=encoding or "")
    return FeatureFile(path, headers, rows, CRS.from_user_input(info["crs"]) if info["crs"] else None, used)


def _is_absent(value: object) -> bool:
    """Whether a cell is empty; a list (of a GeoJSON property) never is."""
    return bool(pandas.api.types.is_scalar(value) and pandas.isna(value))


def shapefile_encoding(path: Path) -> str | None:
    """Guess the text encoding of a Shapefile without .cpg: old ones are cp932, new ones UTF-8. None: the file says."""
    if any(path.with_suffix(suffix).exists() for suffix in (".cpg", ".CPG")):
        return None
    table = next((path.with_suffix(suffix) for suffix in (".dbf", ".DBF") if path.with_suffix(suffix).exists()), None)
    if table is None:
        return None
    # Fields have a fixed width in bytes, so a last character may be cut: count what does not decode.
    body = table.read_bytes()[32:]
    broken = {name: body.decode(name, errors="replace").count("\ufffd") for name in ("utf-8", "cp932")}
    return min(broken, key=lambda name: broken[name])
