"""The catalogue of layers: which there are, and tables that agree with their definitions."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson
from psycopg import sql
from sqlalchemy import Connection, text

from gis.errors import UsageError
from gis.queries import load_queries
from layers import tables
from layers.copying import driver
from layers.definition import Definition, load_definitions, parse_definition
from layers.grants import apply_grants

_QUERIES = load_queries(__file__)


class UnknownLayerError(UsageError):
    """There is no layer of that name, or not for this role."""


@dataclass(frozen=True)
class LayerSummary:
    """One line of the list of layers.

    Attributes
    ----------
    extent : (min lon, min lat, max lon, max lat) in degrees, JGD2011, or None without features.
    changed_at : when a feature was last changed, None without features.
    """

    definition: Definition
    feature_count: int
    extent: tuple[float, float, float, float] | None
    changed_at: datetime | None


def sync(connection: Connection, definitions: Mapping[str, Definition] | None = None) -> list[str]:
    """Make the tables agree with the definitions of data/layers and of the catalogue; return the layers touched.

    Idempotent; runs as `machimori_owner` inside the caller's transaction.

    Raises
    ------
    UsageError : a definition changed in a way that would lose values (attribute gone, other type or geometry).
    """
    # Two installations may migrate at the same moment.
    connection.execute(text("LOCK TABLE gis.layer IN SHARE ROW EXCLUSIVE MODE"))
    driver(connection).execute(tables.ground_statements())
    stored = load_layers(connection)
    hashes = {row.name: row.ddl_sha256 for row in connection.execute(text("SELECT name, ddl_sha256 FROM gis.layer"))}
    wanted = {**stored, **(load_definitions() if definitions is None else definitions)}
    touched = []
    for name, definition in wanted.items():
        if name not in stored:
            create_layer(connection, definition)
        elif hashes[name] != _ddl_sha256(connection, definition) or stored[name] != definition:
            _change_layer(connection, stored[name], definition)
        else:
            continue
        touched.append(name)
    return touched


def create_layer(connection: Connection, definition: Definition) -> None:
    """Make the tables of a new layer and enter it in the catalogue; runs as `machimori_owner`.

    Raises
    ------
    UsageError : a layer of that name is there already.
    """
    if connection.execute(text("SELECT 1 FROM gis.layer WHERE name = :name"), {"name": definition.name}).first():
        raise UsageError(
            f"There is a layer {definition.name} already.", "Choose another name, or import into that layer."
        )
    driver(connection).execute(tables.create_statements(definition))
    _store(connection, definition)


def load_layers(connection: Connection) -> dict[str, Definition]:
    """Return all layers of the catalogue by name; any role may."""
    rows = connection.execute(text("SELECT name, definition FROM gis.layer ORDER BY name"))
    return {name: parse_definition(values, f"the catalogue's {name}") for name, values in rows}


def find_layer(connection: Connection, name: str) -> Definition:
    """Return one layer's definition.

    Raises
    ------
    UnknownLayerError : there is none of that name; the hint has the nearest.
    """
    values = connection.execute(text("SELECT definition FROM gis.layer WHERE name = :name"), {"name": name}).scalar()
    if values is None:
        known = list(connection.execute(text("SELECT name FROM gis.layer ORDER BY name")).scalars())
        near = difflib.get_close_matches(name, known, 1)
        hint = f"Did you mean {near[0]}?" if near else f"Layers are: {', '.join(known)}."
        raise UnknownLayerError(f"There is no layer {name!r}.", hint)
    return parse_definition(values, f"the catalogue's {name}")


def may_read(connection: Connection, definition: Definition) -> bool:
    """Return whether the running role may read a layer: everybody a public one, the city office the others."""
    if definition.is_public:
        return True
    query = text("SELECT has_schema_privilege('layers', 'USAGE') AND has_table_privilege(:table, 'SELECT')")
    return bool(connection.execute(query, {"table": f"layers.{definition.name}"}).scalar())


def summarise_layer(connection: Connection, definition: Definition) -> LayerSummary:
    """Count a layer's features and find their extent and freshness; runs as a role that may read the table."""
    query = sql.SQL(_QUERIES.sql("summarise")).format(layer=sql.Identifier("layers", definition.name))
    ((count, changed_at, *corners),) = driver(connection).execute(query).fetchall()
    return LayerSummary(definition, count, None if corners[0] is None else tuple(corners), changed_at)


def _change_layer(connection: Connection, old: Definition, new: Definition) -> None:
    _refuse_loss(old, new)
    had = {attribute.name for attribute in old.attributes}
    added = [attribute for attribute in new.attributes if attribute.name not in had]
    drew = {attribute.name: attribute for attribute in tables.tile_attributes(old)}
    draws = {attribute.name: attribute for attribute in tables.tile_attributes(new)}
    statements = [
        tables.close_statements(old),
        *(tables.undraw_attribute(old, drew[name]) for name in drew.keys() - draws.keys()),
        *(tables.draw_attribute(new, draws[name]) for name in sorted((draws.keys() - drew.keys()) & had)),
        tables.add_attributes(new, added),
        tables.regenerate_statements(new),
    ]
    driver(connection).execute(sql.SQL("\n").join(statements))
    apply_grants(connection, new)
    _store(connection, new)


def _refuse_loss(old: Definition, new: Definition) -> None:
    """A definition may gain attributes; whatever would lose or re-read values needs a migration written by a person."""
    hint = "Write a migration in gis/migrations that carries the values over."
    if (old.geometry, old.key) != (new.geometry, new.key):
        raise UsageError(f"Layer {old.name}: geometry or key changed ({old.geometry}, {old.key!r}).", hint)
    for attribute in old.attributes:
        same = next((other for other in new.attributes if other.name == attribute.name), None)
        if same is None:
            raise UsageError(f"Layer {old.name}: the attribute {attribute.name} is gone from its definition.", hint)
        if (same.type, same.personal) != (attribute.type, attribute.personal):
            raise UsageError(f"Layer {old.name}: the attribute {attribute.name} changed its type or its table.", hint)


def _store(connection: Connection, definition: Definition) -> None:
    connection.execute(
        _QUERIES["store"],
        {
            "name": definition.name,
            "definition": orjson.dumps(definition.to_json()).decode(),
            "ddl_sha256": _ddl_sha256(connection, definition),
        },
    )


def _ddl_sha256(connection: Connection, definition: Definition) -> str:
    statements = tables.create_statements(definition).as_string(driver(connection))
    return hashlib.sha256(statements.encode()).hexdigest()
