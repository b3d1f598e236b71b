"""Between which scales a layer shows in QGIS: the zooms of the web map as scale denominators."""

from __future__ import annotations

import math

from gis.town import Town
from layers.style import DEEPEST_ZOOM, Style

# Scale of the web map at zoom 0 on the equator: 256 pixels of 0.28 mm (OGC WMTS 1.0.0, annex E.4).
_SCALE_AT_ZOOM_0 = 559_082_264.03


def scale_attributes(style: Style, town: Town) -> dict[str, str]:
    """Return the attributes of a layer's element that limit its scales at the town's latitude."""
    if style.min_zoom == 0 and style.max_zoom == DEEPEST_ZOOM:
        return {"hasScaleBasedVisibilityFlag": "0"}
    here = _SCALE_AT_ZOOM_0 * math.cos(math.radians(town.center[1]))
    # Half a zoom wider on both sides: QGIS stops at any scale, the web map at whole zooms only.
    farthest, nearest = here / 2 ** (style.min_zoom - 0.5), here / 2 ** (style.max_zoom + 0.5)
    return {"hasScaleBasedVisibilityFlag": "1", "minScale": f"{farthest:.0f}", "maxScale": f"{nearest:.0f}"}
