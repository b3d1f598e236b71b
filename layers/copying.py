"""Rows into a table by COPY, the fastest door; triggers and checks apply as through any other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import psycopg
import shapely
from psycopg import sql
from psycopg.abc import Buffer
from psycopg.copy import LibpqWriter
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection

_JGD2011 = 6668


def driver(connection: Connection) -> psycopg.Connection:
    """Return the psycopg connection beneath, for COPY and for SQL composed by `psycopg.sql`."""
    return connection.connection.driver_connection  # type: ignore[return-value]


class _GatheringWriter(LibpqWriter):
    """Sends everything at the end: a thread beside others asks for the interpreter once instead of every 32 KB."""

    def __init__(self, cursor: psycopg.Cursor) -> None:
        super().__init__(cursor)
        self._gathered = bytearray()

    def write(self, data: Buffer) -> None:
        self._gathered += data

    def finish(self, exc: BaseException | None = None) -> None:
        if exc is None and self._gathered:
            super().write(bytes(self._gathered))
        super().finish(exc)


def copy_rows(
    connection: Connection,
    table: sql.Composable,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    is_gathered: bool = False,
) -> int:
    """Copy rows into a table and return how many; None becomes NULL.

    Parameters
    ----------
    table : identifier of the table. columns : one name per value of a row.
    is_gathered : hold all rows until the last and send them at one go; for some MB from a thread beside a busy one.
    """
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(table, sql.SQL(", ").join(map(sql.Identifier, columns)))
    count = 0
    with driver(connection).cursor() as cursor:
        writer = _GatheringWriter(cursor) if is_gathered else None
        with cursor.copy(statement, writer=writer) as copy:
            for row in rows:
                copy.write_row(row)
                count += 1
    return count


def to_ewkb(geometry: BaseGeometry | None) -> str | None:
    """Return a geometry in degrees (lon, lat) as hexadecimal EWKB in EPSG:6668, heights dropped."""
    if geometry is None:
        return None
    return str(shapely.to_wkb(shapely.set_srid(shapely.force_2d(geometry), _JGD2011), hex=True, include_srid=True))
