"""Statistics over incidents: counted by year and kind, with what the public may read beside what there is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from gis.queries import load_queries
from ingest.policy import find_policy
from ingest.suppression import Shown, suppress_tables

DIMENSIONS = ("category", "quarter", "mesh", "month", "weekday", "hour", "source")
_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class Statistic:
    """One number: how many incidents of a kind in a year have this value of a dimension.

    Attributes
    ----------
    value : `01`–`12` of month, `1` (Monday) to `7` of weekday, `00`–`23` of hour, a mesh code of 1 km, else words;
        "" = not known. count : None when it is suppressed.
    """

    year: int
    kind: str
    dimension: str
    value: str
    count: int | None


def refresh_statistics(connection: Connection) -> list[int]:
    """Count again the years in which something changed since they were counted; return them. Role: service."""
    begun_at: datetime = connection.execute(text("SELECT now()")).scalar_one()
    years = sorted(connection.execute(_QUERIES["stale_years"]).scalars())
    if years:
        _count_years(connection, years, begun_at)
    return years


def read_statistics(connection: Connection, kind: str, year: int, *, is_public: bool) -> list[Statistic]:
    """Return all numbers of a kind and year. Role: any when public, else service."""
    return _read(connection, "read_open" if is_public else "read_all", kind, year)


def read_staff_statistics(connection: Connection, kind: str, year: int) -> list[Statistic]:
    """Return the whole numbers for who may read them (`may_read_all`), else what is public. Role: a department's."""
    return _read(connection, "read_for_staff" if may_read_all(connection) else "read_open", kind, year)


def may_read_all(connection: Connection) -> bool:
    """Whether the account acting is a moderator of the disaster office or an administrator. Role: a department's."""
    return bool(connection.execute(_QUERIES["may_read_all"]).scalar_one())


@dataclass(frozen=True)
class ResponseTime:
    """How long incidents of a kind waited from their arrival to a moderator's publication, in minutes."""

    kind: str
    incidents: int
    median_minutes: float
    p90_minutes: float


@dataclass(frozen=True)
class Waiting:
    """How many incidents of a kind wait for a decision, and since when the oldest does."""

    kind: str
    incidents: int
    oldest_at: datetime


def read_response_times(connection: Connection, year: int) -> list[ResponseTime]:
    """Return them by kind, of incidents that came in this year (Japanese time); none for who may not read all."""
    return [ResponseTime(*row) for row in connection.execute(_QUERIES["response_times"], {"year": year})]


def read_waiting(connection: Connection) -> list[Waiting]:
    """Return them by kind; none for who may not read all."""
    return [Waiting(*row) for row in connection.execute(_QUERIES["waiting"])]


def list_tables(connection: Connection) -> list[tuple[str, int]]:
    """Return (kind, year) of what has been counted, newest first. Role: any."""
    return [(row.kind, row.year) for row in connection.execute(_QUERIES["tables"])]


def _read(connection: Connection, query: str, kind: str, year: int) -> list[Statistic]:
    return [Statistic(*row) for row in connection.execute(_QUERIES[query], {"kind": kind, "year": year})]


def _count_years(connection: Connection, years: list[int], counted_at: datetime) -> None:
    tables: dict[tuple[int, str], dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in connection.execute(_QUERIES["count_years"], {"years": years}):
        tables[row.year, row.kind][row.dimension][row.value] = row.incidents
    connection.execute(_QUERIES["forget_years"], {"years": years})
    rows = [
        {"year": year, "kind": kind, "dimension": dimension, "value": value, "count": count, "shown": shown[value]}
        for (year, kind), dimensions in tables.items()
        for dimension, shown in _shown(kind, dimensions).items()
        for value, count in dimensions[dimension].items()
    ]
    if rows:
        connection.execute(_QUERIES["store"], rows)
    connection.execute(_QUERIES["note_counted"], [{"year": year, "counted_at": counted_at} for year in years])


def _shown(kind: str, tables: Mapping[str, Mapping[str, int]]) -> Mapping[str, Shown]:
    if not find_policy(kind, "").is_personal:
        return {dimension: dict(counts) for dimension, counts in tables.items()}
    return suppress_tables(tables)
