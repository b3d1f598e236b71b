"""Which way the sewers of one sub-area (処理分区) run: every street gets a pipe, and all water reaches one place."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from layers.demonstration.ground import ground_m
from layers.demonstration.sewer_graph import Graph, Place, cut, shortest_tree
from layers.demonstration.sewer_levels import Level, Run, lay_pipes

_MANHOLE_SPACING_M = 32.0
_HEAD_GAP_M = 8.0  # a street that is no part of the tree begins with a manhole of its own, so far from the crossing


@dataclass(frozen=True)
class Node:
    """One manhole to be: where, how high the ground is, and how far the water has to go from it, metres."""

    place: Place
    ground_m: float
    away_m: float


@dataclass(frozen=True)
class Reach:
    """One pipe between two nodes, laid."""

    upstream: Node
    downstream: Node
    level: Level

    @property
    def length_m(self) -> float:
        """Distance between the manholes' centres."""
        return math.dist(self.upstream.place, self.downstream.place)


@dataclass(frozen=True)
class Network:
    """The pipes of one sub-area; `root` is the node where all water arrives, and `persons` whose it is."""

    root: Node
    reaches: tuple[Reach, ...]
    persons: int


def drain_streets(graph: Graph, persons_per_m: float) -> Network:
    """Lay sewers under all streets of a connected graph, towards its lowest place.

    Each node but the root has exactly one pipe out of it.
    """
    places = sorted(graph)
    heights = dict(zip(places, ground_m(places), strict=True))
    root = min(places, key=lambda place: (heights[place], place))
    onward, away_m = shortest_tree(graph, root)
    links: list[tuple[Place, Place]] = []
    distances = dict(away_m)
    for start, end in _ways(graph, onward, away_m):
        links += _split(start, end, distances)
    nodes = _nodes(distances)
    number_of = {start: number for number, (start, _) in enumerate(links)}
    runs = [
        Run(math.dist(start, end), nodes[start].ground_m, nodes[end].ground_m, number_of.get(end))
        for start, end in links
    ]
    levels = lay_pipes(runs, persons_per_m)
    reaches = [Reach(nodes[start], nodes[end], level) for (start, end), level in zip(links, levels, strict=True)]
    reaches.sort(key=lambda reach: (reach.upstream.away_m, reach.upstream.place))
    return Network(nodes[root], tuple(reaches), round(sum(run.length_m for run in runs) * persons_per_m))


def _ways(graph: Graph, onward: dict[Place, Place], away_m: dict[Place, float]) -> list[tuple[Place, Place]]:
    """Streets with their direction of flow; those beside the tree begin a little after their upper crossing."""
    ways = list(onward.items())
    for start, neighbours in graph.items():
        for end, length_m in neighbours.items():
            is_upper = (away_m[start], start) > (away_m[end], end)
            if is_upper and onward.get(start) != end and length_m > 3 * _HEAD_GAP_M:
                share = _HEAD_GAP_M / length_m
                head = (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)
                ways.append(((round(head[0], 3), round(head[1], 3)), end))
    return ways


def _split(start: Place, end: Place, distances: dict[Place, float]) -> list[tuple[Place, Place]]:
    """Cut a way at its manholes, and note for each how far its water has to go."""
    stops = cut(start, end, _MANHOLE_SPACING_M)
    for stop in stops[:-1]:
        distances[stop] = distances[end] + math.dist(stop, end)
    return list(itertools.pairwise(stops))


def _nodes(distances: dict[Place, float]) -> dict[Place, Node]:
    heights = ground_m(list(distances))
    return {
        place: Node(place, height, away_m) for (place, away_m), height in zip(distances.items(), heights, strict=True)
    }
