"""Draws the demonstration town: streets, buildings, water and evacuation sites, the same on every machine.

From the few hand-drawn lines of `data/demo/town.toml` and a seeded generator. All drawing happens in the
town's plane zone in metres; what comes out is in degrees (lon, lat), EPSG:6668.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

import shapely
from shapely import LineString, MultiPolygon, Point, Polygon
from shapely.affinity import rotate, translate
from shapely.geometry.base import BaseGeometry

from gis.settings import DATA_DIR
from gis.town import load_town
from layers.demonstration.drawing import Drawing, all_to_degrees, multi, to_plane

_SEED = 4214
_BLOCK_M = 90.0
_LOTS = [(column * 22.0 + 14.0, row * 28.0 + 14.0) for column in range(4) for row in range(3)]  # in a block, metres
_BUILDING_COUNT = 2600
_TSUNAMI_REACH_M = 3000.0
_SURGE_REACH_M = 1500.0
_FLOOD_REACH_M = 900.0
_OPEN_SPACE_CAPACITY = 900  # a site for so many people is a wide open one


@cache
def town_plan() -> dict[str, Any]:
    """Read `data/demo/town.toml`."""
    return tomllib.loads((DATA_DIR / "demo" / "town.toml").read_text(encoding="utf-8"))


def draw_town() -> dict[str, list[Drawing]]:
    """Return the demonstration town's features by layer name."""
    plan, town = town_plan(), load_town()
    generator = random.Random(_SEED)  # noqa: S311 (a drawing, not a secret)
    outline = to_plane(Polygon(plan["outline"]))
    water = {body["name"]: _water_body(body) for body in plan["water"]}
    wet = shapely.union_all([*water.values(), to_plane(Polygon(plan["sea"]))])
    land = shapely.difference(outline, wet)
    city = {"code": town.code, "name": f"{town.name_ja}（{plan['label']}）", "prefecture": plan["prefecture"]}
    drawn = {
        "city_area": [Drawing(multi(outline), city)],
        "base_water": [
            Drawing(multi(water[body["name"]]), {"class": body["class"], "name": body["name"]})
            for body in plan["water"]
        ],
        "base_road": [
            Drawing(to_plane(LineString(road["line"])), {"class": road["class"], "name": road["name"]})
            for road in plan["roads"]
        ],
        "base_building": [],
        **_sites(plan),
    }
    drawn["base_water"].append(Drawing(multi(to_plane(Polygon(plan["sea"]))), {"class": "sea", "name": ""}))
    shapely.prepare(land)
    for quarter in plan["quarters"]:
        drawn["base_road"] += _streets(quarter, land)
        drawn["base_building"] += _buildings(quarter, land, generator)
    return {layer: all_to_degrees(features) for layer, features in drawn.items()}


def _streets(quarter: dict[str, Any], land: BaseGeometry) -> Iterator[Drawing]:
    side_m = quarter["blocks"] * _BLOCK_M
    for number in range(quarter["blocks"] + 1):
        at_m = number * _BLOCK_M
        for line in (LineString([(at_m, 0), (at_m, side_m)]), LineString([(0, at_m), (side_m, at_m)])):
            street = shapely.intersection(_place(line, quarter), land)
            if street.length > _BLOCK_M:
                # Every fourth street is the wider one.
                yield Drawing(street, {"class": "municipal" if number % 4 == 0 else "lane", "name": ""})


def _buildings(quarter: dict[str, Any], land: BaseGeometry, generator: random.Random) -> Iterator[Drawing]:
    blocks = range(quarter["blocks"])
    lots = [(c * _BLOCK_M + x, r * _BLOCK_M + y) for c in blocks for r in blocks for x, y in _LOTS]
    for x, y in generator.sample(lots, min(len(lots), round(quarter["share"] * _BUILDING_COUNT))):
        width_m, depth_m = generator.uniform(8, 15), generator.uniform(8, 13)
        kind = generator.choices(["house", "commercial", "industrial", "public"], [88, 7, 3, 2])[0]
        building = _place(shapely.box(x - width_m / 2, y - depth_m / 2, x + width_m / 2, y + depth_m / 2), quarter)
        if land.contains(building):
            yield Drawing(MultiPolygon([building]), {"class": kind, "name": ""})


def _sites(plan: dict[str, Any]) -> dict[str, list[Drawing]]:
    """Evacuation sites and shelters: one of each kind in each quarter, around its middle."""
    shore = to_plane(LineString(plan["shore"]))
    rivers = shapely.union_all(
        [to_plane(LineString(body["line"])) for body in plan["water"] if body["class"] == "river"]
    )
    sites: list[Drawing] = []
    shelters: list[Drawing] = []
    for quarter in plan["quarters"]:
        middle = to_plane(Point(quarter["lon"], quarter["lat"]))
        for number, kind in enumerate(plan["site"]):
            # On a ring around the middle; the high ones on its inland side.
            angle = 120.0 + 20.0 * number if kind["high"] else 30.0 + 60.0 * number
            position = rotate(translate(middle, xoff=190.0), angle, origin=middle)
            common = {
                "name": f"{plan['label']}{quarter['name']}{kind['name']}",
                "address": f"{load_town().name_ja}{quarter['name']}（{plan['label']}）",
            }
            number_text = f"DEMO{len(sites) + 1:03}"
            site = {
                "site_id": number_text,
                **common,
                **_hazard_flags(position, kind, quarter, shore, rivers),
                "same_as_shelter": kind["is_shelter"],
                "elevation_m": kind["elevation_m"],
                "capacity": kind["capacity"],
            }
            sites.append(Drawing(position, site))
            if kind["is_shelter"]:
                shelter = {"shelter_id": number_text, **common, "same_as_site": True, "capacity": kind["capacity"] // 2}
                shelters.append(Drawing(position, shelter))
    return {"evacuation_site": sites, "shelter": shelters}


def _hazard_flags(
    position: BaseGeometry, kind: dict[str, Any], quarter: dict[str, Any], shore: BaseGeometry, rivers: BaseGeometry
) -> dict[str, bool]:
    is_high = kind["high"] or quarter["hill"]
    return {
        "flood": is_high or position.distance(rivers) > _FLOOD_REACH_M,
        "landslide": not quarter["hill"],
        "storm_surge": is_high or position.distance(shore) > _SURGE_REACH_M,
        "earthquake": True,
        "tsunami": is_high or position.distance(shore) > _TSUNAMI_REACH_M,
        "large_fire": kind["capacity"] >= _OPEN_SPACE_CAPACITY,
        "inland_flood": is_high,
        "volcano": False,
    }


def _water_body(body: dict[str, Any]) -> BaseGeometry:
    return shapely.buffer(to_plane(LineString(body["line"])), body["width_m"] / 2, quad_segs=3)


def _place(geometry: BaseGeometry, quarter: dict[str, Any]) -> BaseGeometry:
    """Move a drawing from its own metres (origin in a corner) to the quarter, turned a little differently in each."""
    middle = to_plane(Point(quarter["lon"], quarter["lat"]))
    half_m = quarter["blocks"] * _BLOCK_M / 2
    moved = translate(geometry, xoff=middle.x - half_m, yoff=middle.y - half_m)
    return rotate(moved, quarter["blocks"] * 5 - 25, origin=middle)
