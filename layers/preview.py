"""Vector tiles with any attributes: what a style would look like before it is saved."""

from __future__ import annotations

from collections.abc import Collection

from psycopg import sql
from sqlalchemy import Connection

from layers.definition import Definition
from layers.refusals import refusals
from layers.tiles import draw, standing


def render_preview_tile(
    connection: Connection, definition: Definition, z: int, x: int, y: int, names: Collection[str]
) -> bytes:
    """Return one tile of a layer, at any zoom, with the attributes `names`; personal ones are left out.

    Raises
    ------
    NotAllowedError : the role may not read the layer.
    """
    shown = [attribute.name for attribute in definition.table_attributes if attribute.name in names]
    with refusals(definition):
        return draw(connection, definition, standing(sql.Identifier("layers", definition.name)), shown, z, x, y)
