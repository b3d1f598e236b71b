"""Reads and writes the rows of a layer by the set: its table, its history, and its personal sibling table alike."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql
from sqlalchemy import Connection

from gis.queries import load_queries
from layers.changes import Values
from layers.copying import driver
from layers.definition import Definition
from layers.definition_check import POSTGRES_TYPES

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class Part:
    """One editable table of a layer: `layers.<name>` with `history.<name>`.

    Attributes
    ----------
    types : column → PostgreSQL type of everything a person may edit, the geometry included.
    """

    name: str
    types: Mapping[str, str]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.types)

    def select(self, values: Mapping[str, Any]) -> Values:
        """Return those of the values that are this part's."""
        return {name: values[name] for name in self.types if name in values}

    def compose(self, query: str) -> sql.Composed:
        """Fill `{table}`, `{history}` and `{h_columns}` (every column, of the alias h) into a query."""
        return sql.SQL(query).format(
            table=sql.Identifier("layers", self.name),
            history=sql.Identifier("history", self.name),
            h_columns=sql.SQL(", ").join(sql.Identifier("h", name) for name in self.columns),
        )


@dataclass(frozen=True)
class Row:
    """One version of a feature in one part; `operation` is None for a row that was read from the layer itself."""

    fid: int
    version: int
    values: Values
    operation: str | None = None


def feature_part(definition: Definition, *, with_retired: bool = False) -> Part:
    """Return the layer's own table: geometry and all attributes that are not personal.

    Parameters
    ----------
    with_retired : also the attributes out of use, so that what is taken back comes back whole.
    """
    attributes = definition.kept_attributes if with_retired else definition.attributes
    types = {one.name: POSTGRES_TYPES[one.type] for one in attributes if not one.personal}
    return Part(definition.name, {"geom": "geometry", **types})


def personal_part(definition: Definition, *, with_retired: bool = False) -> Part | None:
    """Return the table of the personal attributes, None when the layer has none. `with_retired` as above."""
    attributes = definition.kept_attributes if with_retired else definition.attributes
    types = {one.name: POSTGRES_TYPES[one.type] for one in attributes if one.personal}
    if not types:
        return None
    return Part(f"{definition.name}_personal", types)


def lock_rows(connection: Connection, part: Part, fids: Collection[int]) -> dict[int, Row]:
    """Lock features until the transaction ends and return them as they are now; those deleted are missing.

    Locks are taken in the order of the fids, so two batches wait for each other but never in a circle.
    """
    query = _compose(part, "lock_rows")
    rows = driver(connection).execute(query, {"fids": sorted(fids)}).fetchall()
    return {fid: Row(fid, version, _values(part, values)) for fid, version, *values in rows}


def read_versions(connection: Connection, part: Part, wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Row]:
    """Return past versions by (fid, version); a pair that never was is missing."""
    pairs = sorted(set(wanted))
    parameters = {"fids": [fid for fid, _ in pairs], "versions": [version for _, version in pairs]}
    return {(row.fid, row.version): row for row in _history(connection, part, "read_versions", parameters)}


def last_versions(connection: Connection, part: Part, fids: Collection[int]) -> dict[int, Row]:
    """Return the newest history entry of each feature, the deleted ones included."""
    return {row.fid: row for row in _history(connection, part, "last_versions", {"fids": list(fids)})}


def insert_rows(connection: Connection, part: Part, rows: Sequence[Values]) -> list[tuple[int, int]]:
    """Insert new features and return (fid, version) of each, in the order given."""
    if not rows:
        return []
    query = _compose(part, "insert_rows", part.columns)
    made = driver(connection).execute(query, _arrays(part.columns, rows)).fetchall()
    # The numbers were drawn in the order of the rows; RETURNING promises no order.
    return sorted((int(fid), int(version)) for fid, version in made)


def restore_rows(connection: Connection, part: Part, rows: Mapping[int, Values]) -> dict[int, int]:
    """Bring deleted features back under their own fids; return fid → version.

    Raises
    ------
    psycopg.errors.ObjectNotInPrerequisiteState : one of them was never deleted.
    psycopg.errors.UniqueViolation : one of them is there again.
    """
    if not rows:
        return {}
    run = driver(connection).execute
    run("SELECT set_config('machimori.restore', 'on', true)")
    made = run(_compose(part, "restore_rows", part.columns), _arrays(part.columns, rows.values(), rows)).fetchall()
    run("SELECT set_config('machimori.restore', 'off', true)")
    return {int(fid): int(version) for fid, version in made}


def update_rows(connection: Connection, part: Part, rows: Mapping[int, Values]) -> dict[int, int]:
    """Set the given values, features with the same columns in one statement; return fid → new version.

    A feature that is gone, or that a row policy keeps from this role, is missing in the answer.
    """
    return _write_groups(connection, part, "update_rows", rows)


def put_rows(connection: Connection, part: Part, rows: Mapping[int, Values]) -> dict[int, int]:
    """As `update_rows`, but a row that is not there is made; for personal parts, whose fid is their feature's."""
    return _write_groups(connection, part, "put_rows", rows)


def delete_rows(connection: Connection, part: Part, fids: Collection[int]) -> set[int]:
    """Delete features and return the fids of those that were there and may be deleted."""
    if not fids:
        return set()
    return {fid for (fid,) in driver(connection).execute(_compose(part, "delete_rows"), {"fids": sorted(fids)})}


def _write_groups(connection: Connection, part: Part, block: str, rows: Mapping[int, Values]) -> dict[int, int]:
    groups: dict[tuple[str, ...], dict[int, Values]] = {}
    for fid in sorted(rows):
        names = tuple(name for name in part.columns if name in rows[fid])
        groups.setdefault(names, {})[fid] = rows[fid]
    versions: dict[int, int] = {}
    for names, group in groups.items():
        made = driver(connection).execute(_compose(part, block, names), _arrays(names, group.values(), group))
        versions.update((int(fid), int(version)) for fid, version in made.fetchall())
    return versions


def _history(connection: Connection, part: Part, block: str, parameters: Mapping[str, Any]) -> list[Row]:
    rows = driver(connection).execute(_compose(part, block), parameters).fetchall()
    return [Row(fid, version, _values(part, values), operation) for fid, version, operation, *values in rows]


def _values(part: Part, values: Sequence[Any]) -> Values:
    return dict(zip(part.columns, values, strict=True))


def _arrays(names: Iterable[str], rows: Iterable[Values], fids: Iterable[int] = ()) -> dict[str, list[Any]]:
    """One array per column, to be unnested; `v_` keeps a column's name apart from `fids`."""
    every = list(rows)
    return {"fids": list(fids), **{f"v_{name}": [row.get(name) for row in every] for name in names}}


def _compose(part: Part, block: str, names: Sequence[str] = ()) -> sql.Composed:
    columns = [sql.Identifier(name) for name in names]
    arrays = [
        # Geometries travel as hexadecimal text.
        sql.SQL("%({})s::{}[]").format(
            sql.SQL("v_" + name), sql.SQL("text" if part.types[name] == "geometry" else part.types[name])
        )
        for name in names
    ]
    values = [
        sql.SQL("v.{}::{}").format(column, sql.SQL(part.types[name]))
        for column, name in zip(columns, names, strict=True)
    ]
    comma = sql.SQL(", ")
    return sql.SQL(_QUERIES.sql(block)).format(
        table=sql.Identifier("layers", part.name),
        history=sql.Identifier("history", part.name),
        all_columns=comma.join(map(sql.Identifier, part.columns)),
        h_columns=comma.join(sql.Identifier("h", name) for name in part.columns),
        columns=comma.join(columns),
        arrays=comma.join(arrays),
        values=comma.join(values),
        assignments=comma.join(sql.SQL("{} = {}").format(c, v) for c, v in zip(columns, values, strict=True)),
        excluded=comma.join(sql.SQL("{0} = excluded.{0}").format(column) for column in columns),
    )
