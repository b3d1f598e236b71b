"""Pipes and manholes of the demonstration sewers as the sewer ledger describes them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from shapely import LineString, MultiLineString, Point

from layers.demonstration.drawing import Drawing
from layers.demonstration.sewer_graph import Place
from layers.demonstration.sewer_runs import Node, Reach

_YEARS_OF_WORKS = 20
_JACKING_COVER_M = 5.0
_CONCRETE_UNTIL = 1996
_DROP_PIPE_FROM_M = 0.6
_SUMP_M = 1.0
_LARGE_DEPTH_M, _LARGE_DIAMETER_MM = 5.0, 500
_HEAD_DEPTH_M = 2.0
_MANHOLE_SIZES_MM = {"small": 300, "1": 900, "2": 1200}


@dataclass(frozen=True)
class Ledger:
    """What all features of one sub-area share.

    Attributes
    ----------
    prefix : of the numbers of its pipes and manholes. quarter : which it lies in, with its part if there are several.
    first_year : when works began at the lowest place.
    reach_m : the longest way of water in it. flow : code of sewer_flow.
    """

    prefix: str
    treatment_area: str
    sub_area: str
    quarter: str
    first_year: int
    reach_m: float
    flow: str

    def year(self, node: Node) -> int:
        """Return the year in which the works reached a node."""
        return self.first_year + round(_YEARS_OF_WORKS * node.away_m / self.reach_m)

    def areas(self) -> dict[str, str]:
        """Return the attributes of works and area."""
        return {"project": "public", "treatment_area": self.treatment_area, "sub_area": self.sub_area}


def name_manholes(reaches: Iterable[Reach], prefix: str, names: dict[Place, str]) -> None:
    """Give a number to each node that has none yet, counted from the downstream end; adds to `names`."""
    nodes = {node.place: node for reach in reaches for node in (reach.upstream, reach.downstream)}
    fresh = [node for place, node in nodes.items() if place not in names]
    for number, node in enumerate(sorted(fresh, key=lambda node: (node.away_m, node.place)), 1):
        names[node.place] = f"{prefix}-{number:04}"


def describe_pipes(reaches: Iterable[Reach], ledger: Ledger, names: dict[Place, str]) -> list[Drawing]:
    """Return the features of `sewer_pipe`, numbered as their upstream manholes."""
    reaches = list(reaches)
    leaving_m = {reach.upstream.place: reach.level.upstream_invert_m for reach in reaches}
    return [_pipe(reach, ledger, names, leaving_m.get(reach.downstream.place)) for reach in reaches]


def describe_manholes(reaches: Iterable[Reach], ledger: Ledger, names: dict[Place, str]) -> list[Drawing]:
    """Return the features of `sewer_manhole`: one at each end of a pipe."""
    inverts: dict[Place, list[tuple[float, int]]] = {}
    nodes: dict[Place, Node] = {}
    heads = {reach.upstream.place for reach in reaches} - {reach.downstream.place for reach in reaches}
    ends = {reach.downstream.place for reach in reaches} - {reach.upstream.place for reach in reaches}
    for reach in reaches:
        for node, invert_m in (
            (reach.upstream, reach.level.upstream_invert_m),
            (reach.downstream, reach.level.downstream_invert_m),
        ):
            nodes[node.place] = node
            inverts.setdefault(node.place, []).append((invert_m, reach.level.diameter_mm))
    made = []
    for place, node in nodes.items():
        bottom_m = min(invert_m for invert_m, _ in inverts[place]) - (_SUMP_M if place in ends else 0)
        facts = {
            "manhole_id": names[place],
            "depth_m": round(node.ground_m - bottom_m, 2),
            "has_drop_pipe": max(invert_m for invert_m, _ in inverts[place]) - bottom_m >= _DROP_PIPE_FROM_M
            and place not in ends,
            "is_pumping": place in ends and ledger.flow == "gravity",
        }
        made.append(_manhole(node, ledger, facts, max(size for _, size in inverts[place]), place in heads))
    return made


def _pipe(reach: Reach, ledger: Ledger, names: dict[Place, str], leaving_m: float | None) -> Drawing:
    level, length_m = reach.level, reach.length_m
    diameter_m = level.diameter_mm / 1000
    upstream_cover_m = round(reach.upstream.ground_m - level.upstream_invert_m - diameter_m, 2)
    downstream_cover_m = round(reach.downstream.ground_m - level.downstream_invert_m - diameter_m, 2)
    drop_m = 0.0 if leaving_m is None else round(level.downstream_invert_m - leaving_m, 2)
    has_drop_pipe = ledger.flow == "gravity" and drop_m >= _DROP_PIPE_FROM_M
    year = ledger.year(reach.upstream)
    number = names[reach.upstream.place]
    attributes: dict[str, Any] = {
        "pipe_id": f"P{number}",
        **ledger.areas(),
        "route_number": ledger.prefix,
        "drainage": "sanitary",
        "upstream_manhole": number,
        "downstream_manhole": names[reach.downstream.place],
        "upstream_invert_m": level.upstream_invert_m,
        "downstream_invert_m": level.downstream_invert_m,
        "upstream_cover_m": upstream_cover_m,
        "downstream_cover_m": downstream_cover_m,
        "material": _material(level.diameter_mm, year, ledger.flow),
        "shape": "circular",
        "diameter_mm": level.diameter_mm,
        "section_length_m": round(length_m, 2),
        "pipe_length_m": round(length_m - 0.9, 2),
        "slope_permille": round(1000 * (level.upstream_invert_m - level.downstream_invert_m) / length_m, 2),
        "flow": ledger.flow,
        "drop_pipe_diameter_mm": 150 if has_drop_pipe else None,
        "drop_m": drop_m if has_drop_pipe else None,
        "drop_pipe_material": "pvc" if has_drop_pipe else None,
        "method": "jacking" if max(upstream_cover_m, downstream_cover_m) > _JACKING_COVER_M else "open_cut",
        "construction_year": year,
    }
    return Drawing(MultiLineString([LineString([reach.upstream.place, reach.downstream.place])]), attributes)


def _manhole(node: Node, ledger: Ledger, facts: dict[str, Any], diameter_mm: int, is_head: bool) -> Drawing:
    if is_head and facts["depth_m"] < _HEAD_DEPTH_M:
        size = "small"
    else:
        is_large = facts["depth_m"] > _LARGE_DEPTH_M or diameter_mm > _LARGE_DIAMETER_MM
        size = "2" if is_large else "1"
    attributes = {
        **facts,
        **ledger.areas(),
        "drainage": "sanitary",
        "class": size,
        "diameter_mm": _MANHOLE_SIZES_MM[size],
        "load_class": "T-14" if size == "small" else "T-25",
        "ground_m": round(node.ground_m, 3),
        "construction_year": ledger.year(node),
    }
    return Drawing(Point(node.place), attributes)


def _material(diameter_mm: int, year: int, flow: str) -> str:
    if flow == "pressure":
        return "ductile_iron" if diameter_mm > 150 else "polyethylene"
    return "concrete" if diameter_mm > 200 and year < _CONCRETE_UNTIL else "pvc"


def longest_way_m(reaches: Iterable[Reach]) -> float:
    """Return how far the water of the farthest node has to go, metres; never 0."""
    return max((reach.upstream.away_m for reach in reaches), default=math.nan) or 1.0
