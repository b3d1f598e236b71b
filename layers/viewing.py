"""The features of a layer in a box, with the versions an edit has to name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import sql
from sqlalchemy import Connection, text

from gis.queries import load_queries
from layers.copying import driver
from layers.definition import Definition
from layers.parts import feature_part, personal_part
from layers.refusals import refusals

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class SeenFeature:
    """A feature as it is now.

    Attributes
    ----------
    version, personal_version : what an edit names as its base; None without personal attributes or the right to them.
    geometry : GeoJSON text, lon/lat in degrees of JGD2011, every digit; None without a position.
    values : attribute → value; the personal ones only for a role that may read them.
    """

    fid: int
    version: int
    personal_version: int | None
    geometry: str | None
    values: dict[str, Any]


@dataclass(frozen=True)
class View:
    """The features of a box. `is_complete` is False when there are more than were asked for."""

    features: tuple[SeenFeature, ...]
    is_complete: bool


def may_read_personal(connection: Connection, definition: Definition) -> bool:
    """Return whether the running role reads the layer's personal attributes; False when it has none."""
    part = personal_part(definition)
    if part is None:
        return False
    query = text("SELECT has_table_privilege(:table, 'SELECT')")
    return bool(connection.execute(query, {"table": f"layers.{part.name}"}).scalar_one())


def features_in_box(
    connection: Connection, definition: Definition, box: tuple[float, float, float, float], most: int
) -> View:
    """Return the features that touch a box, then those without a position, at most `most`.

    Parameters
    ----------
    box : (west, south, east, north) in degrees, JGD2011.

    Raises
    ------
    NotAllowedError : the role may not read the layer.
    """
    west, south, east, north = box
    values = {"west": west, "south": south, "east": east, "north": north, "most": most + 1}
    rows = _read(connection, definition, "features_in_box", values)
    return View(tuple(rows[:most]), len(rows) <= most)


def find_feature(connection: Connection, definition: Definition, fid: int) -> SeenFeature | None:
    """Return one feature, None when there is none of that number.

    Raises
    ------
    NotAllowedError : the role may not read the layer.
    """
    rows = _read(connection, definition, "find_feature", {"fid": fid})
    return rows[0] if rows else None


def _read(connection: Connection, definition: Definition, block: str, parameters: dict[str, Any]) -> list[SeenFeature]:
    own = [name for name in feature_part(definition).columns if name != "geom"]
    personal = personal_part(definition) if may_read_personal(connection, definition) else None
    named = [sql.Identifier("f", name) for name in own]
    names = list(own)
    version: sql.Composable = sql.SQL("NULL::int")
    join: sql.Composable = sql.SQL("")
    if personal is not None:
        named += [sql.Identifier("p", name) for name in personal.columns]
        names += personal.columns
        version = sql.SQL("p.version")
        join = sql.SQL("LEFT JOIN {} AS p ON p.fid = f.fid").format(sql.Identifier("layers", personal.name))
    query = sql.SQL(_QUERIES.sql(block)).format(
        layer=sql.Identifier("layers", definition.name),
        columns=sql.SQL("").join(sql.SQL(", {}").format(name) for name in named),
        personal_version=version,
        personal=join,
    )
    with refusals(definition):
        rows = driver(connection).execute(query, parameters).fetchall()
    return [
        SeenFeature(fid, row_version, personal_version, geometry, dict(zip(names, values, strict=True)))
        for fid, row_version, personal_version, geometry, *values in rows
    ]
