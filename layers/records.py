"""Lists of places as plain JSON, as Geolonia 住所データ: `[{"town": "矢本", "lat": 38.42, "lng": 141.21}, …]`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyproj import CRS

from gis.errors import UsageError
from layers.reading import FeatureFile, Reading, Row
from layers.reference_system import STORED_EPSG
from layers.sheets import find_position_columns, point_of


def is_record_list(path: Path) -> bool:
    """Whether a file is a JSON array: GeoJSON never is."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")


def read_record_list(path: Path, reading: Reading) -> FeatureFile:
    """Read a JSON array of flat objects as points, in degrees of JGD2011 unless somebody says otherwise.

    Raises
    ------
    UsageError : it is no JSON, not all of it are objects, or they have no longitude and latitude.
    """
    try:
        records = json.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise UsageError(
            "%(file)s is no JSON: %(error)s", "Check that the whole file is there.", file=path.name, error=error
        ) from error
    for number, record in enumerate(records, 1):
        if not isinstance(record, dict) or any(isinstance(value, dict | list) for value in record.values()):
            raise UsageError(
                "%(file)s, record %(number)s is no flat object.",
                "It must be a list of {name: value, …}, or GeoJSON.",
                file=path.name,
                number=number,
            )
    headers = tuple(dict.fromkeys(name for record in records for name in record))
    lon, lat = find_position_columns(headers, path.name, reading)
    rows = []
    for number, record in enumerate(records, 1):
        point, problem = point_of(_text(record.get(lon)), _text(record.get(lat)))
        values = {name: _value(record.get(name)) for name in headers}
        rows.append(Row(number, values, point, problem))
    used = replace(reading, encoding="", table="", lon=lon, lat=lat)
    return FeatureFile(path, headers, tuple(rows), CRS.from_epsg(STORED_EPSG), used)


def _value(value: Any) -> Any:
    return None if value == "" else value


def _text(value: Any) -> str:
    return "" if value is None else str(value)
