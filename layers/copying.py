"""Rows into a table by COPY, the fastest door; triggers and checks apply as through any other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache

import psycopg
import shapely
from psycopg import sql
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection

_JGD2011 = 6668
# How the text format of COPY writes it.
NULL = r"\N"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def driver(connection: Connection) -> psycopg.Connection:
    """Return the psycopg connection beneath, for COPY and for SQL composed by `psycopg.sql`."""
    return connection.connection.driver_connection  # type: ignore[return-value]


def copy_rows(
    connection: Connection,
    table: sql.Composable,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
) -> int:
    """Copy rows into a table and return how many; None becomes NULL.

    Parameters
    ----------
    table : identifier of the table. columns : one name per value of a row.
    """
    count = 0
    with driver(connection).cursor() as cursor, cursor.copy(_statement(table, columns)) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def copy_lines(connection: Connection, table: sql.Composable, columns: Sequence[str], lines: Iterable[str]) -> None:
    """Copy rows that were written by `as_line` before, sent at one go: for some MB from a thread beside a busy one."""
    body = "".join([f"{line}\n" for line in lines]).encode()
    with driver(connection).cursor() as cursor, cursor.copy(_statement(table, columns)) as copy:
        if body:
            copy.write(body)


def as_line(values: Sequence[str | int | float | bool | datetime | None]) -> str:
    """Write a row, or the rest of one, in the text format of COPY, without the end of its line; None becomes NULL.

    Raises
    ------
    ValueError : a text holds NUL, which no column can.

    >>> as_line(["a", None, 1, True])
    'a\\t\\\\N\\t1\\tTrue'
    """
    # NUL stands for NULL until the row is looked at as a whole: no text of the database holds it.
    said = ["\0" if value is None else value if value.__class__ is str else _text(value) for value in values]
    line = "\t".join(said)
    if line.count("\0") != values.count(None):
        raise ValueError("a text holds NUL")
    if "\\" in line or "\n" in line or "\r" in line or line.count("\t") != len(said) - 1:
        line = "\t".join([word.translate(_ESCAPES) for word in said])
    return line.replace("\0", NULL)


@lru_cache(maxsize=4096, typed=True)  # the same few times and numbers in many rows; True is not 1 here
def _text(value: float | datetime) -> str:
    return str(value)


def _statement(table: sql.Composable, columns: Sequence[str]) -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN").format(table, sql.SQL(", ").join(map(sql.Identifier, columns)))


def to_ewkb(geometry: BaseGeometry | None) -> str | None:
    """Return a geometry in degrees (lon, lat) as hexadecimal EWKB in EPSG:6668, heights dropped."""
    if geometry is None:
        return None
    return str(shapely.to_wkb(shapely.set_srid(shapely.force_2d(geometry), _JGD2011), hex=True, include_srid=True))
