"""Statistics over incidents: page, CSV, JSON and the mesh on the map; everybody reads the same, suppressed numbers.

The desk's page (webmap/staff/statistics.py) shows the same tables with the numbers that its reader may have.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, render_template, request
from sqlalchemy import Connection

from gis.errors import UsageError
from ingest.statistics import DIMENSIONS, Statistic, list_tables, read_statistics
from ingest.suppression import LEAST_COUNT
from layers.codes import load_code_list
from webmap import town_map
from webmap.languages import gettext, language, mark
from webmap.services import citizen_connection, services

blueprint = Blueprint("statistics", __name__)
_TITLES = {
    "category": mark("By category"),
    "quarter": mark("By quarter"),
    "mesh": mark("By mesh of 1 km"),
    "month": mark("By month"),
    "weekday": mark("By weekday"),
    "hour": mark("By hour"),
    "source": mark("By source"),
}
_WEEKDAYS = {
    "1": mark("Monday"),
    "2": mark("Tuesday"),
    "3": mark("Wednesday"),
    "4": mark("Thursday"),
    "5": mark("Friday"),
    "6": mark("Saturday"),
    "7": mark("Sunday"),
}
_FIXED = {
    "month": [f"{month:02}" for month in range(1, 13)],
    "weekday": list(_WEEKDAYS),
    "hour": [f"{hour:02}" for hour in range(24)],
}
_MOST_ROWS = 30


@dataclass(frozen=True)
class Bar:
    """One line of a table: a value in words, its count (None: suppressed), and the length of its bar in percent."""

    name: str
    count: int | None
    percent: float


@dataclass(frozen=True)
class Asked:
    """What is asked for: one kind and year; `tables` are all (kind, year) that there are."""

    kind: str
    year: int
    tables: Sequence[tuple[str, int]]


@blueprint.get("/statistics")
def show_statistics() -> str:
    """Show one kind and year: how many, where, when."""
    asked, found = _read()
    return render_template("citizen/statistics.html", **page_values(asked, found))


@blueprint.get("/statistics.csv")
def show_csv() -> Response:
    """Answer all tables of one kind and year as CSV, UTF-8 with BOM; a suppressed count is an X."""
    return csv_answer(*_read())


@blueprint.get("/statistics.json")
def show_json() -> dict[str, object]:
    """Answer all tables of one kind and year as JSON; a suppressed count is null."""
    return json_answer(*_read())


@blueprint.get("/statistics/mesh.geojson")
def show_mesh() -> dict[str, object]:
    """Answer the cells of 1 km (地域メッシュ, JIS X 0410) with a count that may be shown."""
    _, found = _read()
    return mesh_answer(found)


def page_values(asked: Asked, found: Sequence[Statistic]) -> dict[str, object]:
    """Return what a page of statistics shows (templates/parts/statistics.html)."""
    counted = {kind for kind, _ in asked.tables}
    return {
        "kind": asked.kind,
        "year": asked.year,
        "kinds": [code for code in load_code_list("incident_kind").values if code in counted],
        "years": sorted({year for _, year in asked.tables}, reverse=True),
        "total": next((one.count for one in found if one.dimension == "total"), 0),
        "is_suppressed": any(one.count is None for one in found),
        "charts": [(name, gettext(title), _bars(name, found)) for name, title in _TITLES.items() if name != "mesh"],
        "cells": _bars("mesh", found),
        "script": town_map.small_map_script(services().town, language()),
        "assets": town_map,
    }


def csv_answer(asked: Asked, found: Sequence[Statistic]) -> Response:
    """Return the numbers as CSV, UTF-8 with BOM; a suppressed count is an X."""
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow(["year", "kind", "dimension", "value", "count"])
    lines.writerows(
        [one.year, one.kind, one.dimension, one.value, "X" if one.count is None else one.count] for one in found
    )
    response = Response("\ufeff" + written.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="statistics-{asked.kind}-{asked.year}.csv"'
    return response


def json_answer(asked: Asked, found: Sequence[Statistic]) -> dict[str, object]:
    """Return the numbers as JSON; a suppressed count is null."""
    tables: dict[str, dict[str, int | None]] = {name: {} for name in ("total", *DIMENSIONS)}
    for one in found:
        tables[one.dimension][one.value] = one.count
    return {"kind": asked.kind, "year": asked.year, "suppressed_below": LEAST_COUNT, "tables": tables}


def mesh_answer(found: Sequence[Statistic]) -> dict[str, object]:
    """Return the cells that have a count that may be shown as GeoJSON; `share` is of the largest count."""
    cells = {one.value: one.count for one in found if one.dimension == "mesh" and one.value and one.count}
    most = max(cells.values(), default=1)
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"name": f"{count}", "count": count, "share": round(count / most, 3)},
                "geometry": {"type": "Polygon", "coordinates": [mesh_ring(code)]},
            }
            for code, count in sorted(cells.items())
        ],
    }


def mesh_ring(code: str) -> list[list[float]]:
    """Return the corners of a 3次メッシュ as a closed ring of lon/lat in degrees (JIS X 0410: 30″ high, 45″ wide)."""
    south = int(code[:2]) / 1.5 + int(code[4]) / 12 + int(code[6]) / 120
    west = 100 + int(code[2:4]) + int(code[5]) / 8 + int(code[7]) / 80
    north, east = south + 1 / 120, west + 1 / 80
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return [[round(lon, 7), round(lat, 7)] for lon, lat in ring]


def read_asked(connection: Connection) -> Asked:
    """Return what the request asks for; the newest year of anything when it asks for nothing. Role: any.

    Raises
    ------
    UsageError : there is no such kind, or that is no year.
    """
    tables = list_tables(connection)
    newest = tables[0] if tables else ("crime", 0)
    kind = request.args.get("kind") or newest[0]
    year = request.args.get("year") or str(next((y for k, y in tables if k == kind), newest[1]))
    if kind not in load_code_list("incident_kind").values or not year.isdigit() or len(year) > 4:
        raise UsageError("There are no such statistics.", "Choose kind and year on the page.")
    return Asked(kind, int(year), tables)


def _read() -> tuple[Asked, list[Statistic]]:
    with citizen_connection() as connection:
        asked = read_asked(connection)
        return asked, read_statistics(connection, asked.kind, asked.year, is_public=True)


def _bars(dimension: str, found: Sequence[Statistic]) -> list[Bar]:
    counts = {one.value: one.count for one in found if one.dimension == dimension}
    order = _FIXED.get(dimension) or sorted(counts, key=lambda value: (-(counts[value] or 0), value))
    values = [value for value in order if value][:_MOST_ROWS] if counts else []
    if "" in counts and counts:
        values.append("")
    most = max((count for count in counts.values() if count), default=1)
    return [_bar(dimension, value, counts, most) for value in values]


def _bar(dimension: str, value: str, counts: Mapping[str, int | None], most: int) -> Bar:
    count = counts.get(value, 0)
    return Bar(_name(dimension, value), count, round(100 * (count or 0) / most, 1))


def _name(dimension: str, value: str) -> str:
    if not value:
        return gettext("not known")
    if dimension == "weekday":
        return gettext(_WEEKDAYS[value])
    if dimension == "month":
        return gettext("month %(number)s", number=int(value))
    if dimension == "hour":
        return f"{int(value)}:00"
    return value
