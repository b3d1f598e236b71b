"""A layer as it was at a time: features and vector tiles from the history.

What stands unchanged since then is read from the layer itself. What changed since is found through the layer's index
when it is in the box now, through the history's own when it has left it; of each the last version begun by then counts.
Runs as a role that may read the schema `history`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from psycopg import sql
from sqlalchemy import Connection

from gis.errors import UsageError
from gis.queries import load_queries
from layers.copying import driver
from layers.definition import Definition
from layers.drawn import drawn_condition
from layers.parts import Row, feature_part
from layers.refusals import refusals
from layers.tiles import box, draw, drawn_columns

_QUERIES = load_queries(__file__)


def features_at(
    connection: Connection,
    definition: Definition,
    at: datetime,
    bbox: tuple[float, float, float, float] | None = None,
) -> list[Row]:
    """Return the features as they were at `at`, by fid.

    Parameters
    ----------
    at : aware. bbox : (min lon, min lat, max lon, max lat) in degrees; None: everywhere, without a position, too.

    Raises
    ------
    UsageError : `at` has no time zone. NotAllowedError : the role may not read the history.
    """
    part = feature_part(definition)
    corners = dict(zip(("west", "south", "east", "north"), bbox or (None,) * 4, strict=True))
    stood = _stood(definition, part.columns, "in_box" if bbox else "everywhere")
    query = sql.SQL(_QUERIES.sql("features_at")).format(stood=stood)
    with refusals(definition):
        rows = driver(connection).execute(query, {"at": _aware(at), **corners}).fetchall()
    return [Row(fid, version, dict(zip(part.columns, values, strict=True))) for fid, version, *values in rows]


def render_tile_at(connection: Connection, definition: Definition, z: int, x: int, y: int, at: datetime) -> bytes:
    """Return one vector tile of a layer as it was at `at`; b"" where nothing was.

    It shows what `layers.tiles.render_tile` would have shown then: the drawn attributes, and of a public layer
    only what citizens could see, and may see still.

    Raises
    ------
    UsageError : `at` has no time zone. NotAllowedError : the role may not read the history.
    """
    if z < int(definition.style.min_zoom):
        return b""
    columns = drawn_columns(definition)
    shown = [
        # What was public then and is no longer (withdrawn, merged, kept long enough) is not public in the past either.
        sql.SQL(
            " AND v.{0} = {1} AND EXISTS (SELECT FROM {2} AS present WHERE present.fid = v.fid AND present.{0} = {1})"
        ).format(sql.Identifier(name), sql.Literal(value), sql.Identifier("layers", definition.name))
        for name, value in (definition.open_when if definition.is_public else {}).items()
    ]
    shown.append(drawn_condition(definition, "v"))
    stood = sql.SQL("({}) AS stood").format(_stood(definition, ["geom", *columns], "in_box", shown))
    with refusals(definition):
        return draw(connection, definition, stood, columns, z, x, y, at=_aware(at))


def _stood(
    definition: Definition, columns: Sequence[str], block: str, shown: Sequence[sql.Composed] = ()
) -> sql.Composed:
    """What stood at the time, with these columns; `shown` are conditions, each after an AND."""
    return sql.SQL(_QUERIES.sql(block)).format(
        table=sql.Identifier("layers", definition.name),
        history=sql.Identifier("history", definition.name),
        columns=sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier("v", name)) for name in columns),
        box=box(),
        shown=sql.SQL("").join(shown),
    )


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise UsageError(
            "The time %(time)s has no time zone.", "Write it as 2026-03-11T14:46:00+09:00.", time=at.isoformat()
        )
    return at
