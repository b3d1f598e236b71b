"""Draws the addresses of the demonstration town: who would live in its houses, the same on every machine."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import shapely
from shapely import Point
from shapely.geometry.base import BaseGeometry

from layers.demonstration.drawing import Drawing, all_to_degrees, all_to_plane
from layers.demonstration.facilities import facility_plan
from layers.demonstration.town import town_plan

_SEED = 42140
_HOUSES_IN_BLOCK = 12


def draw_households(town: Mapping[str, Sequence[Drawing]], blocks: Sequence[Drawing]) -> list[Drawing]:
    """Return one address for each building that somebody lives in, in degrees.

    Parameters
    ----------
    town : what `draw_town` drew. blocks : the quarters, as `draw_facilities` drew them (`town_block`).
    """
    generator = random.Random(_SEED)  # noqa: S311 (a drawing, not a secret)
    plan = facility_plan()["household"]
    houses = [
        (house.geometry, count)
        for house in all_to_plane(town["base_building"])
        if (count := _households(house, plan, generator)) is not None
    ]
    return all_to_degrees(_addresses(houses, all_to_plane(blocks), plan))


def _households(building: Drawing, plan: Mapping[str, Any], generator: random.Random) -> int | None:
    """Return how many households live there; None where there is no home."""
    kind = building.attributes["class"]
    if kind not in plan["lived_in"] or (kind == "commercial" and generator.random() > plan["shop_share"]):
        return None
    if kind == "house" and building.geometry.area > plan["largest_house_m2"]:
        return round(float(building.geometry.area) / float(plan["flats_m2"]))
    return int(generator.choices(range(len(plan["household_share"])), plan["household_share"])[0])


def _addresses(
    houses: Sequence[tuple[BaseGeometry, int]], blocks: Sequence[Drawing], plan: Mapping[str, Any]
) -> Iterator[Drawing]:
    """Number the houses of each quarter in the order in which they were drawn."""
    places: list[Point] = [house.centroid for house, _ in houses]
    tree = shapely.STRtree([block.geometry for block in blocks])
    nearest = tree.nearest(places)
    numbers: Counter[str] = Counter()
    for place, (_, count), block in zip(places, houses, nearest, strict=True):
        quarter = blocks[block].attributes["name"]
        block_number, house_number = divmod(numbers[quarter], _HOUSES_IN_BLOCK)
        numbers[quarter] += 1
        number = plan["number"].format(block=block_number + 1, house=house_number + 1)
        note = town_plan()["label"]
        yield Drawing(place, {"town": quarter, "number": number, "households": count, "note": note})
