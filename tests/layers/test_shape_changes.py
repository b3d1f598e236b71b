"""How far a geometry moved and what it gained, against lengths of the meridian and areas known otherwise."""

from __future__ import annotations

import pytest
import shapely
from sqlalchemy import text

from gis.database import Database
from layers.shape_changes import measure_change, read_geometry

SQUARE = shapely.box(141.2, 38.4, 141.21, 38.41)


def test_a_move_is_measured_on_the_ellipsoid() -> None:
    moved = measure_change(shapely.Point(141.2, 38.4), shapely.Point(141.2, 38.401))
    assert moved is not None
    assert moved.moved_m == pytest.approx(111.0, abs=0.05)  # a thousandth of a degree of the meridian at 38.4°
    assert (moved.length_m, moved.area_m2) == (0, 0)


def test_gains_are_those_that_postgis_finds(database: Database) -> None:
    half = shapely.box(141.2, 38.4, 141.205, 38.41)
    line, longer = (
        shapely.LineString([(141.2, 38.4), (141.2, 38.41)]),
        shapely.LineString([(141.2, 38.4), (141.2, 38.42)]),
    )
    query = text(
        "SELECT ST_Area(ST_SetSRID(CAST(:b AS geometry), 6668)::geography)"
        " - ST_Area(ST_SetSRID(CAST(:a AS geometry), 6668)::geography),"
        " ST_Length(ST_SetSRID(CAST(:d AS geometry), 6668)::geography)"
        " - ST_Length(ST_SetSRID(CAST(:c AS geometry), 6668)::geography)"
    )
    with database.begin("dept_sewer") as connection:
        area_m2, length_m = connection.execute(
            query, {"a": half.wkt, "b": SQUARE.wkt, "c": line.wkt, "d": longer.wkt}
        ).one()
    area, length = measure_change(half, SQUARE), measure_change(line, longer)
    assert area is not None and area.area_m2 == pytest.approx(area_m2, abs=0.01)
    assert length is not None and length.length_m == pytest.approx(length_m, abs=0.001)
    assert area.length_m == 0, "the rim of an area is no length"


def test_the_way_round_of_a_ring_does_not_matter() -> None:
    change = measure_change(SQUARE, SQUARE.reverse())
    assert change is not None and change.area_m2 == pytest.approx(0)


def test_without_a_position_nothing_is_measured() -> None:
    assert read_geometry({"geom": None}) is None
    assert read_geometry(None) is None
    assert measure_change(None, SQUARE) is None
