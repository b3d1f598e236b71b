"""The area of a message over the town's outline, as a vector drawing for paper."""

from __future__ import annotations

from collections.abc import Iterator
from math import floor, log10

import shapely
from reportlab.graphics.shapes import Drawing, Line, Path, String
from reportlab.lib import colors
from shapely.geometry.base import BaseGeometry

from webmap.paper import INK, QUIET, WARNING
from webmap.paper_font import face

_MARGIN = 14.0
_TOWN_FILL, _AREA_FILL = colors.HexColor("#f1f1ec"), colors.Color(0.66, 0.03, 0.1, alpha=0.22)


def draw_area(area: BaseGeometry, town: BaseGeometry, width: float, height: float) -> Drawing:
    """Return the drawing, north up, with a scale bar.

    Parameters
    ----------
    area, town : in the same plane, metres, east and north; the view holds both. Either may be empty, not both.
    width, height : of the drawing in points.
    """
    west, south, east, north = shapely.union_all([shapely.envelope(area), shapely.envelope(town)]).bounds
    # What has no extent cannot be divided by.
    scale = min((width - 2 * _MARGIN) / max(east - west, 1), (height - 2 * _MARGIN) / max(north - south, 1))
    left, bottom = (width - scale * (east - west)) / 2, (height - scale * (north - south)) / 2
    drawing = Drawing(width, height)
    for shape, fill, stroke, thickness in ((town, _TOWN_FILL, QUIET, 0.6), (area, _AREA_FILL, WARNING, 1.4)):
        # Even-odd, so that holes stay open.
        path = Path(fillColor=fill, strokeColor=stroke, strokeWidth=thickness, fillMode=0)
        # No finer than a quarter of a point: nobody sees it, and a coast has very many corners.
        for ring in _rings(shapely.simplify(shape, 0.25 / scale)):
            for number, (x, y) in enumerate(ring):
                draw = path.lineTo if number else path.moveTo
                draw(left + scale * (x - west), bottom + scale * (y - south))
            path.closePath()
        if path.points:
            drawing.add(path)
    _add_scale(drawing, scale, width)
    return drawing


def _rings(shape: BaseGeometry) -> Iterator[list[tuple[float, float]]]:
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            for ring in (part.exterior, *part.interiors):
                yield [(x, y) for x, y, *_ in ring.coords]


def _add_scale(drawing: Drawing, scale: float, width: float) -> None:
    """Add a bar of 1, 2 or 5 times a power of ten metres, at most a quarter of the width."""
    most_m = width / 4 / scale
    power = 10.0 ** floor(log10(most_m))
    length_m = next(step * power for step in (5, 2, 1) if step * power <= most_m)
    drawing.add(Line(2, 4, 2 + scale * length_m, 4, strokeColor=INK, strokeWidth=1.2))
    words = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
    drawing.add(String(2, 8, words, fontName=face().regular, fontSize=7, fillColor=INK))
