"""What the messages of a year did: how many, to how many, and how long each step took; no person is in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row

from gis.queries import load_queries

_QUERIES = load_queries(__file__)
DIMENSIONS = ("total", "month", "kind", "level")


@dataclass(frozen=True)
class Group:
    """The messages that have one value of a dimension.

    Attributes
    ----------
    dimension, value : e.g. `month` and `03`, `kind` and `tsunami`, `level` and `5`; `total` and "".
    messages, people, accepted : messages sent, mails to people, and those that a server took.
    approval_s : median seconds from submitting to approving; None when nobody submitted any.
    first_s, most_s : median seconds from sending to the first mail accepted, and to 95 of 100.
    """

    dimension: str
    value: str
    messages: int
    people: int
    accepted: int
    approval_s: float | None
    first_s: float | None
    most_s: float | None


def list_years(connection: Connection) -> list[int]:
    """Return the years in which messages were sent, the newest first."""
    return list(connection.execute(_QUERIES["read_years"]).scalars())


def read_statistics(connection: Connection, year: int, is_real: bool) -> list[Group]:
    """Return the groups of every dimension of a year.

    Parameters
    ----------
    year : in Japan time, by the moment of sending.
    is_real : drills and tests are counted apart and never together with what was real.
    """
    rows = connection.execute(_QUERIES["read_messages"], {"year": year, "is_real": is_real}).all()
    groups = []
    for dimension in DIMENSIONS:
        values = [""] if dimension == "total" else sorted({str(getattr(row, dimension)) for row in rows})
        for value in values:
            mine = [row for row in rows if dimension == "total" or str(getattr(row, dimension)) == value]
            groups.append(_group(dimension, value, mine))
    return groups


def _group(dimension: str, value: str, rows: Sequence[Row[Any]]) -> Group:
    return Group(
        dimension,
        value,
        len(rows),
        sum(row.people for row in rows),
        sum(row.accepted for row in rows),
        _median(row.approval_s for row in rows),
        _median(row.first_s for row in rows),
        _median(row.most_s for row in rows),
    )


def _median(seconds: Iterable[float | None]) -> float | None:
    known = [value for value in seconds if value is not None]
    return median(known) if known else None
