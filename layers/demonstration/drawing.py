"""What the drawings of the demonstration town share: a drawn feature, and the way between degrees and the plane.

Drawing happens in the town's plane zone in metres (x east, y north); what is stored is in degrees (lon, lat).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import shapely
from pyproj import Transformer
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from gis.town import load_town

_JGD2011 = 6668


@dataclass(frozen=True)
class Drawing:
    """One drawn feature: its geometry and its attributes by name."""

    geometry: BaseGeometry
    attributes: dict[str, Any]


def to_plane(geometry: BaseGeometry) -> BaseGeometry:
    """Carry a geometry from degrees (lon, lat) to the town's plane zone, metres."""
    return shapely.transform(geometry, _transformer(True).transform, interleaved=False)


def all_to_plane(features: Iterable[Drawing]) -> list[Drawing]:
    """Carry many features at once from degrees to the plane, much faster than one by one."""
    return _carry(list(features), True)


def all_to_degrees(features: Iterable[Drawing]) -> list[Drawing]:
    """Carry many features at once from the plane to degrees, much faster than one by one."""
    return _carry(list(features), False)


def multi(geometry: BaseGeometry) -> MultiPolygon:
    """Return a polygon, or whatever polygons an overlay left among lines and points, as one multipolygon."""
    return MultiPolygon([part for part in shapely.get_parts(geometry) if isinstance(part, Polygon)])


def _carry(features: list[Drawing], is_to_plane: bool) -> list[Drawing]:
    geometries = shapely.transform(
        [feature.geometry for feature in features], _transformer(is_to_plane).transform, interleaved=False
    )
    return [Drawing(carried, feature.attributes) for carried, feature in zip(geometries, features, strict=True)]


@cache
def _transformer(is_to_plane: bool) -> Transformer:
    ends = (_JGD2011, load_town().plane_epsg)
    return Transformer.from_crs(*(ends if is_to_plane else ends[::-1]), always_xy=True)
