"""Draws the disaster facilities and stores of the demonstration town, the same on every machine."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import shapely
from shapely import LineString, Point
from shapely.geometry.base import BaseGeometry

from gis.settings import DATA_DIR
from gis.town import load_town
from layers.codes import load_code_list
from layers.demonstration.drawing import Drawing, all_to_degrees, all_to_plane, multi, to_plane
from layers.demonstration.sewer_graph import street_graph
from layers.demonstration.town import town_plan

_KERB_M = 4.0
_STOREY_M = 3.5
_SPEAKER_RING_M = 260.0


@cache
def facility_plan() -> dict[str, Any]:
    """Read `data/demo/facilities.toml`."""
    return tomllib.loads((DATA_DIR / "demo" / "facilities.toml").read_text(encoding="utf-8"))


def draw_facilities(town: Mapping[str, Sequence[Drawing]]) -> dict[str, list[Drawing]]:
    """Return the features of the facility layers and of `town_block` by layer name, in degrees.

    Parameters
    ----------
    town : what `draw_town` drew; buildings and crossings of its streets are chosen from.
    """
    buildings = all_to_plane(town["base_building"])
    roads = all_to_plane(town["base_road"])
    (outline,) = all_to_plane(town["city_area"])
    drawn = {
        "tsunami_evacuation_building": _evacuation_buildings(buildings),
        "fire_water": _fire_water(roads),
        "aed": _aeds(buildings),
        "broadcast_speaker": _speakers(),
        "store": _stores(buildings),
        "town_block": _blocks(outline.geometry),
    }
    return {layer: all_to_degrees(features) for layer, features in drawn.items()}


def _evacuation_buildings(buildings: Sequence[Drawing]) -> list[Drawing]:
    plan = facility_plan()["tsunami_evacuation_building"]
    shore = to_plane(LineString(town_plan()["shore"]))
    large = [b.geometry for b in buildings if b.attributes["class"] != "house"]
    hills = {quarter["name"] for quarter in town_plan()["quarters"] if quarter["hill"]}
    low = [b for b in large if b.distance(shore) < plan["reach_m"] and _quarter(b) not in hills]
    made = []
    for number, building in enumerate(_spread(low, plan["count"]), 1):
        floors = plan["floors"][number % len(plan["floors"])]
        attributes = {
            "building_id": f"T{number:03}",
            **_name(plan["name"], building, number),
            "address": _address(building),
            "ownership": plan["ownership"][number % len(plan["ownership"])],
            "floors": floors,
            "refuge_floor": plan["refuge_floor"].format(floor=floors - 1),
            "refuge_height_m": _STOREY_M * (floors - 2),
            "capacity": 20 * round(building.area / 15),
            "access_hours": plan["access_hours"],
        }
        made.append(Drawing(building.centroid, attributes))
    return made


def _fire_water(roads: Sequence[Drawing]) -> list[Drawing]:
    plan = facility_plan()["fire_water"]
    crossings = sorted(street_graph(road.geometry for road in roads if not road.attributes["name"]))
    made = []
    for number, (x, y) in enumerate(crossings[:: plan["every"]], 1):
        is_cistern = number % plan["cistern_every"] == 0
        place = Point(x + _KERB_M, y + _KERB_M)
        sizes = plan["cistern_volumes_m3" if is_cistern else "hydrant_diameters_mm"]
        size = sizes[number % len(sizes)]
        attributes = {
            "water_id": f"W{number:04}",
            "kind": "cistern" if is_cistern else "hydrant",
            "address": _address(place),
            "diameter_mm": None if is_cistern else size,
            "capacity_m3": size if is_cistern else None,
        }
        made.append(Drawing(place, attributes))
    return made


def _aeds(buildings: Sequence[Drawing]) -> list[Drawing]:
    plan = facility_plan()["aed"]
    public = [b.geometry for b in buildings if b.attributes["class"] in ("public", "commercial")]
    return [
        Drawing(
            building.centroid,
            {
                "aed_id": f"A{number:03}",
                **_name(plan["name"], building, number),
                "address": _address(building),
                "location": plan["locations"][number % len(plan["locations"])],
                **{key: plan[key] for key in ("days", "opens_at", "closes_at")},
                "has_child_mode": number % 4 != 0,
                "is_for_members_only": False,
            },
        )
        for number, building in enumerate(_spread(public, plan["count"]), 1)
    ]


def _speakers() -> list[Drawing]:
    plan = facility_plan()["broadcast_speaker"]
    made: list[Drawing] = []
    for quarter, middle in _middles().items():
        for number in range(1, plan["per_quarter"] + 1):
            angle = 2 * math.pi * number / plan["per_quarter"]
            # The first stands in the middle, the others around it.
            away_m = 0.0 if number == 1 else _SPEAKER_RING_M
            place = Point(middle.x + away_m * math.cos(angle), middle.y + away_m * math.sin(angle))
            words = {"label": town_plan()["label"], "quarter": quarter, "number": number}
            attributes = {
                "speaker_id": f"B{len(made) + 1:03}",
                "name": plan["name"].format(**words),
                "address": _address(place),
                "speakers": 2 + number % 3,
                "has_answerback": number == 1,
                "has_battery": True,
            }
            made.append(Drawing(place, attributes))
    return made


def _stores(buildings: Sequence[Drawing]) -> list[Drawing]:
    plan = facility_plan()["store"]
    names = {code.value: code.name("ja") for code in load_code_list("store_kind").codes}
    commercial = [b.geometry for b in buildings if b.attributes["class"] == "commercial"]
    made = []
    for number, building in enumerate(_spread(commercial, plan["count"]), 1):
        turn = number % len(plan["kinds"])
        kind = plan["kinds"][turn]
        attributes = {
            "store_id": f"S{number:03}",
            **_name(plan["name"], building, number, kind=names[kind]),
            "kind": kind,
            "address": _address(building),
            "hours": plan["hours"][turn],
            "has_agreement": number % 3 == 0,
            "has_emergency_power": number % 5 == 0,
        }
        made.append(Drawing(building.centroid, attributes))
    return made


def _blocks(outline: BaseGeometry) -> list[Drawing]:
    """Each quarter gets the land that is nearer to its middle than to any other."""
    plan, code = town_plan(), load_town().code
    words = {quarter["name"]: quarter for quarter in plan["quarters"]}
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.MultiPoint(list(_middles().values())), extend_to=outline)
    )
    made = []
    for number, (quarter, middle) in enumerate(_middles().items(), 1):
        cell = next(cell for cell in cells if cell.contains(middle))
        attributes = {
            "municipality_code": code,
            "block_id": f"DEMO{number:03}",
            "name": f"{plan['label']}{quarter}",
            "name_kana": f"{plan['label']}{words[quarter]['kana']}",
            "name_en": f"{plan['label_en']} {words[quarter]['en']}",
            # What the police and the fire service say is placed in the demonstration, too.
            "other_names": quarter,
        }
        made.append(Drawing(multi(shapely.intersection(cell, outline)), attributes))
    return made


def _spread(items: Sequence[BaseGeometry], count: int) -> list[BaseGeometry]:
    """Choose `count` of the items, evenly over their order (which goes quarter by quarter)."""
    return [items[position * len(items) // count] for position in range(min(count, len(items)))]


def _name(pattern: str, place: BaseGeometry, number: int, **more: str) -> dict[str, str]:
    words = {"label": town_plan()["label"], "quarter": _quarter(place), "number": number, **more}
    return {"name": pattern.format(**words)}


def _address(place: BaseGeometry) -> str:
    pattern: str = facility_plan()["address"]
    return pattern.format(town=load_town().name_ja, quarter=_quarter(place), label=town_plan()["label"])


def _quarter(place: BaseGeometry) -> str:
    middles = _middles()
    return min(middles, key=lambda name: float(middles[name].distance(place)))


@cache
def _middles() -> dict[str, Point]:
    return {quarter["name"]: to_plane(Point(quarter["lon"], quarter["lat"])) for quarter in town_plan()["quarters"]}
