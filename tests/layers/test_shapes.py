"""Splitting and merging as a draughtsman does."""

from __future__ import annotations

import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from gis.errors import UsageError
from layers.shapes import merge_geometries, split_geometry


def wkt(text: str) -> BaseGeometry:
    return shapely.from_wkt(text)


def test_a_pipe_split_in_two_keeps_its_direction() -> None:
    upper, lower = split_geometry(wkt("LINESTRING (0 0, 10 0)"), wkt("LINESTRING (4 -1, 4 1)"))
    assert upper == wkt("LINESTRING (0 0, 4 0)")
    assert lower == wkt("LINESTRING (4 0, 10 0)")


def test_an_area_is_cut_into_as_many_pieces_as_the_line_makes() -> None:
    pieces = split_geometry(wkt("MULTIPOLYGON (((0 0, 4 0, 4 2, 0 2, 0 0)))"), wkt("LINESTRING (1 -1, 1 3, 3 3, 3 -1)"))
    assert sorted(piece.area for piece in pieces) == [2, 2, 4]


def test_parts_that_the_line_misses_stay_with_the_first_piece() -> None:
    geometry = wkt("MULTILINESTRING ((0 0, 10 0), (0 5, 10 5))")
    first, second = split_geometry(geometry, wkt("LINESTRING (4 -1, 4 1)"))
    assert first == wkt("MULTILINESTRING ((0 0, 4 0), (0 5, 10 5))")
    assert second == wkt("LINESTRING (4 0, 10 0)")


@pytest.mark.parametrize(
    ("geometry", "blade"),
    [
        ("LINESTRING (0 0, 10 0)", "LINESTRING (4 1, 4 2)"),
        ("POLYGON ((0 0, 4 0, 4 2, 0 2, 0 0))", "LINESTRING (1 1, 3 1)"),
        ("POINT (0 0)", "LINESTRING (1 1, 3 1)"),
        ("LINESTRING (0 0, 10 0)", "POINT (5 0)"),
        ("LINESTRING (0 0, 10 0)", "LINESTRING (2 0, 8 0)"),
    ],
)
def test_what_does_not_cut_through_is_refused(geometry: str, blade: str) -> None:
    with pytest.raises(UsageError):
        split_geometry(wkt(geometry), wkt(blade))


def test_neighbouring_areas_lose_the_border_between_them() -> None:
    made = merge_geometries([wkt("POLYGON ((0 0, 1 0, 1 1, 0 1, 0 0))"), wkt("POLYGON ((1 0, 2 0, 2 1, 1 1, 1 0))")])
    assert made.geom_type == "Polygon"
    assert made.area == 2


def test_areas_apart_become_parts_of_one() -> None:
    made = merge_geometries([wkt("POLYGON ((0 0, 1 0, 1 1, 0 0))"), wkt("POLYGON ((5 0, 6 0, 6 1, 5 0))")])
    assert made.geom_type == "MultiPolygon"


def test_what_was_split_is_whole_again_after_a_merge() -> None:
    pipe = wkt("LINESTRING (0 0, 4 0, 10 0)")
    assert merge_geometries(split_geometry(pipe, wkt("LINESTRING (4 -1, 4 1)"))) == pipe


@pytest.mark.parametrize("second", ["LINESTRING (4 0, 10 0)", "LINESTRING (10 0, 4 0)"])
def test_the_first_pipe_gives_the_direction(second: str) -> None:
    made = merge_geometries([wkt("MULTILINESTRING ((0 0, 4 0))"), wkt(second)])
    assert made == wkt("LINESTRING (0 0, 4 0, 10 0)")


@pytest.mark.parametrize(
    "geometries",
    [[], ["LINESTRING (0 0, 1 0)"], ["POINT (0 0)", "POINT (1 1)"], ["LINESTRING (0 0, 1 0)", "POINT (1 0)"]],
)
def test_what_is_not_of_one_kind_is_refused(geometries: list[str]) -> None:
    with pytest.raises(UsageError):
        merge_geometries([wkt(geometry) for geometry in geometries])
