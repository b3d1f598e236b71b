"""The town's map: folium writes the Leaflet script, our page keeps head, policy and data.

Only `root.script` of what folium renders is used; its own head brings links to other hosts and a
viewport that forbids zooming (WCAG 2.2, 1.4.4). The elements get fixed ids, so `map.js` finds them
and the script is the same for every reader of a language.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar, cast

import folium
import orjson
from branca.element import Element, Figure
from sqlalchemy import text

from gis.town import Town
from layers.definition import Definition, parse_definition
from webmap import layer_tiles
from webmap.languages import gettext, mark
from webmap.layer_tiles import DEEPEST_ZOOM, WIDEST_ZOOM
from webmap.security import BACKGROUND_TILES_ORIGIN
from webmap.services import citizen_connection

_Element = TypeVar("_Element", bound=Element)
_VENDOR = "/static/vendor"
# https://maps.gsi.go.jp/development/ichiran.html : terms ask for the words 地理院タイル with this link.
_GSI_ATTRIBUTION = '<a href="https://maps.gsi.go.jp/development/ichiran.html">地理院タイル（国土地理院）</a>'


class _Map(folium.Map):
    default_js = [("leaflet", f"{_VENDOR}/leaflet/leaflet.js")]  # noqa: RUF012 (folium declares it so)
    default_css = [("leaflet", f"{_VENDOR}/leaflet/leaflet.css")]  # noqa: RUF012 (folium declares it so)


SCRIPTS = [*(url for _, url in _Map.default_js), *layer_tiles.SCRIPTS]
STYLES = [url for _, url in _Map.default_css]

# Our own base map, from below: layer → how much its areas hide of what lies beneath; 0 is an outline.
# How it looks is its definition's style, as of any other layer.
_BASE_LAYERS = {"base_water": 0.9, "base_building": 0.9, "base_road": 1.0, "city_area": 0.0}
# What map.js fills from the feeds.
_DATA_LAYERS = {
    "areas": mark("Areas of warnings"),
    "sites": mark("Evacuation sites"),
    "shelters": mark("Shelters"),
    "incidents": mark("Incidents"),
}


def load_base_layers() -> list[Definition]:
    """Return the definitions of the base map, from below, as the catalogue has them now."""
    query = text("SELECT name, definition FROM gis.layer WHERE name = ANY(:names)")
    with citizen_connection() as connection:
        rows = connection.execute(query, {"names": list(_BASE_LAYERS)}).all()
    stored = {row.name: row.definition for row in rows}
    return [parse_definition(stored[name], f"the catalogue's {name}") for name in _BASE_LAYERS if name in stored]


def map_script(town: Town, base: Sequence[Definition], language: str) -> str:
    """Return the script that builds the map in the element `map_town`.

    `language` must be the request's: names of layers and of everything else are to agree.
    """
    return _script(town, _key(base), language, tuple(_DATA_LAYERS))


def small_map_script(town: Town, language: str) -> str:
    """Return the script of the map on an alert's or incident's page: base map and one area, no switches."""
    return _script(town, _key(load_base_layers()), language, ("areas",))


@lru_cache(maxsize=16)
def _script(town: Town, base: bytes, language: str, groups: tuple[str, ...]) -> str:
    # Folium takes a tenth of a second: too long for every reader of the first page, and nothing changes but styles.
    definitions = [parse_definition(values, "the base map") for values in orjson.loads(base)]
    town_map = base_map(town, definitions, language)
    for name in groups:
        named(folium.FeatureGroup(name=gettext(_DATA_LAYERS[name])), name).add_to(town_map)
    if len(groups) > 1:
        named(folium.LayerControl(collapsed=True), "layers").add_to(town_map)
    return script_of(town_map)


def _key(base: Sequence[Definition]) -> bytes:
    """Return the definitions as something that a cache can compare."""
    return orjson.dumps([definition.to_json() for definition in base])


def base_map(town: Town, base: Sequence[Definition], language: str) -> folium.Map:
    """Return the town's map with background and base layers, to which a page adds its own."""
    lon, lat = town.center
    town_map = named(
        _Map(
            location=(lat, lon),
            zoom_start=12,
            min_zoom=WIDEST_ZOOM,
            max_zoom=DEEPEST_ZOOM,
            tiles=None,
        ),
        "town",
    )
    background = folium.TileLayer(
        f"{BACKGROUND_TILES_ORIGIN}/xyz/pale/{{z}}/{{x}}/{{y}}.png",
        attr=_GSI_ATTRIBUTION,
        name=gettext("Background (GSI)"),
        min_zoom=WIDEST_ZOOM,
        max_zoom=DEEPEST_ZOOM,
        overlay=True,
    )
    named(background, "background").add_to(town_map)
    for definition in base:
        url = f"/tiles/{definition.name}/{{z}}/{{x}}/{{y}}.mvt"
        tiles = layer_tiles.layer_tiles(definition, url, language, _BASE_LAYERS[definition.name])
        named(tiles, definition.name).add_to(town_map)
    return town_map


def named(element: _Element, name: str) -> _Element:
    """Fix the name by which scripts find an element, e.g. `feature_group_<name>`."""
    element._id = name
    return element


def script_of(town_map: folium.Map) -> str:
    """Return the script that builds the map; it goes into the page under the nonce."""
    root = cast(Figure, town_map.get_root())
    root.render()
    return str(root.script.render())
