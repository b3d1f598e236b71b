"""Vector tiles (Mapbox Vector Tile 2.1) from the drawing twins."""

from __future__ import annotations

from psycopg import sql
from sqlalchemy import Connection

from gis.queries import load_queries
from layers.catalogue import UnknownLayerError, find_layer, may_read
from layers.copying import driver
from layers.definition import Definition

_QUERIES = load_queries(__file__)
# Half the edge of the square world of EPSG:3857, metres.
_HALF_WORLD_M = 20037508.342789244
_EXTENT = 4096
_BUFFER = 64  # in tile units: lines and symbols at an edge are drawn by both neighbours
# A quarter of a pixel on a 256 pixel tile: what simplification may move.
_STEPS_PER_TILE = 1024
_FULL_DETAIL_ZOOM = 15


def tile_bounds(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    """Return (min x, min y, max x, max y) of a tile in EPSG:3857, metres.

    Examples
    --------
    >>> tile_bounds(0, 0, 0)
    (-20037508.342789244, -20037508.342789244, 20037508.342789244, 20037508.342789244)
    """
    size_m = 2 * _HALF_WORLD_M / 2**z
    left, top = -_HALF_WORLD_M + x * size_m, _HALF_WORLD_M - y * size_m
    return left, top - size_m, left + size_m, top


def render_tile(connection: Connection, layer: str, z: int, x: int, y: int) -> bytes:
    """Return one tile of a layer; b"" where nothing is drawn.

    A public layer is drawn from `open.<layer>_tile` whoever asks; an internal one from its twin, for roles that may
    read it. Feature ids are the fids; properties are the drawn attributes.

    Raises
    ------
    UnknownLayerError : there is no such layer, or the role may not see it.
    """
    definition = find_layer(connection, layer)
    if not may_read(connection, definition):
        raise UnknownLayerError(f"There is no layer {layer!r}.")
    if z < definition.style.min_zoom:
        return b""
    left, bottom, right, top = tile_bounds(z, x, y)
    margin_m = (right - left) * _BUFFER / _EXTENT
    values = {
        "layer": layer,
        "left": left,
        "bottom": bottom,
        "right": right,
        "top": top,
        "margin_m": margin_m,
        "tolerance_m": (right - left) / _STEPS_PER_TILE,
    }
    cursor = driver(connection).execute(_tile_query(definition, z), values)
    ((tile,),) = cursor.fetchall()
    return bytes(tile)


def _tile_query(definition: Definition, z: int) -> sql.Composed:
    drawn = [a.name for a in definition.drawn_attributes if a.public or not definition.is_public]
    table = (
        sql.Identifier("open", f"{definition.name}_tile")
        if definition.is_public
        else sql.Identifier("tiles", definition.name)
    )
    is_simplified = z < _FULL_DETAIL_ZOOM and definition.geometry not in ("Point", "MultiPoint")
    return sql.SQL(_QUERIES.sql("render_tile")).format(
        table=table,
        columns=sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(name)) for name in drawn),
        geom=sql.SQL("ST_Simplify(geom, %(tolerance_m)s, true)" if is_simplified else "geom"),
    )
