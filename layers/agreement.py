"""Compares what must agree: a layer's table, its history, its definition and the rights in it."""

from __future__ import annotations

from psycopg import sql
from sqlalchemy import Connection, text

from gis.queries import load_queries
from layers.copying import driver
from layers.definition import Definition
from layers.definition_check import POSTGRES_TYPES, SYSTEM_COLUMNS
from layers.rights_agreement import right_problems

_QUERIES = load_queries(__file__)
# As information_schema spells them.
_LONG_NAMES = {"timestamptz": "timestamp with time zone"}


def check_layer(connection: Connection, definition: Definition) -> list[str]:
    """Return what does not agree, one sentence each; an empty list when all is well.

    Runs as a role that may read the layer and its history (the service, any department).
    The features are compared only where the columns agree.
    """
    columns = _column_problems(connection, definition)
    return columns or [*_row_problems(connection, definition), *right_problems(connection, definition)]


def _column_problems(connection: Connection, definition: Definition) -> list[str]:
    query = text(
        "SELECT attname, format_type(atttypid, NULL) AS type FROM pg_attribute"
        " WHERE attrelid = to_regclass(:table) AND attnum > 0 AND NOT attisdropped"
    )
    found = {row.attname: row.type for row in connection.execute(query, {"table": f"layers.{definition.name}"})}
    if not found:
        return [f"The table layers.{definition.name} is missing."]
    problems = []
    for attribute in definition.table_attributes:
        wanted = _LONG_NAMES.get(POSTGRES_TYPES[attribute.type], POSTGRES_TYPES[attribute.type])
        if found.get(attribute.name) != wanted:
            problems.append(f"The column {attribute.name} is {found.get(attribute.name, 'missing')}, not {wanted}.")
    strangers = found.keys() - {attribute.name for attribute in definition.kept_attributes} - set(SYSTEM_COLUMNS)
    problems += [f"The column {name} is in the table, but not in the definition." for name in sorted(strangers)]
    return problems


def _row_problems(connection: Connection, definition: Definition) -> list[str]:
    kept = [attribute.name for attribute in definition.table_attributes]

    def listed(names: list[str], table: str) -> sql.Composed:
        return sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(table, name)) for name in names)

    query = sql.SQL(_QUERIES.sql("count_differences")).format(
        layer=sql.Identifier("layers", definition.name),
        history=sql.Identifier("history", definition.name),
        kept_here=listed(kept, "l"),
        kept_there=listed(kept, "h"),
    )
    ((versions,),) = driver(connection).execute(query).fetchall()
    return [f"{versions} features and the last version in their history differ."] if versions else []
