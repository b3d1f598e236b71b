"""Facilities and hazards of the demonstration town stand where such things stand."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import pytest
import shapely

from layers.definition import load_definitions
from layers.demonstration.districts import draw_districts
from layers.demonstration.drawing import Drawing, all_to_plane
from layers.demonstration.facilities import draw_facilities
from layers.demonstration.hazards import draw_hazards
from layers.demonstration.sewers import draw_sewers
from layers.demonstration.town import draw_town

Town = Mapping[str, list[Drawing]]


@pytest.fixture(scope="module")
def town() -> Town:
    return draw_town()


@pytest.fixture(scope="module")
def facilities(town: Town) -> Town:
    return draw_facilities(town)


@pytest.fixture(scope="module")
def hazards(town: Town) -> Town:
    return draw_hazards(town)


def test_every_quarter_has_a_school_a_care_home_and_a_district(town: Town, facilities: Town) -> None:
    drawn = draw_districts(town, facilities["town_block"])
    quarters = {block.attributes["name"] for block in facilities["town_block"]}
    for kind in ("school", "care_home"):
        found = [one for one in drawn["public_facility"] if one.attributes["kind"] == kind]
        assert {one.attributes["address"] for one in found} == quarters
    assert len(drawn["school_district"]) == len(quarters) > len(drawn["evacuation_zone"]) > 0
    definitions = load_definitions()
    for layer, features in drawn.items():
        known = {attribute.name for attribute in definitions[layer].attributes}
        assert all(set(feature.attributes) <= known for feature in features)


def test_every_drawn_feature_has_only_attributes_and_codes_of_its_layer(facilities: Town, hazards: Town) -> None:
    definitions = load_definitions()
    for layer, features in {**facilities, **hazards}.items():
        for feature in features:
            for name, value in feature.attributes.items():
                codes = definitions[layer].attribute(name).codes
                assert codes is None or value in codes.values, (layer, name, value)
            assert feature.attributes.keys() == features[0].attributes.keys()


def test_numbers_and_names_of_facilities_are_their_own(facilities: Town) -> None:
    definitions = load_definitions()
    for layer, features in facilities.items():
        for name in filter(None, (definitions[layer].key, "name")):
            values = [feature.attributes[name] for feature in features if name in feature.attributes]
            assert len(values) == len(set(values)), (layer, name)


@pytest.mark.parametrize(
    ("layer", "least"),
    [("tsunami_evacuation_building", 15), ("fire_water", 250), ("aed", 60), ("broadcast_speaker", 50), ("store", 80)],
)
def test_there_are_enough_of_each(facilities: Town, layer: str, least: int) -> None:
    assert len(facilities[layer]) >= least


def test_quarters_fill_the_town_and_do_not_overlap(town: Town, facilities: Town) -> None:
    blocks = [block.geometry for block in all_to_plane(facilities["town_block"])]
    (outline,) = all_to_plane(town["city_area"])
    assert sum(block.area for block in blocks) == pytest.approx(outline.geometry.area, rel=1e-6)
    assert all(one.intersection(other).area < 1 for one, other in combinations(blocks, 2))


def test_hazard_zones_are_sound_and_lie_in_the_town(town: Town, hazards: Town) -> None:
    (outline,) = town["city_area"]
    for layer, zones in hazards.items():
        for zone in zones:
            assert zone.geometry.is_valid and not zone.geometry.is_empty, layer
            assert outline.geometry.buffer(1e-6).covers(zone.geometry), layer


def test_a_place_has_one_depth_of_tsunami_and_the_deepest_is_at_the_shore(hazards: Town) -> None:
    zones = all_to_plane(hazards["hazard_tsunami"])
    assert [zone.attributes["depth_rank"] for zone in zones] == ["5", "4", "3", "2", "1"]
    assert all(one.geometry.intersection(other.geometry).area < 1 for one, other in combinations(zones, 2))


def test_a_special_landslide_zone_lies_inside_its_warning_zone(hazards: Town) -> None:
    zones = {(z.attributes["zone_number"], z.attributes["zone"]): z.geometry for z in hazards["hazard_landslide"]}
    special = [number for number, zone in zones if zone == "2"]
    assert special
    for number in special:
        assert zones[number, "1"].buffer(1e-7).covers(zones[number, "2"])


def test_evacuation_buildings_stand_in_the_tsunami_zone_where_nobody_can_run_uphill(
    hazards: Town, facilities: Town
) -> None:
    flooded = shapely.union_all([zone.geometry for zone in hazards["hazard_tsunami"]])
    assert all(flooded.covers(building.geometry) for building in facilities["tsunami_evacuation_building"])


def test_drawn_sewers_have_only_attributes_and_codes_of_their_layers(town: Town) -> None:
    definitions = load_definitions()
    for layer, features in draw_sewers(town).items():
        for feature in features:
            for name, value in feature.attributes.items():
                codes = definitions[layer].attribute(name).codes
                assert codes is None or value is None or value in codes.values, (layer, name, value)
