"""Pressure mains (圧送管) of the demonstration sewers: from each sub-area's pumps along the main roads to the plant."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import shapely
from shapely.geometry.base import BaseGeometry

from layers.demonstration.ground import ground_m
from layers.demonstration.sewer_graph import Place, cut, nearest_place, shortest_tree, street_graph
from layers.demonstration.sewer_levels import Level
from layers.demonstration.sewer_runs import Network, Node, Reach

_VALVE_SPACING_M = 100.0
_COVER_M = 1.2
# Mains lie beside the middle of the road, where the gravity sewers and their manholes are.
_BESIDE_M = (2.0, 1.0)
_VELOCITY_M_PER_S = 1.2
_LEAST_DISTANCE_M = 10.0
_PEAK_M3_PER_S_AND_PERSON = 0.6 / 86400
_DIAMETERS_MM = (75, 100, 150, 200, 250, 300, 350, 400, 450, 500, 600)


def lay_mains(networks: Sequence[Network], roads: Iterable[BaseGeometry], plant: Place) -> list[Reach]:
    """Return the pressure mains, from their ends to the plant; each node has one pipe out of it, the plant none.

    Parameters
    ----------
    roads : lines of the main roads in the plane zone. plant : where all water goes.
    """
    beside = shapely.transform(list(roads), lambda corners: corners + _BESIDE_M)
    graph = street_graph(shapely.segmentize(beside, _VALVE_SPACING_M))
    gate = nearest_place(graph, plant)
    onward, away_m = shortest_tree(graph, gate)
    near_m = math.dist(gate, plant)
    distances = {place: distance_m + near_m for place, distance_m in away_m.items()} | {plant: 0.0}
    _link(gate, plant, onward, distances)
    persons: dict[Place, int] = defaultdict(int)
    for network in networks:
        pumps = network.root.place
        reachable = {place: graph[place] for place in away_m if math.dist(place, pumps) > _LEAST_DISTANCE_M}
        _link(pumps, nearest_place(reachable, pumps), onward, distances)
        place = pumps
        while place != plant:
            persons[place] += network.persons
            place = onward[place]
    used = [*persons, plant]
    nodes = {place: Node(place, height, distances[place]) for place, height in zip(used, ground_m(used), strict=True)}
    reaches = [_main(nodes[place], nodes[onward[place]], count) for place, count in persons.items()]
    return sorted(reaches, key=lambda reach: (reach.upstream.away_m, reach.upstream.place))


def _link(start: Place, end: Place, onward: dict[Place, Place], distances: dict[Place, float]) -> None:
    """Lay a straight main beside the road graph, with a valve chamber every 100 m."""
    stops = cut(start, end, _VALVE_SPACING_M)
    for stop, following in itertools.pairwise(stops):
        onward[stop] = following
        distances[stop] = distances[end] + math.dist(stop, end)


def _main(upstream: Node, downstream: Node, persons: int) -> Reach:
    flow_m3_per_s = persons * _PEAK_M3_PER_S_AND_PERSON
    wanted_mm = 1000 * math.sqrt(4 * flow_m3_per_s / (math.pi * _VELOCITY_M_PER_S))
    diameter_mm = next((size for size in _DIAMETERS_MM if size >= wanted_mm), _DIAMETERS_MM[-1])
    beneath_m = _COVER_M + diameter_mm / 1000
    level = Level(diameter_mm, round(upstream.ground_m - beneath_m, 3), round(downstream.ground_m - beneath_m, 3))
    return Reach(upstream, downstream, level)
