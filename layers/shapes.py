"""Splits and merges geometries as a draughtsman does: a pipe in two at a line, two parcels into one."""

from __future__ import annotations

from collections.abc import Sequence

import shapely
import shapely.ops
from shapely.geometry.base import BaseGeometry

from gis.errors import UsageError

# Degrees; about a tenth of a millimetre. A blade that only touches leaves slivers below this.
_SLIVER_DEG = 1e-9
_LINES = ("LineString", "MultiLineString")
_AREAS = ("Polygon", "MultiPolygon")


def split_geometry(geometry: BaseGeometry, blade: BaseGeometry) -> list[BaseGeometry]:
    """Cut a line or an area along a line; return the pieces, those of a line in its direction.

    Parts of a multipart geometry that the blade misses stay with the first piece. Coordinates are degrees; the cut is
    made in the plane of longitude and latitude, which over a town differs from the ellipsoid by less than a millimetre.

    Raises
    ------
    UsageError : the blade is no line, does not cut through, or the geometry is a point.
    """
    if geometry.geom_type not in (*_LINES, *_AREAS) or blade.geom_type not in _LINES:
        raise UsageError("Only lines and areas can be split, and only along a line.", "Draw a line across it.")
    pieces: list[BaseGeometry] = []
    whole: list[BaseGeometry] = []
    for part in shapely.get_parts(geometry):
        try:
            found = [piece for piece in shapely.ops.split(part, blade).geoms if piece.length > _SLIVER_DEG]
        except ValueError as error:  # a blade that runs along a line
            raise UsageError("The line runs along what it should cut.", "Draw it across the shape.") from error
        if len(found) > 1:
            pieces += found
        else:
            whole.append(part)
    if not pieces:
        raise UsageError("The line does not cut through it.", "Begin and end the line outside the shape.")
    if whole:
        pieces[0] = _collect([pieces[0], *whole])
    return pieces


def merge_geometries(geometries: Sequence[BaseGeometry]) -> BaseGeometry:
    """Make one geometry of several of a kind: areas lose the border between them, lines that meet become one.

    Lines keep the direction of the first where they meet end to end; those that do not meet stay parts of one
    multipart geometry.

    Raises
    ------
    UsageError : fewer than two, points, or lines and areas mixed.
    """
    if len(geometries) >= 2 and all(geometry.geom_type in _AREAS for geometry in geometries):
        return shapely.union_all(list(geometries))
    if len(geometries) >= 2 and all(geometry.geom_type in _LINES for geometry in geometries):
        return _join_lines([part for geometry in geometries for part in shapely.get_parts(geometry)])
    raise UsageError("Only lines with lines and areas with areas can be merged.", "Select two or more of one kind.")


def _join_lines(lines: Sequence[BaseGeometry]) -> BaseGeometry:
    """Join what meets end to end; the flow of a pipe is its direction, so it is kept where the lines agree in it."""
    collection = shapely.MultiLineString(list(lines))
    directed = shapely.line_merge(collection, directed=True)
    if directed.geom_type == "LineString":
        return directed
    joined = shapely.line_merge(collection)
    if joined.geom_type != "LineString":
        return joined
    # They meet, but not all in one direction: the first line's direction counts.
    first = shapely.get_point(lines[0], 0), shapely.get_point(lines[0], -1)
    start, end = (shapely.line_locate_point(joined, point) for point in first)
    return joined if start <= end else shapely.reverse(joined)


def _collect(parts: Sequence[BaseGeometry]) -> BaseGeometry:
    if parts[0].geom_type in _LINES:
        return shapely.MultiLineString(list(parts))
    return shapely.MultiPolygon(list(parts))
