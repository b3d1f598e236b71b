"""Draws hazard zones for the demonstration town: bands by distance that foretell nothing, the same on every machine."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import shapely
from shapely import LineString, Point
from shapely.affinity import rotate
from shapely.geometry.base import BaseGeometry

from gis.settings import DATA_DIR
from layers.demonstration.drawing import Drawing, all_to_degrees, all_to_plane, multi, to_plane
from layers.demonstration.town import town_plan

_SLOPE_LENGTH_M, _SLOPE_WIDTH_M = 130.0, 90.0
_SPECIAL_SHARE = 0.5  # of a landslide zone's length and width


def draw_hazards(town: Mapping[str, Sequence[Drawing]]) -> dict[str, list[Drawing]]:
    """Return the features of the hazard layers by layer name, in degrees.

    Parameters
    ----------
    town : what `draw_town` drew; zones end at its outline and its sea.
    """
    (outline,) = all_to_plane(town["city_area"])
    sea = [feature.geometry for feature in all_to_plane(town["base_water"]) if feature.attributes["class"] == "sea"]
    land = shapely.difference(outline.geometry, shapely.union_all(sea))
    drawn = {
        "hazard_tsunami": list(_tsunami(land)),
        "hazard_flood": list(_flood(land)),
        "hazard_inland_flood": list(_inland_flood(land)),
        "hazard_landslide": list(_landslide()),
    }
    return {layer: all_to_degrees(features) for layer, features in drawn.items()}


def _tsunami(land: BaseGeometry) -> Iterator[Drawing]:
    plan = _hazard_plan()["tsunami"]
    shore = to_plane(LineString(town_plan()["shore"]))
    for rank, area in _bands(shore, plan["bands"], shapely.difference(land, _hills())):
        yield Drawing(area, {"depth_rank": rank, "scenario": plan["scenario"]})


def _flood(land: BaseGeometry) -> Iterator[Drawing]:
    plan = _hazard_plan()["flood"]
    plain = shapely.difference(land, _hills())
    for body in town_plan()["water"]:
        if body["name"] in plan["rivers"]:
            for rank, area in _bands(to_plane(LineString(body["line"])), plan["bands"], plain):
                yield Drawing(area, {"river": body["name"], "depth_rank": rank, "scale": "maximum"})


def _inland_flood(land: BaseGeometry) -> Iterator[Drawing]:
    plan = _hazard_plan()["inland_flood"]
    for quarter in town_plan()["quarters"]:
        if not quarter["hill"]:
            middle = to_plane(Point(quarter["lon"], quarter["lat"]))
            hollow = Point(middle.x + plan["offset_m"], middle.y - plan["offset_m"])
            for rank, area in _bands(hollow, plan["bands"], land):
                yield Drawing(area, {"depth_rank": rank, "rainfall_mm_per_hour": plan["rainfall_mm_per_hour"]})


def _landslide() -> Iterator[Drawing]:
    plan = _hazard_plan()["landslide"]
    for quarter in town_plan()["quarters"]:
        if quarter["name"] not in plan["quarters"]:
            continue
        top = to_plane(Point(quarter["lon"], quarter["lat"]))
        for number in range(1, plan["zones_per_hill"] + 1):
            angle = 360.0 * number / plan["zones_per_hill"]
            common = {
                "zone_number": f"DEMO-{quarter['name']}-{number:02}",
                "name": plan["name"].format(quarter=quarter["name"], number=number),
                "kind": "1" if number % 3 else "2",
            }
            for zone, share in (("1", 1.0), ("2", _SPECIAL_SHARE)):
                yield Drawing(multi(_slope(top, plan["radius_m"], angle, share)), {**common, "zone": zone})


def _slope(top: Point, radius_m: float, angle: float, share: float) -> BaseGeometry:
    """A strip down the hill, `share` of its full size, beginning at its upper end."""
    start_m = top.x + radius_m
    half_m = share * _SLOPE_WIDTH_M / 2
    strip = shapely.box(start_m, top.y - half_m, start_m + share * _SLOPE_LENGTH_M, top.y + half_m)
    return rotate(strip, angle, origin=top)


def _bands(
    middle: BaseGeometry, bands: Sequence[tuple[float, str]], within: BaseGeometry
) -> Iterator[tuple[str, BaseGeometry]]:
    """Yield rank and area of each band that is farther than the one before it; bands never overlap."""
    before = shapely.Polygon()
    for distance_m, rank in bands:
        disc = shapely.buffer(middle, distance_m, quad_segs=4)
        area = multi(shapely.intersection(shapely.difference(disc, before), within))
        before = disc
        if not area.is_empty:
            yield rank, area


@cache
def _hills() -> BaseGeometry:
    radius_m = _hazard_plan()["hill_radius_m"]
    tops = [to_plane(Point(q["lon"], q["lat"])) for q in town_plan()["quarters"] if q["hill"]]
    return shapely.union_all(shapely.buffer(tops, radius_m))


@cache
def _hazard_plan() -> dict[str, Any]:
    return tomllib.loads((DATA_DIR / "demo" / "hazards.toml").read_text(encoding="utf-8"))
