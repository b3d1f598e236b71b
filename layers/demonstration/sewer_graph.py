"""Streets as a graph, and the trees by which sewers drain them.

A place is (x, y) in the town's plane zone, metres; a graph is place → neighbour → length of the street between.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable

import shapely
from shapely import LineString
from shapely.geometry.base import BaseGeometry

Place = tuple[float, float]
Graph = dict[Place, dict[Place, float]]

_SAME_PLACE_M = 6.0
_OVERHANG_M = 1.0


def street_graph(streets: Iterable[BaseGeometry]) -> Graph:
    """Make a graph of street lines: they meet where they cross, and crossings nearer than 6 m are one place."""
    noded = shapely.node(shapely.multilinestrings(_lines(streets)))
    segments = [
        (start, end)
        for line in shapely.get_parts(noded)
        for start, end in zip(_corners(line), _corners(line)[1:], strict=False)
    ]
    same = _merge_near({place for segment in segments for place in segment})
    graph: Graph = defaultdict(dict)
    for start, end in ((same[start], same[end]) for start, end in segments):
        if start != end:
            graph[start][end] = graph[end][start] = math.dist(start, end)
    return dict(graph)


def components(graph: Graph) -> list[Graph]:
    """Return the connected parts of a graph, the one with most places first."""
    left, parts = set(graph), []
    while left:
        found = {min(left)}
        front = list(found)
        while front:
            fresh = graph[front.pop()].keys() - found
            found |= fresh
            front += fresh
        left -= found
        parts.append({place: graph[place] for place in sorted(found)})
    return sorted(parts, key=lambda part: (-len(part), min(part)))


def shortest_tree(graph: Graph, root: Place) -> tuple[dict[Place, Place], dict[Place, float]]:
    """Return the next place on the shortest way to the root, and the way's length in metres, for each place."""
    onward: dict[Place, Place] = {}
    away_m = {root: 0.0}
    front = [(0.0, root)]
    done: set[Place] = set()
    while front:
        _, place = heapq.heappop(front)
        if place in done:
            continue
        done.add(place)
        for neighbour, length_m in graph[place].items():
            way_m = away_m[place] + length_m
            if way_m < away_m.get(neighbour, math.inf):
                away_m[neighbour], onward[neighbour] = way_m, place
                heapq.heappush(front, (way_m, neighbour))
    return onward, away_m


def nearest_place(graph: Graph, to: Place) -> Place:
    """Return the graph's place that is nearest to a position."""
    return min(graph, key=lambda place: (math.dist(place, to), place))


def cut(start: Place, end: Place, longest_m: float) -> list[Place]:
    """Return the places, both ends included, that divide a straight way into equal pieces no longer than asked."""
    count = max(1, math.ceil(math.dist(start, end) / longest_m))
    inner = [
        (
            round(start[0] + (end[0] - start[0]) * step / count, 3),
            round(start[1] + (end[1] - start[1]) * step / count, 3),
        )
        for step in range(1, count)
    ]
    return [start, *inner, end]


def _lines(streets: Iterable[BaseGeometry]) -> list[LineString]:
    """Single lines, each a little longer at both ends: what ends upon another line surely crosses it."""
    return [_lengthen(line) for street in streets for line in shapely.get_parts(street)]


def _lengthen(line: LineString) -> LineString:
    corners = list(line.coords)
    return LineString([_beyond(corners[1], corners[0]), *corners[1:-1], _beyond(corners[-2], corners[-1])])


def _beyond(before: Place, end: Place) -> Place:
    share = 1 + _OVERHANG_M / math.dist(before, end)
    return before[0] + (end[0] - before[0]) * share, before[1] + (end[1] - before[1]) * share


def _corners(line: LineString) -> list[Place]:
    return [(round(x, 3), round(y, 3)) for x, y in line.coords]


def _merge_near(places: set[Place]) -> dict[Place, Place]:
    """Each place → the one that stands for it and its near neighbours."""
    ordered = sorted(places)
    points = shapely.points(ordered)
    stands_for = list(range(len(ordered)))
    for one, other in sorted(map(tuple, shapely.STRtree(points).query(points, "dwithin", _SAME_PLACE_M).T.tolist())):
        if one < other:
            stands_for[other] = min(stands_for[other], stands_for[one])
    return {place: ordered[stands_for[number]] for number, place in enumerate(ordered)}
