"""Areas by name: the polygons of layers that everybody sees, to choose from instead of drawing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from psycopg import sql
from sqlalchemy import Connection

from gis.errors import UsageError
from gis.queries import load_queries
from layers.copying import driver
from layers.definition import Definition

_QUERIES = load_queries(__file__)
# "Geometry" is of any kind: of these layers, the features that are polygons.
_KINDS = ("Polygon", "MultiPolygon", "Geometry")
MOST_NAMES = 300
_MOST_NAMED = 4


class Area(NamedTuple):
    """A name for people, and a (Multi)Polygon as GeoJSON, degrees (EPSG:6668)."""

    name: str
    geojson: str


@dataclass(frozen=True)
class Place:
    """A polygon to choose. `fid` is its feature's number in its layer."""

    fid: int
    name: str


def area_layers(layers: Mapping[str, Definition]) -> list[Definition]:
    """Return those of the layers that have named polygons everybody sees."""
    return [
        one
        for one in layers.values()
        if one.is_public and not one.is_retired and one.geometry in _KINDS and _name_columns(one)
    ]


def list_places(
    connection: Connection, definition: Definition, sought: str = "", fids: Collection[int] = ()
) -> list[Place]:
    """Return the polygons of a public layer by name, at most `MOST_NAMES` besides `fids`; any role.

    Parameters
    ----------
    sought : only those whose name holds this. fids : these in any case, before the others.
    """
    values = {"sought": sought.strip(), "fids": sorted(fids), "most": MOST_NAMES + len(fids)}
    rows = driver(connection).execute(_compose(definition, "places"), values).fetchall()
    return [Place(fid, name) for fid, name in rows]


def find_area(connection: Connection, definition: Definition, fids: Collection[int]) -> Area:
    """Return polygons of a public layer as one area, named after them; any role.

    Raises
    ------
    UsageError : none of them is there.
    """
    row = driver(connection).execute(_compose(definition, "area"), {"fids": sorted(fids)}).fetchone()
    if row is None or row[1] is None:
        raise UsageError(
            "No area was chosen of %(layer)s.", "Choose at least one place of the list.", layer=definition.heading
        )
    names = list(dict.fromkeys(row[0]))
    more = f" … ({len(names)})" if len(names) > _MOST_NAMED else ""
    return Area("、".join(names[:_MOST_NAMED]) + more, row[1])


def _name_columns(definition: Definition) -> list[str]:
    """The label on the map or else the key; a block's name (`sub_name`) follows its quarter's."""
    known = {attribute.name for attribute in definition.public_attributes}
    label = next((name for name in (definition.style.label, "name", definition.key) if name in known), "")
    return [name for name in (label, "sub_name") if name and name in known] if label else []


def _compose(definition: Definition, block: str) -> sql.Composed:
    names = sql.SQL(", ").join(sql.Identifier(name) for name in _name_columns(definition))
    return sql.SQL(_QUERIES.sql(block)).format(
        open=sql.Identifier("open", definition.name), name=sql.SQL("concat({})").format(names)
    )
