"""Vector tiles with attributes that the drawing twin does not have: what a style would look like before it is saved."""

from __future__ import annotations

from collections.abc import Collection

from psycopg import sql
from sqlalchemy import Connection

from gis.queries import load_queries
from layers.copying import driver
from layers.definition import Definition
from layers.refusals import refusals
from layers.tiles import tile_bounds

_QUERIES = load_queries(__file__)
_EXTENT, _BUFFER, _STEPS_PER_TILE = 4096, 64, 1024  # as layers/tiles.py draws


def render_preview_tile(
    connection: Connection, definition: Definition, z: int, x: int, y: int, names: Collection[str]
) -> bytes:
    """Return one tile of a layer, drawn from its table, with the attributes `names`; personal ones are left out.

    Slower than `layers.tiles.render_tile`, which has its geometries ready: for somebody who tries a style.

    Raises
    ------
    NotAllowedError : the role may not read the layer.
    """
    left, bottom, right, top = tile_bounds(z, x, y)
    shown = [attribute.name for attribute in definition.table_attributes if attribute.name in names]
    query = sql.SQL(_QUERIES.sql("render_preview_tile")).format(
        table=sql.Identifier("layers", definition.name),
        columns=sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(name)) for name in shown),
    )
    values = {
        "layer": definition.name,
        **dict(zip(("left", "bottom", "right", "top"), (left, bottom, right, top), strict=True)),
        "margin_m": (right - left) * _BUFFER / _EXTENT,
        "tolerance_m": (right - left) / _STEPS_PER_TILE,
    }
    with refusals(definition):
        ((tile,),) = driver(connection).execute(query, values).fetchall()
    return bytes(tile)
