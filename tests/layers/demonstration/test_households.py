"""Households of the demonstration town are where its houses are, and enough for the coarsest rule of privacy."""

from __future__ import annotations

from collections import Counter

import pytest
import shapely

from layers.definition import load_definitions
from layers.demonstration.drawing import Drawing
from layers.demonstration.facilities import draw_facilities
from layers.demonstration.households import draw_households
from layers.demonstration.town import draw_town


@pytest.fixture(scope="module")
def addresses() -> list[Drawing]:
    town = draw_town()
    return draw_households(town, draw_facilities(town)["town_block"])


def test_addresses_have_only_attributes_of_their_layer_and_are_told_apart(addresses: list[Drawing]) -> None:
    names = {attribute.name for attribute in load_definitions()["address"].attributes}
    assert all(address.attributes.keys() <= names for address in addresses)
    keys = [(address.attributes["town"], address.attributes["number"]) for address in addresses]
    assert len(keys) == len(set(keys))


def test_most_houses_hold_one_household_some_more_and_a_few_nobody(addresses: list[Drawing]) -> None:
    counts = Counter(address.attributes["households"] for address in addresses)
    assert counts[1] > len(addresses) / 2
    assert counts[0] and counts[2]
    assert 4 <= max(counts) <= 10
    assert 2_000 < sum(count * houses for count, houses in counts.items()) < 6_000


def test_each_home_stands_in_a_building_and_each_quarter_has_eight_households(addresses: list[Drawing]) -> None:
    town = draw_town()
    tree = shapely.STRtree([building.geometry for building in town["base_building"]])
    assert all(tree.query(address.geometry, predicate="within").size for address in addresses)
    homes: Counter[str] = Counter()
    for address in addresses:
        homes[address.attributes["town"]] += address.attributes["households"]
    assert homes.keys() == {block.attributes["name"] for block in draw_facilities(town)["town_block"]}
    assert min(homes.values()) >= 8


def test_they_are_the_same_each_time(addresses: list[Drawing]) -> None:
    town = draw_town()
    again = draw_households(town, draw_facilities(town)["town_block"])
    assert [(a.geometry.wkt, a.attributes) for a in again] == [(a.geometry.wkt, a.attributes) for a in addresses]
