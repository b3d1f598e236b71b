"""The town's map: folium writes the Leaflet script, our page keeps head, policy and data.

Only `root.script` of what folium renders is used; its own head brings links to other hosts and a
viewport that forbids zooming (WCAG 2.2, 1.4.4). The elements get fixed ids, so `map.js` finds them
and the script is the same for every reader of a language.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TypeVar, cast

import folium
from branca.element import Element, Figure
from folium.plugins import VectorGridProtobuf

from gis.town import Town
from webmap.languages import gettext, mark
from webmap.security import BACKGROUND_TILES_ORIGIN

_Element = TypeVar("_Element", bound=Element)
_VENDOR = "/static/vendor"
# https://maps.gsi.go.jp/development/ichiran.html : terms ask for the words 地理院タイル with this link.
_GSI_ATTRIBUTION = '<a href="https://maps.gsi.go.jp/development/ichiran.html">地理院タイル（国土地理院）</a>'
WIDEST_ZOOM, DEEPEST_ZOOM = 5, 18


class _Map(folium.Map):
    default_js = [("leaflet", f"{_VENDOR}/leaflet/leaflet.js")]  # noqa: RUF012 (folium declares it so)
    default_css = [("leaflet", f"{_VENDOR}/leaflet/leaflet.css")]  # noqa: RUF012 (folium declares it so)


class VectorTiles(VectorGridProtobuf):
    """Vector tiles, drawn by the library of our own host."""

    default_js = [("vectorgrid", f"{_VENDOR}/leaflet.vectorgrid/Leaflet.VectorGrid.bundled.min.js")]  # noqa: RUF012 (folium declares it so)


SCRIPTS = [url for element in (_Map, VectorTiles) for _, url in element.default_js]
STYLES = [url for _, url in _Map.default_css]

# Our own base map, from below: layer → name and style (an object, or a function of attributes and zoom).
# Classes of road: data/codes/road_class.toml.
_BASE_LAYERS = {
    "base_water": (
        mark("Water"),
        """{fill: true, fillColor: "#a9d2ea", fillOpacity: 0.9, color: "#6ba3c4", weight: 0.6}""",
    ),
    "base_building": (
        mark("Buildings"),
        """function (p, zoom) {
            if (zoom < 13) { return []; }
            var colors = {public: "#b9a3c9", commercial: "#d9b48f", industrial: "#b5b9bd"};
            return {fill: true, fillColor: colors[p.class] || "#d3cabb", fillOpacity: 0.9, color: "#8f8678", weight: 0.5
            };
        }""",
    ),
    "base_road": (
        mark("Roads"),
        """function (p, zoom) {
            var weights = {expressway: 5, national: 4, prefectural: 3, municipal: 1.8, lane: 1};
            var colors = {expressway: "#5a8f5a", national: "#c47a3a", prefectural: "#c9a13b"};
            if (zoom < 12 && !colors[p.class]) { return []; }
            return {color: colors[p.class] || "#a59f94", weight: (weights[p.class] || 1) * (zoom < 13 ? 0.6 : 1)};
        }""",
    ),
    "city_area": (
        mark("City outline"),
        """{fill: false, color: "#5f3a91", weight: 2, opacity: 0.8, dashArray: "10 5"}""",
    ),
}
# What map.js fills from the feeds.
_DATA_LAYERS = {
    "areas": mark("Areas of warnings"),
    "sites": mark("Evacuation sites"),
    "shelters": mark("Shelters"),
    "incidents": mark("Incidents"),
}


@cache
def map_script(town: Town, language: str) -> str:
    """Return the script that builds the map in the element `map_town`; names in the request's language.

    `language` must be the request's language; it is the cache's key.
    """
    town_map = base_map(town)
    for name, title in _DATA_LAYERS.items():
        named(folium.FeatureGroup(name=gettext(title)), name).add_to(town_map)
    named(folium.LayerControl(collapsed=True), "layers").add_to(town_map)
    return script_of(town_map)


@cache
def small_map_script(town: Town, language: str) -> str:
    """Return the script of the map on an alert's or incident's page: base map and one area, no switches."""
    town_map = base_map(town)
    named(folium.FeatureGroup(), "areas").add_to(town_map)
    return script_of(town_map)


def base_map(town: Town) -> folium.Map:
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
    for layer, (title, style) in _BASE_LAYERS.items():
        options = (
            f"{{vectorTileLayerStyles: {{{json.dumps(layer)}: {style}}}, rendererFactory: L.canvas.tile, "
            f"minZoom: {WIDEST_ZOOM}, maxZoom: {DEEPEST_ZOOM}, maxNativeZoom: 16}}"
        )
        tiles = VectorTiles(f"/tiles/{layer}/{{z}}/{{x}}/{{y}}.mvt", name=gettext(title), options=options)
        named(tiles, layer).add_to(town_map)
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
