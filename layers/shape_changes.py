"""How far a geometry moved and what it gained, without asking the database."""

from __future__ import annotations

from typing import Any

import shapely
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

from layers.changes import Values
from layers.differences import ShapeChange

# The ellipsoid of JGD2011.
_ELLIPSOID = Geod(ellps="GRS80")


def read_geometry(values: Values | None) -> BaseGeometry | None:
    """Return the geometry of a version (lon, lat in degrees, EPSG:6668), None where it has no position."""
    written: Any = (values or {}).get("geom")
    return None if written is None else shapely.from_wkb(written)


def measure_change(old: BaseGeometry | None, new: BaseGeometry | None) -> ShapeChange | None:
    """Return how a geometry changed, on the ellipsoid; None when one of the two has no position.

    Examples
    --------
    >>> measure_change(shapely.Point(141.2, 38.4), None) is None
    True
    """
    if old is None or new is None:
        return None
    ends = [point for geometry in (old, new) for point in shapely.centroid(geometry).coords]
    (_, _, moved_m) = _ELLIPSOID.inv(*ends[0], *ends[1])
    length_m, area_m2 = (_length_m(new) - _length_m(old), _area_m2(new) - _area_m2(old))
    return ShapeChange(float(moved_m), length_m, area_m2)


def _length_m(geometry: BaseGeometry) -> float:
    # As ST_Length: the rim of an area is no length.
    return 0.0 if "Polygon" in geometry.geom_type else float(_ELLIPSOID.geometry_length(geometry))


def _area_m2(geometry: BaseGeometry) -> float:
    # Rings go either way round in stored data; the sign only says which.
    return abs(float(_ELLIPSOID.geometry_area_perimeter(shapely.normalize(geometry))[0]))
