"""The demonstration sewers are one consistent network: what flows in at any manhole arrives at the plant."""

from __future__ import annotations

import math
from typing import Any

import pytest

from layers.demonstration.drawing import Drawing, all_to_plane
from layers.demonstration.sewer_levels import MIN_COVER_M
from layers.demonstration.sewers import draw_sewers
from layers.demonstration.town import draw_town


@pytest.fixture(scope="module")
def sewers() -> dict[str, list[Drawing]]:
    return draw_sewers(draw_town())


@pytest.fixture(scope="module")
def pipes(sewers: dict[str, list[Drawing]]) -> list[dict[str, Any]]:
    return [pipe.attributes for pipe in sewers["sewer_pipe"]]


@pytest.fixture(scope="module")
def manholes(sewers: dict[str, list[Drawing]]) -> dict[str, dict[str, Any]]:
    return {manhole.attributes["manhole_id"]: manhole.attributes for manhole in sewers["sewer_manhole"]}


def test_the_network_has_several_thousand_pipes_with_numbers_of_their_own(pipes: list[dict[str, Any]]) -> None:
    assert len(pipes) > 3000
    assert len({pipe["pipe_id"] for pipe in pipes}) == len(pipes)


def test_every_pipe_has_its_two_manholes_and_every_manhole_its_number(
    sewers: dict[str, list[Drawing]], pipes: list[dict[str, Any]], manholes: dict[str, dict[str, Any]]
) -> None:
    assert len(manholes) == len(sewers["sewer_manhole"])
    ends = {pipe[end] for pipe in pipes for end in ("upstream_manhole", "downstream_manhole")}
    assert ends == manholes.keys()


def test_a_pipe_is_drawn_from_its_upstream_to_its_downstream_manhole(sewers: dict[str, list[Drawing]]) -> None:
    places = {m.attributes["manhole_id"]: m.geometry for m in all_to_plane(sewers["sewer_manhole"])}
    for pipe in all_to_plane(sewers["sewer_pipe"]):
        (line,) = pipe.geometry.geoms
        ends = (pipe.attributes["upstream_manhole"], pipe.attributes["downstream_manhole"])
        for corner, name in zip((line.coords[0], line.coords[-1]), ends, strict=True):
            assert math.dist(corner, places[name].coords[0]) < 0.001, pipe.attributes["pipe_id"]
        assert line.length == pytest.approx(pipe.attributes["section_length_m"], abs=0.01)


def test_all_water_arrives_at_the_plant_and_none_flows_in_a_circle(pipes: list[dict[str, Any]]) -> None:
    onward = {pipe["upstream_manhole"]: pipe["downstream_manhole"] for pipe in pipes}
    assert len(onward) == len(pipes), "a manhole has two pipes out of it"
    (plant,) = {pipe["downstream_manhole"] for pipe in pipes} - onward.keys()
    arrives = {plant}
    for start in onward:
        way = []
        while start not in arrives:
            assert start not in way, "a circle"
            way.append(start)
            start = onward[start]
        arrives.update(way)


def test_gravity_pipes_fall_at_believable_slopes_under_enough_cover(
    pipes: list[dict[str, Any]], manholes: dict[str, dict[str, Any]]
) -> None:
    for pipe in pipes:
        if pipe["flow"] != "gravity":
            continue
        fall_m = pipe["upstream_invert_m"] - pipe["downstream_invert_m"]
        assert 0.9 <= 1000 * fall_m / pipe["section_length_m"] <= 30.5, pipe
        for end in ("upstream", "downstream"):
            ground_m = manholes[pipe[f"{end}_manhole"]]["ground_m"]
            cover_m = ground_m - pipe[f"{end}_invert_m"] - pipe["diameter_mm"] / 1000
            assert cover_m == pytest.approx(pipe[f"{end}_cover_m"], abs=0.01)
            assert MIN_COVER_M - 0.001 <= cover_m < 10, pipe


def test_pipes_never_get_smaller_or_higher_downstream(pipes: list[dict[str, Any]]) -> None:
    by_start = {pipe["upstream_manhole"]: pipe for pipe in pipes}
    for pipe in pipes:
        onward = by_start.get(pipe["downstream_manhole"])
        if pipe["flow"] == "gravity" and onward and onward["flow"] == "gravity":
            assert onward["diameter_mm"] >= pipe["diameter_mm"]
            assert onward["upstream_invert_m"] < pipe["downstream_invert_m"]


def test_manholes_reach_below_their_deepest_pipe(
    pipes: list[dict[str, Any]], manholes: dict[str, dict[str, Any]]
) -> None:
    for pipe in pipes:
        for end in ("upstream", "downstream"):
            manhole = manholes[pipe[f"{end}_manhole"]]
            assert manhole["ground_m"] - manhole["depth_m"] <= pipe[f"{end}_invert_m"] + 0.01


def test_each_lateral_joins_an_inlet_to_a_gravity_pipe(
    sewers: dict[str, list[Drawing]], pipes: list[dict[str, Any]]
) -> None:
    gravity = {pipe["pipe_id"] for pipe in pipes if pipe["flow"] == "gravity"}
    inlets = {inlet.attributes["inlet_id"]: inlet for inlet in sewers["sewer_inlet"]}
    assert len(inlets) == len(sewers["sewer_lateral"]) > 2000
    for lateral in sewers["sewer_lateral"]:
        inlet = inlets[lateral.attributes["inlet_id"]]
        assert lateral.attributes["pipe_id"] == inlet.attributes["pipe_id"]
        assert lateral.attributes["pipe_id"] in gravity
        assert lateral.geometry.geoms[0].coords[0] == pytest.approx(inlet.geometry.coords[0], abs=1e-9)
        assert lateral.attributes["slope_permille"] >= 10


def test_a_basin_holds_every_gravity_pipe_of_its_own(sewers: dict[str, list[Drawing]]) -> None:
    basins = {basin.attributes["name"]: basin.geometry for basin in sewers["sewer_basin"]}
    for pipe in sewers["sewer_pipe"]:
        if pipe.attributes["flow"] == "gravity":
            assert basins[pipe.attributes["sub_area"]].covers(pipe.geometry)


def test_every_facility_has_a_name_of_its_own(sewers: dict[str, list[Drawing]]) -> None:
    names = [facility.attributes["name"] for facility in sewers["sewer_facility"]]
    assert len(names) == len(set(names))
    assert all("デモ" in name for name in names)


def test_the_drawing_is_the_same_each_time(sewers: dict[str, list[Drawing]]) -> None:
    again = draw_sewers(draw_town())
    for layer, features in sewers.items():
        assert [f.attributes for f in features] == [f.attributes for f in again[layer]]
        assert all(f.geometry.equals_exact(g.geometry, 0) for f, g in zip(features, again[layer], strict=True))
