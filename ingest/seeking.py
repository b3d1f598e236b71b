"""Find the event that a correction, a withdrawal or a 解決 notice speaks of without naming it."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Connection, TextClause, text

from gis.queries import load_queries
from ingest.reports import Report

_QUERIES = load_queries(__file__)


@cache
def _alike(name: str) -> TextClause:
    """Return a query with what makes two reports alike written in."""
    return text(_QUERIES.sql(name).replace("{likeness}", _QUERIES.sql("likeness")))


def seek_event(connection: Connection, source: str, report: Report) -> str | None:
    """Return the event key of the newest earlier report of the source that is like this one, or None.

    Like: the same kind and category, the same day and hour of the event where both name one, and the same place
    (in words, or within both accuracies) where both name one; said at most 30 days before.
    """
    return connection.execute(_alike("seek"), _likeness(source, report)).scalar()


def seek_follow_up(connection: Connection, source: str, report: Report) -> str | None:
    """Return the event that a correction or a 解決 notice began which came before the report it speaks of, or None.

    Mails overtake each other: the two would stay two incidents. Of a report that is known already: its own event.
    """
    return connection.execute(_alike("early"), _likeness(source, report)).scalar()


def adopt_withdrawal(connection: Connection, source: str, report: Report) -> None:
    """Let a withdrawal that came before the report it speaks of belong to that report's event. Role: service.

    Mails overtake each other: it found nothing then, and what it withdraws would stand.
    """
    connection.execute(_alike("adopt"), _likeness(source, report) | {"event_key": report.event_key})


def _likeness(source: str, report: Report) -> dict[str, Any]:
    place = report.private.place
    return {
        "source": source,
        "source_id": report.source_id,
        "kind": report.kind,
        "status": report.status,
        "reported_at": report.reported_at,
        "category": report.facts.get("category"),
        "occurred_at": report.facts.get("occurred_at"),
        "place_text": report.private.place_text,
        "lon": place and place.lon,
        "lat": place and place.lat,
        "accuracy_m": place and place.accuracy_m,
    }


def followed_event(connection: Connection, source: str, report: Report) -> str | None:
    """Return the event key of the newest known report that this one follows by name, or None."""
    values = {"source": source, "status": report.status, "source_ids": list(report.follows)}
    return connection.execute(_QUERIES["follow"], values).scalar()
