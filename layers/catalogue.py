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
from layers.grants import grant_statements
from layers.keeping import changed_meanwhile, keeping_refusals
from layers.overlay import lay_over, rename_attributes

_QUERIES = load_queries(__file__)
_CARRY_OVER = "Write a migration in gis/migrations that carries the values over."
MOST_COUNTED = 20_000


class UnknownLayerError(UsageError):
    """There is no layer of that name, or not for this role."""


@dataclass(frozen=True)
class LayerSummary:
    """One line of the list of layers.

    Attributes
    ----------
    extent : (min lon, min lat, max lon, max lat) in degrees, JGD2011, or None without features.
    changed_at : when a feature was last changed, None without features.
    is_estimated : the table is large: count and extent come from the database's statistics.
    """

    definition: Definition
    feature_count: int
    extent: tuple[float, float, float, float] | None
    changed_at: datetime | None
    is_estimated: bool = False


def sync(connection: Connection, definitions: Mapping[str, Definition] | None = None) -> list[str]:
    """Make the tables agree with the definitions of data/layers and of the catalogue; return the layers touched.

    What a department changed in a layer of data/layers stays: it is laid over what the file says now.
    Idempotent; runs as `machimori_owner` inside the caller's transaction.

    Raises
    ------
    UsageError : a definition changed in a way that would lose values (attribute gone, other type or geometry).
    """
    # Two installations may migrate at the same moment.
    connection.execute(text("LOCK TABLE gis.layer IN SHARE ROW EXCLUSIVE MODE"))
    driver(connection).execute(tables.ground_statements())
    stored = load_layers(connection)
    shipped = _load_shipped(connection)
    hashes = {row.name: row.ddl_sha256 for row in connection.execute(text("SELECT name, ddl_sha256 FROM gis.layer"))}
    files = load_definitions() if definitions is None else definitions
    touched = []
    for name in sorted({**stored, **files}):
        wanted = stored.get(name) or files[name]
        if name in stored and name in files:
            wanted = lay_over(files[name], shipped.get(name, stored[name]), stored[name])
        if name not in stored:
            create_layer(connection, wanted)
        elif hashes[name] != _ddl_sha256(connection, wanted) or stored[name] != wanted:
            _alter(connection, stored[name], wanted, {})
        if name in files:
            _store_shipped(connection, files[name])
        if stored.get(name) != wanted or hashes[name] != _ddl_sha256(connection, wanted):
            touched.append(name)
    return touched


def create_layer(connection: Connection, definition: Definition) -> None:
    """Make the tables of a new layer and enter it in the catalogue, in the caller's transaction.

    Runs as `machimori_owner`, or as the role of the owner department for an account that keeps layers
    (`gis.change_layer` decides); the role may use the new layer at once.

    Raises
    ------
    UsageError : a layer of that name is there already, or the account may not make one.
    """
    _lock_definition(connection, definition.name)
    if _find(connection, definition.name) is not None:
        raise UsageError(
            "There is a layer %(layer)s already.",
            "Choose another name, or import into that layer.",
            layer=definition.name,
        )
    _apply(connection, definition, definition, tables.create_statements(definition))


def change_layer(
    connection: Connection, old: Definition, new: Definition, renamed: Mapping[str, str] | None = None
) -> None:
    """Change a layer's definition: tables, views, grants and history follow in the caller's transaction.

    Roles as for `create_layer`, or that of a department with the grant to manage. People who edit the layer wait.
    Whether its values fit the new definition is asked by `layers.fitting` beforehand.

    Parameters
    ----------
    old : the definition that the caller saw. renamed : name of an attribute in `old` → its name in `new`.

    Raises
    ------
    ChangedMeanwhileError : the definition is not `old` any more, or somebody works in the layer for too long.
    UsageError : the account may not, values would be lost, or they do not fit.
    """
    _lock_definition(connection, old.name)
    if _find(connection, old.name) != old:
        raise changed_meanwhile(old)
    _alter(connection, old, new, dict(renamed or {}))


def delete_layer(connection: Connection, definition: Definition) -> None:
    """Delete a layer that never held a feature, with its tables and grants. Roles as for `change_layer`.

    Raises
    ------
    UsageError : something was in it once, or it is one of data/layers; it can be retired (`is_retired`).
    """
    _lock_definition(connection, definition.name)
    _apply(connection, definition, None, tables.drop_statements(definition))


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
    definition = _find(connection, name)
    if definition is None:
        known = list(connection.execute(text("SELECT name FROM gis.layer ORDER BY name")).scalars())
        near = difflib.get_close_matches(name, known, 1)
        hint = "Did you mean %(near)s?" if near else "Layers are: %(known)s."
        raise UnknownLayerError(
            "There is no layer %(layer)r.", hint, layer=name, near=next(iter(near), ""), known=", ".join(known)
        )
    return definition


def find_shipped(connection: Connection, name: str) -> Definition | None:
    """Return a layer's definition as data/layers gave it at the last migration, None for a layer made at run time."""
    values = connection.execute(text("SELECT shipped FROM gis.layer WHERE name = :name"), {"name": name}).scalar()
    return None if values is None else parse_definition(values, f"the shipped {name}")


def may_read(connection: Connection, definition: Definition) -> bool:
    """Return whether the running role may read a layer: everybody a public one, the city office the others."""
    if definition.is_public:
        return True
    query = text("SELECT has_schema_privilege('layers', 'USAGE') AND has_table_privilege(:table, 'SELECT')")
    return bool(connection.execute(query, {"table": f"layers.{definition.name}"}).scalar())


def summarise_layer(connection: Connection, definition: Definition) -> LayerSummary:
    """Count a layer's features and find their extent and freshness; runs as a role that may read the table.

    Costs the same however large the layer is: past `MOST_COUNTED` features the statistics answer.
    """
    names = {"layer": sql.Identifier("layers", definition.name), "history": sql.Identifier("history", definition.name)}
    run = driver(connection).execute
    query = sql.SQL(_QUERIES.sql("summarise")).format(**names)
    ((count, changed_at, *corners),) = run(query, {"most": MOST_COUNTED + 1}).fetchall()
    is_estimated = count > MOST_COUNTED
    if is_estimated:
        query = sql.SQL(_QUERIES.sql("estimate")).format(**names, name=sql.Literal(definition.name))
        ((count, changed_at, *corners),) = run(query).fetchall()
    extent = None if corners[0] is None else (corners[0], corners[1], corners[2], corners[3])
    return LayerSummary(definition, int(count), extent, changed_at, is_estimated)


def _alter(connection: Connection, old: Definition, new: Definition, renamed: Mapping[str, str]) -> None:
    before = rename_attributes(old, renamed)
    _refuse_loss(before, new)
    had = {attribute.name for attribute in before.kept_attributes}
    make_personal = new.has_personal_table and not before.has_personal_table
    statements = [
        tables.lock_statements(old),
        tables.close_statements(old),
        *(tables.rename_attribute(old, old.attribute(name), renamed[name]) for name in renamed),
        *([tables.create_personal(new)] if make_personal else []),
        tables.add_attributes(new, [attribute for attribute in new.attributes if attribute.name not in had]),
        *([tables.change_key(new)] if before.key != new.key else []),
        tables.regenerate_statements(new),
        grant_statements(new),
    ]
    _apply(connection, old, new, sql.SQL("\n").join(statements))


def _refuse_loss(old: Definition, new: Definition) -> None:
    """A definition may gain attributes and retire them; whatever would lose or re-read values needs a migration."""
    if (old.name, old.geometry) != (new.name, new.geometry):
        raise UsageError(
            "Layer %(layer)s: name or geometry changed (%(geometry)s).",
            _CARRY_OVER,
            layer=old.name,
            geometry=old.geometry,
        )
    kept = {attribute.name: attribute for attribute in new.kept_attributes}
    for attribute in old.kept_attributes:
        same = kept.get(attribute.name)
        if same is None:
            raise UsageError(
                "Layer %(layer)s: the attribute %(attribute)s is gone from its definition.",
                _CARRY_OVER,
                layer=old.name,
                attribute=attribute.name,
            )
        if (same.type, same.personal) != (attribute.type, attribute.personal):
            raise UsageError(
                "Layer %(layer)s: the attribute %(attribute)s changed its type or its table.",
                _CARRY_OVER,
                layer=old.name,
                attribute=attribute.name,
            )


def _apply(connection: Connection, shown: Definition, new: Definition | None, statements: sql.Composed) -> None:
    """Hand statements and definition to `gis.change_layer`; it takes the statement below and no other."""
    parameters = (
        shown.name,
        orjson.dumps(new.to_json()).decode() if new else None,
        _ddl_sha256(connection, new) if new else "",
        statements.as_string(driver(connection)),
    )
    with keeping_refusals(shown):
        driver(connection).execute("SELECT gis.change_layer(%s, %s, %s, %s)", parameters)


def _lock_definition(connection: Connection, name: str) -> None:
    """Let changes of one layer's definition wait for each other."""
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('machimori.layer.' || :name))"), {"name": name})


def _find(connection: Connection, name: str) -> Definition | None:
    values = connection.execute(text("SELECT definition FROM gis.layer WHERE name = :name"), {"name": name}).scalar()
    return None if values is None else parse_definition(values, f"the catalogue's {name}")


def _load_shipped(connection: Connection) -> dict[str, Definition]:
    rows = connection.execute(text("SELECT name, shipped FROM gis.layer WHERE shipped IS NOT NULL"))
    return {name: parse_definition(values, f"the shipped {name}") for name, values in rows}


def _store_shipped(connection: Connection, definition: Definition) -> None:
    values = {"name": definition.name, "shipped": orjson.dumps(definition.to_json()).decode()}
    connection.execute(_QUERIES["store_shipped"], values)


def _ddl_sha256(connection: Connection, definition: Definition) -> str:
    statements = tables.create_statements(definition).as_string(driver(connection))
    return hashlib.sha256(statements.encode()).hexdigest()
