"""Draws the public facilities, school districts and evacuation zones of the demonstration town, from its quarters."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from shapely.geometry.base import BaseGeometry

from gis.settings import DATA_DIR
from layers.demonstration.drawing import Drawing
from layers.demonstration.town import town_plan


def draw_districts(town: Mapping[str, Sequence[Drawing]], blocks: Sequence[Drawing]) -> dict[str, list[Drawing]]:
    """Return the features by layer name, in degrees.

    Parameters
    ----------
    town : what `draw_town` drew. blocks : the quarters, as `draw_facilities` drew them (`town_block`), in degrees.
    """
    plan = tomllib.loads((DATA_DIR / "demo" / "districts.toml").read_text(encoding="utf-8"))
    hills = {f"{town_plan()['label']}{quarter['name']}" for quarter in town_plan()["quarters"] if quarter["hill"]}
    low = [block for block in blocks if block.attributes["name"] not in hills]
    return {
        "public_facility": _facilities(plan, town["base_building"], blocks),
        "school_district": [_area(block, plan["district"]) for block in blocks],
        "evacuation_zone": [_area(block, plan["zone"]) for block in low],
    }


def _facilities(plan: Mapping[str, Any], buildings: Sequence[Drawing], blocks: Sequence[Drawing]) -> list[Drawing]:
    public = [building for building in buildings if building.attributes["class"] == "public"]
    others = [building for building in buildings if building.attributes["class"] not in ("public", "house")]
    made: list[Drawing] = []
    for block in blocks:
        inside = _inside(public, block) + _inside(others, block)
        for facility, place in zip(plan["facility"], inside, strict=False):
            quarter = block.attributes["name"]
            attributes = {
                "facility_id": f"P{len(made) + 1:03}",
                "name": facility["name"].format(quarter=quarter),
                "kind": facility["kind"],
                "address": plan["address"].format(quarter=quarter),
                "capacity": facility["capacity"],
            }
            made.append(Drawing(place, attributes))
    return made


def _inside(buildings: Sequence[Drawing], block: Drawing) -> list[BaseGeometry]:
    return [building.geometry.centroid for building in buildings if block.geometry.contains(building.geometry.centroid)]


def _area(block: Drawing, plan: Mapping[str, str]) -> Drawing:
    quarter, kana, english = (block.attributes[name] for name in ("name", "name_kana", "name_en"))
    words = {name: pattern.format(quarter=quarter, kana=kana, en=english) for name, pattern in plan.items()}
    return Drawing(block.geometry, words)
