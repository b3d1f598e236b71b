"""How high the ground of the demonstration town lies: a plain that falls to the sea, and hills under some quarters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import shapely
from shapely import LineString, Point

from layers.demonstration.drawing import to_plane
from layers.demonstration.town import town_plan

_BEACH_M = 1.6
_PLAIN_SLOPE = 0.0009
_HILL_M = 13.0
_HILL_RADIUS_M = 900.0  # with _HILL_M: nowhere steeper than 23 ‰


def ground_m(places: Sequence[tuple[float, float]]) -> list[float]:
    """Return the ground's height above T.P. (metres, to the millimetre) at places in the plane zone."""
    distances = shapely.distance(_shore(), shapely.points(places))
    return [
        round(_BEACH_M + _PLAIN_SLOPE * float(distance) + sum(_rise_m(place, top) for top in _hill_tops()), 3)
        for place, distance in zip(places, distances, strict=True)
    ]


def _rise_m(place: tuple[float, float], top: tuple[float, float]) -> float:
    away = min(math.dist(place, top) / _HILL_RADIUS_M, 1.0)
    return _HILL_M / 2 * (1 + math.cos(math.pi * away))


@cache
def _shore() -> LineString:
    return to_plane(LineString(town_plan()["shore"]))


@cache
def _hill_tops() -> list[tuple[float, float]]:
    tops = [to_plane(Point(q["lon"], q["lat"])) for q in town_plan()["quarters"] if q["hill"]]
    return [(top.x, top.y) for top in tops]
