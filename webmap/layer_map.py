"""A map of one layer as its style says: the base map, the layer's vector tiles, nothing else.

`static/js/layer_style.js` draws by what `style_spec` says; the legend shows the same entries.
"""

from __future__ import annotations

from typing import Any

from folium import LayerControl
from jinja2.utils import htmlsafe_json_dumps

from gis.town import Town
from layers.definition import Definition
from layers.legend import LegendEntry, legend
from layers.style import StyleClass
from webmap import town_map

# Beside what every map needs; before the map's own script, which calls it.
SCRIPTS = [*town_map.SCRIPTS, "/static/js/layer_style.js"]
STYLES = town_map.STYLES


def style_spec(definition: Definition, language: str) -> dict[str, Any]:
    """Return a layer's style as the browser applies it: rules in their order, then `rest`.

    Codes of the label attribute come with their names in `language`.
    """
    style = definition.style
    label = definition.attribute(style.label) if style.label else None
    names = {code.value: code.name(language) for code in label.codes.codes} if label and label.codes else {}
    entries = legend(definition, language)
    plain = LegendEntry(
        label="",
        shape=entries[0].shape,
        color=style.color,
        fill=style.fill or style.color,
        width=style.width,
        symbol=style.symbol,
    )
    return {
        "shape": plain.shape if definition.geometry != "Geometry" else "any",
        "by": style.by,
        "rules": [_rule(entry.style_class) | _look(entry) for entry in entries if entry.style_class],
        "rest": _look(plain),
        "label": style.label,
        "names": names,
    }


def layer_tiles(definition: Definition, url: str, language: str) -> town_map.VectorTiles:
    """Return the map element that draws a layer from `url`, a template with {z}, {x} and {y}."""
    spec = htmlsafe_json_dumps(style_spec(definition, language))
    name = htmlsafe_json_dumps(definition.name)
    style = definition.style
    options = (
        f"{{vectorTileLayerStyles: {{{name}: machimoriStyle({spec})}}, rendererFactory: machimoriTile, "
        f"getFeatureId: machimoriFeatureId, interactive: true, minZoom: {max(style.min_zoom, town_map.WIDEST_ZOOM)}, "
        f"maxZoom: {min(style.max_zoom, town_map.DEEPEST_ZOOM)}, maxNativeZoom: 16}}"
    )
    tiles = town_map.VectorTiles(url, name=definition.name_in(language), options=options)
    return town_map.named(tiles, "layer")


def layer_map_script(town: Town, definition: Definition, url: str, language: str) -> str:
    """Return the script of a layer's map; its tiles are `vector_grid_protobuf_layer`."""
    layer_map = town_map.base_map(town)
    layer_tiles(definition, url, language).add_to(layer_map)
    town_map.named(LayerControl(collapsed=True), "layers").add_to(layer_map)
    return town_map.script_of(layer_map)


def _rule(style_class: StyleClass) -> dict[str, Any]:
    return {"value": style_class.value, "min": style_class.min, "max": style_class.max}


def _look(entry: LegendEntry) -> dict[str, Any]:
    return {"color": entry.color, "fill": entry.fill, "width": entry.width, "symbol": entry.symbol}
