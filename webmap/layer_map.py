"""A map of one layer: the base map, the layer's vector tiles, a switch, nothing else."""

from __future__ import annotations

from folium import LayerControl

from gis.town import Town
from layers.definition import Definition
from webmap import town_map
from webmap.layer_tiles import layer_tiles

SCRIPTS = town_map.SCRIPTS
STYLES = town_map.STYLES


def layer_map_script(town: Town, definition: Definition, url: str, language: str) -> str:
    """Return the script of a layer's map; its tiles are `vector_grid_protobuf_layer`."""
    layer_map = town_map.base_map(town, town_map.load_base_layers(), language)
    town_map.named(layer_tiles(definition, url, language, is_clickable=True), "layer").add_to(layer_map)
    town_map.named(LayerControl(collapsed=True), "layers").add_to(layer_map)
    return town_map.script_of(layer_map)
