"""Inlets (公共ます) and laterals (取付管) of the demonstration sewers: each building to the pipe in its street."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import shapely
from shapely import LineString, MultiLineString, Point
from shapely.geometry.base import BaseGeometry

from layers.demonstration.drawing import Drawing

_FARTHEST_M = 35.0
_NEAREST_M = 2.5
_OFF_THE_WALL_M = 1.0
_INLET_DEPTH_M = 0.8
_USUAL_SLOPE_PERMILLE = 20.0


def draw_connections(
    buildings: Sequence[BaseGeometry], pipes: Sequence[Drawing]
) -> tuple[list[Drawing], list[Drawing]]:
    """Return inlets and laterals for the buildings that have a gravity pipe within 35 m; all in the plane zone.

    Parameters
    ----------
    pipes : features of `sewer_pipe`, each one line drawn from upstream to downstream.
    """
    lines = [shapely.get_geometry(pipe.geometry, 0) for pipe in pipes]
    near = shapely.STRtree(lines).query_nearest(buildings, max_distance=_FARTHEST_M, all_matches=False)
    inlets: list[Drawing] = []
    laterals: list[Drawing] = []
    for building_number, pipe_number in sorted(near.T.tolist()):
        for inlet, lateral in _connect(buildings[building_number], lines[pipe_number], pipes[pipe_number].attributes):
            number = len(inlets) + 1
            inlets.append(Drawing(inlet.geometry, {"inlet_id": f"C{number:05}", **inlet.attributes}))
            ids = {"lateral_id": f"L{number:05}", "inlet_id": f"C{number:05}"}
            laterals.append(Drawing(lateral.geometry, {**ids, **lateral.attributes}))
    return inlets, laterals


def _connect(building: BaseGeometry, line: LineString, pipe: dict[str, Any]) -> Iterator[tuple[Drawing, Drawing]]:
    along_m = float(line.project(building.centroid))
    tap = line.interpolate(along_m)
    wall = shapely.get_point(shapely.shortest_line(building, tap), 0)
    gap_m = float(wall.distance(tap))
    if gap_m < _NEAREST_M:
        return  # the building stands over the street
    share = _OFF_THE_WALL_M / gap_m
    inlet = Point(wall.x + (tap.x - wall.x) * share, wall.y + (tap.y - wall.y) * share)
    length_m = gap_m - _OFF_THE_WALL_M
    common = {"sub_area": pipe["sub_area"], "pipe_id": pipe["pipe_id"], "installed_year": pipe["construction_year"]}
    yield (
        Drawing(
            inlet,
            {
                **common,
                "kind": "sanitary",
                "shape": "circular",
                "diameter_mm": 200,
                "depth_m": _INLET_DEPTH_M,
                "connection_distance_m": round(along_m, 2),
            },
        ),
        Drawing(
            MultiLineString([LineString([inlet, tap])]),
            {
                **common,
                "project": pipe["project"],
                "treatment_area": pipe["treatment_area"],
                "drainage": "sanitary",
                "material": "pvc",
                "diameter_mm": 100,
                "length_m": round(length_m, 2),
                "slope_permille": _slope_permille(pipe, along_m / line.length, length_m),
                "is_abandoned": False,
            },
        ),
    )


def _slope_permille(pipe: dict[str, Any], share: float, length_m: float) -> float:
    """The usual slope, or what the way down to the pipe's crown allows."""
    cover_m = pipe["upstream_cover_m"] + (pipe["downstream_cover_m"] - pipe["upstream_cover_m"]) * share
    return float(round(min(_USUAL_SLOPE_PERMILLE, 1000 * (cover_m - _INLET_DEPTH_M) / length_m), 1))
