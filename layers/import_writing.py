"""Writes an import's rows: staged as they are, compared with the layer, then only what differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql
from sqlalchemy import Connection

from gis.queries import load_queries
from layers.copying import copy_rows, driver, to_ewkb
from layers.definition import Definition
from layers.refusals import not_allowed
from layers.rows import Columns, TypedRow

_QUERIES = load_queries(__file__)
_STAGED = sql.Identifier("pg_temp", "staged")


@dataclass(frozen=True)
class Written:
    """Counts of features. `demo_removed`: demonstration features that made way; `removed`: not in the file."""

    inserted: int
    updated: int
    removed: int
    demo_removed: int


def write_rows(
    connection: Connection,
    definition: Definition,
    columns: Columns,
    rows: Sequence[TypedRow],
    source: str,
    removes_missing: bool,
) -> Written:
    """Bring typed rows into a layer and its personal table; see `layers.importer.import_features`.

    Raises
    ------
    NotAllowedError : a row policy keeps the role from some of the features that differ.
    """
    constants = _constants(definition, columns, source)
    # Constants stand behind the file's columns, as their values do.
    names = [attribute.name for attribute in columns.attributes] + list(constants)
    personal = [attribute.name for attribute in columns.attributes if attribute.personal]
    parts = _parts(definition, [name for name in names if name not in personal], personal)

    def run(block: str) -> int:
        return driver(connection).execute(sql.SQL(_QUERIES.sql(block)).format(**parts)).rowcount

    run("stage")
    copy_rows(
        connection,
        _STAGED,
        ["_row", "geom", *names],
        ((row.number, to_ewkb(row.geometry), *row.values, *constants.values()) for row in rows),
    )
    run("analyze")
    demo_removed = run("remove_demo") if _has(definition, "is_demo") else 0
    run("match_by_key" if definition.key in names else "match_whole")
    removed = _whole(definition, run("count_missing"), run("remove_missing")) if removes_missing else 0
    # A feature that matched as a whole cannot differ.
    _whole(definition, run("mark_changed"), run("update_changed"))
    inserted = run("insert_new")
    if personal:
        run("update_personal")
        run("insert_personal")
    updated = run("count_changed")
    run("drop")
    return Written(inserted, updated, removed, demo_removed)


def _whole(definition: Definition, wanted: int, done: int) -> int:
    """A row policy hides features from a change without a word; half an import is none."""
    if done < wanted:
        raise not_allowed(definition)
    return done


def _constants(definition: Definition, columns: Columns, source: str) -> dict[str, Any]:
    """Attributes that every row gets because no column of the file has them."""
    mapped = {attribute.name for attribute in columns.attributes}
    constants: dict[str, Any] = {}
    if _has(definition, "source") and "source" not in mapped:
        constants["source"] = source
    if _has(definition, "is_demo"):
        constants["is_demo"] = False
    return constants


def _parts(definition: Definition, names: Sequence[str], personal: Sequence[str]) -> dict[str, sql.Composable]:
    columns = ["geom", *names]
    join = sql.SQL(" LEFT JOIN {} p ON p.fid = l.fid").format(sql.Identifier("layers", f"{definition.name}_personal"))

    def listed(form: str, names: Sequence[str]) -> sql.Composed:
        return sql.SQL(", ").join(sql.SQL(form).format(sql.Identifier(name)) for name in names)

    return {
        "layer": sql.Identifier("layers", definition.name),
        "personal": sql.Identifier("layers", f"{definition.name}_personal"),
        "join_personal": join if personal else sql.SQL(""),
        "staged": _STAGED,
        "columns": listed("{0}", columns),
        "theirs": listed("s.{0}", columns),
        "ours": listed("l.{0}", columns),
        "assignments": listed("{0} = s.{0}", columns),
        "all_theirs": listed("s.{0}", [*columns, *personal]),
        "all_ours": sql.SQL(", ").join([listed("l.{0}", columns), *([listed("p.{0}", personal)] if personal else [])]),
        "personal_columns": listed("{0}", personal),
        "personal_theirs": listed("s.{0}", personal),
        "personal_ours": listed("p.{0}", personal),
        "personal_assignments": listed("{0} = s.{0}", personal),
        "key": sql.Identifier(definition.key or "geom"),
    }


def _has(definition: Definition, name: str) -> bool:
    return any(attribute.name == name for attribute in definition.table_attributes)
