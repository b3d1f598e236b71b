"""A layer on a map as its style says, drawn from vector tiles in the browser.

`static/js/layer_style.js` draws by what `style_spec` says; the legend shows the same entries.
"""

from __future__ import annotations

from typing import Any

from folium.plugins import VectorGridProtobuf
from jinja2.utils import htmlsafe_json_dumps

from layers.definition import Definition
from layers.legend import LegendEntry, legend
from layers.style import StyleClass

WIDEST_ZOOM, DEEPEST_ZOOM = 5, 18
# In the order in which the page loads them, before the map's own script, which calls both.
SCRIPTS = [
    "/static/vendor/leaflet.vectorgrid/Leaflet.VectorGrid.bundled.min.js",
    "/static/js/layer_style.js",
]
# How much an area hides of what lies beneath: a hazard zone must let the streets through.
_AREA_OPACITY = 0.45


class VectorTiles(VectorGridProtobuf):
    """Vector tiles, drawn by the library of our own host."""

    default_js = [("vectorgrid", SCRIPTS[0])]  # noqa: RUF012 (folium declares it so)


def style_spec(definition: Definition, language: str, area_opacity: float = _AREA_OPACITY) -> dict[str, Any]:
    """Return a layer's style as the browser applies it: rules in their order, then `rest`.

    Codes of the label attribute come with their names in `language`. An `area_opacity` of 0 leaves a broken outline.
    """
    style = definition.style
    label = definition.attribute(style.label) if style.label else None
    names = {code.value: code.name(language) for code in label.codes.codes} if label and label.codes else {}
    entries = legend(definition, language)
    shape = entries[0].shape
    rest = LegendEntry("", shape, style.color, style.fill or style.color, style.width, style.symbol)
    return {
        "shape": shape if definition.geometry != "Geometry" else "any",
        "opacity": area_opacity,
        "by": style.by,
        "rules": [_rule(entry.style_class) | _look(entry) for entry in entries if entry.style_class],
        "rest": _look(rest),
        "label": style.label,
        "names": names,
    }


def layer_tiles(
    definition: Definition, url: str, language: str, area_opacity: float = _AREA_OPACITY, *, is_clickable: bool = False
) -> VectorTiles:
    """Return the map element that draws a layer from `url`, a template with {z}, {x} and {y}.

    A click on a feature of a clickable layer fires `click` with its number as the property `fid`.
    """
    spec, name = (
        htmlsafe_json_dumps(part) for part in (style_spec(definition, language, area_opacity), definition.name)
    )
    widest = max(definition.style.min_zoom, WIDEST_ZOOM)
    deepest = min(definition.style.max_zoom, DEEPEST_ZOOM)
    click = "getFeatureId: machimoriFeatureId, interactive: true, " if is_clickable else ""
    options = (
        f"{{vectorTileLayerStyles: {{{name}: machimoriStyle({spec})}}, rendererFactory: machimoriTile, {click}"
        f"minZoom: {widest}, maxZoom: {deepest}, maxNativeZoom: 16}}"
    )
    return VectorTiles(url, name=definition.name_in(language), options=options)


def _rule(style_class: StyleClass) -> dict[str, Any]:
    return {"value": style_class.value, "min": style_class.min, "max": style_class.max}


def _look(entry: LegendEntry) -> dict[str, Any]:
    return {"color": entry.color, "fill": entry.fill, "width": entry.width, "symbol": entry.symbol}
