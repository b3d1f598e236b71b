"""Reads features from the files that town offices exchange: GeoJSON, Shapefile, GeoPackage, CSV."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS
from shapely import Point
from shapely.geometry.base import BaseGeometry

from gis.errors import UsageError
from layers.reference_system import STORED_EPSG

_LON_HEADERS = ("経度", "lon", "longitude", "lng", "経度（度）")
_LAT_HEADERS = ("緯度", "lat", "latitude", "緯度（度）")
_TITLE_ROWS = 20  # the header of a CSV is looked for in so many rows


@dataclass(frozen=True)
class Row:
    """One feature of a file, untouched.

    Attributes
    ----------
    number : line of a CSV, or the feature's position in another file; both begin at 1.
    geometry : in the file's own reference system, x/y or lon/lat, or None.
    """

    number: int
    values: dict[str, Any]
    geometry: BaseGeometry | None


@dataclass(frozen=True)
class FeatureFile:
    """What a file holds. `crs` is what the file says itself, None when it says nothing."""

    path: Path
    headers: tuple[str, ...]
    rows: tuple[Row, ...]
    crs: CRS | None


def normalise(header: str) -> str:
    """Return a header as it is compared: full-width and half-width alike, without outer spaces."""
    return unicodedata.normalize("NFKC", header).strip().lower()


def read_features(path: Path) -> FeatureFile:
    """Read all features of a file.

    Raises
    ------
    UsageError : the file is missing, unreadable, empty, holds several tables, or a CSV without positions.
    """
    if not path.exists():
        raise UsageError(f"There is no file {path}.", "Check the path.")
    found = _read_csv(path) if path.suffix.lower() in (".csv", ".tsv", ".txt") else _read_vector(path)
    if not found.rows:
        raise UsageError(f"{path.name} has no features.", "Check that it is the right file.")
    return found


def _read_vector(path: Path) -> FeatureFile:
    try:
        tables = [name for name, geometry_type in pyogrio.list_layers(path) if geometry_type is not None]
        if len(tables) != 1:
            raise UsageError(
                f"{path.name} holds {len(tables)} tables with positions: {', '.join(tables) or 'none'}.",
                "Export the one that is meant to a file of its own.",
            )
        info = pyogrio.read_info(path, layer=tables[0])
        frame = pyogrio.read_dataframe(
            path, layer=tables[0], encoding=_shapefile_encoding(path), datetime_as_string=True
        )
    except (DataSourceError, DataLayerError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path.name} cannot be read: {error}",
            "It must be GeoJSON, Shapefile (with .shx and .dbf), GeoPackage or CSV.",
        ) from error
    headers = tuple(name for name in frame.columns if name != "geometry")
    columns = [[None if pandas.isna(value) else value for value in frame[name].tolist()] for name in headers]
    geometries = frame.geometry.tolist()
    rows = tuple(
        Row(number, dict(zip(headers, values, strict=True)), geometries[number - 1])
        for number, values in enumerate(zip(*columns, strict=True) if columns else ((),) * len(geometries), 1)
    )
    return FeatureFile(path, headers, rows, CRS.from_user_input(info["crs"]) if info["crs"] else None)


def _shapefile_encoding(path: Path) -> str | None:
    """Guess the text encoding of a Shapefile without .cpg: old ones are cp932, new ones UTF-8. None: the file says."""
    if path.suffix.lower() != ".shp" or any(path.with_suffix(suffix).exists() for suffix in (".cpg", ".CPG")):
        return None
    table = next((path.with_suffix(suffix) for suffix in (".dbf", ".DBF") if path.with_suffix(suffix).exists()), None)
    if table is None:
        return None
    # Fields have a fixed width in bytes, so a last character may be cut: count what does not decode.
    body = table.read_bytes()[32:]
    broken = {name: body.decode(name, errors="replace").count("\ufffd") for name in ("utf-8", "cp932")}
    return min(broken, key=lambda name: broken[name])


def _read_csv(path: Path) -> FeatureFile:
    records = _csv_records(path)
    position, lon, lat = _find_header(records, path.name)
    headers = _distinct([cell.strip() for cell in records[position][1]])
    rows = []
    for number, record in records[position + 1 :]:
        if any(cell.strip() for cell in record):
            padded = [*record, *[""] * (len(headers) - len(record))]
            values = {name: value.strip() or None for name, value in zip(headers, padded, strict=False)}
            rows.append(Row(number, values, _point(padded[lon], padded[lat], path.name, number)))
    return FeatureFile(path, tuple(headers), tuple(rows), CRS.from_epsg(STORED_EPSG))


def _csv_records(path: Path) -> list[tuple[int, list[str]]]:
    body = path.read_bytes()
    for encoding in ("utf-8-sig", "cp932"):
        try:
            text = body.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise UsageError(f"{path.name} is neither UTF-8 nor Shift_JIS (cp932).", "Save it as CSV UTF-8.")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
    try:
        return [(reader.line_num, record) for record in reader]
    except csv.Error as error:
        raise UsageError(f"{path.name}, line {reader.line_num}: {error}.", "Check the quotes in that line.") from error


def _find_header(records: list[tuple[int, list[str]]], name: str) -> tuple[int, int, int]:
    """Position of the header among the records, and its columns for longitude and latitude; titles stand above it."""
    for position, (_, cells) in enumerate(records[:_TITLE_ROWS]):
        lon, lat = _find(cells, _LON_HEADERS), _find(cells, _LAT_HEADERS)
        if lon is not None and lat is not None:
            return position, lon, lat
    raise UsageError(
        f"{name}: none of the first {_TITLE_ROWS} rows has columns for longitude and latitude.",
        f"Name them {_LON_HEADERS[0]} and {_LAT_HEADERS[0]}, in degrees.",
    )


def _find(cells: Sequence[str], names: Sequence[str]) -> int | None:
    return next((index for index, cell in enumerate(cells) if normalise(cell) in map(normalise, names)), None)


def _distinct(headers: Sequence[str]) -> list[str]:
    """Headers that stand there twice get a number: 備考, 備考_2."""
    made: list[str] = []
    for header in headers:
        count = sum(1 for other in headers[: len(made)] if other == header)
        made.append(f"{header}_{count + 1}" if count else header)
    return made


def _point(lon: str, lat: str, name: str, number: int) -> Point | None:
    if not lon.strip() and not lat.strip():
        return None
    try:
        return Point(*(float(unicodedata.normalize("NFKC", value)) for value in (lon, lat)))
    except ValueError as error:
        raise UsageError(
            f"{name}, row {number}: longitude {lon!r} and latitude {lat!r} are no numbers.",
            "Write degrees with decimals, e.g. 141.2103; degrees, minutes and seconds are not read.",
        ) from error
