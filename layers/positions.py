"""Finds positions that cannot be right, and the mistake that probably made them."""

from __future__ import annotations

import math

import shapely
from pyproj import CRS
from shapely import MultiLineString, MultiPoint, MultiPolygon
from shapely.geometry.base import BaseGeometry

from gis.errors import Title
from gis.languages import LANGUAGES
from gis.town import Town
from layers.definition import Definition
from layers.unfit import UnfitError

FAR_AWAY = "%(place)s is far from %(town)s (lon %(west)s-%(east)s, lat %(south)s-%(north)s)"

_JAPAN_LON = (122.0, 154.0)
_JAPAN_LAT = (20.0, 46.0)
_MULTI = {"Point": MultiPoint, "LineString": MultiLineString, "Polygon": MultiPolygon}


def promote(geometry: BaseGeometry, wanted: str) -> BaseGeometry:
    """Return the geometry as the layer stores it: lines and polygons as Multi…, a MultiPoint of one as Point.

    Raises
    ------
    UnfitError : the layer holds another type of geometry; the text says which.
    """
    found = geometry.geom_type
    if found == wanted or (wanted == "Geometry" and found != "GeometryCollection"):
        return geometry
    if wanted == f"Multi{found}":
        return _MULTI[found]([geometry])
    if wanted == "Point" and found == "MultiPoint" and len(geometry.geoms) == 1:
        return geometry.geoms[0]
    raise UnfitError("is a %(found)s, but the layer holds %(wanted)s", found=found, wanted=wanted)


def require_plausible_numbers(geometry: BaseGeometry, crs: CRS, town: Town) -> None:
    """Refuse coordinates that do not fit their reference system, before anything is transformed.

    Raises
    ------
    UnfitError : metres read as degrees, degrees read as metres, or latitude before longitude; the text says so.
    """
    min_x, min_y, max_x, max_y = shapely.bounds(geometry)
    if not math.isfinite(min_x + min_y + max_x + max_y):
        raise UnfitError("has no finite coordinates")
    first = f"({min_x:.6g}, {min_y:.6g})"
    in_degrees = min_x >= -180 and max_x <= 180 and min_y >= -90 and max_y <= 90
    if not crs.is_geographic:
        if in_degrees:
            raise UnfitError(
                "%(place)s looks like degrees, but is read as metres of %(crs)s: the reference system is wrong",
                place=first,
                crs=crs.name,
            )
        return
    if _within(min_x, max_x, _JAPAN_LAT) and _within(min_y, max_y, _JAPAN_LON):
        raise UnfitError("%(place)s has latitude before longitude: lon and lat are swapped", place=first)
    if not in_degrees:
        raise UnfitError(
            "%(place)s is outside of longitude and latitude: metres read as degrees?"
            " If they are metres of the plane zone, say --crs EPSG:%(epsg)s",
            place=first,
            epsg=town.plane_epsg,
        )


def require_sound_shape(geometry: BaseGeometry) -> None:
    """Refuse geometries that no calculation can use (OGC Simple Features validity).

    Raises
    ------
    UnfitError : empty, not finite, or e.g. a polygon that crosses itself, with the place in degrees.
    """
    if geometry.is_empty:
        raise UnfitError("is empty")
    if not shapely.is_valid(geometry):
        raise UnfitError("is not valid: %(why)s", why=shapely.is_valid_reason(geometry))


def require_in_town(geometry: BaseGeometry, definition: Definition, town: Town) -> None:
    """Refuse positions outside the surroundings of the town, unless the layer's extent is `anywhere`.

    Raises
    ------
    UnfitError : naming the position and the town's surroundings in degrees.
    """
    if definition.extent == "anywhere":
        return
    min_x, min_y, max_x, max_y = shapely.bounds(geometry)
    west, south, east, north = town.bbox
    if min_x < west or min_y < south or max_x > east or max_y > north:
        raise UnfitError(
            FAR_AWAY,
            place=f"({min_x:.5f}, {min_y:.5f})",
            town=Title({language: town.name(language) for language in LANGUAGES}),
            west=west,
            east=east,
            south=south,
            north=north,
        )


def _within(low: float, high: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= low and high <= limits[1]
