"""How the sources do: runs, counts, health, and what did not parse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from gis.queries import load_queries
from ingest.source import load_sources

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class SourceHealth:
    """One source: when it ran, what it brought, and in a word how it is.

    Attributes
    ----------
    documents, reports, rejected : bodies stored, reports read from them, dead letters.
    health : `never ran`, `ok`, `late` (no success for ten minutes though it has a schedule), `failing`.
    """

    name: str
    title: str
    schedule: str
    last_run_at: datetime | None
    last_success_at: datetime | None
    last_error: str | None
    documents: int
    reports: int
    rejected: int
    health: str


@dataclass(frozen=True)
class DeadLetter:
    """A document, or one record of it, that did not parse."""

    document_id: int
    source: str
    name: str
    record: str
    reason: str
    created_at: datetime


def list_sources(connection: Connection) -> list[SourceHealth]:
    """Return the health of every source. Role: service or `dept_disaster`."""
    rows = {row.pop("name"): row for row in map(dict, connection.execute(_QUERIES["source_counts"]).mappings())}
    nothing = dict.fromkeys(("last_run_at", "last_success_at", "last_error"), None) | {
        "consecutive_failures": 0, "is_late": False, "documents": 0, "reports": 0, "rejected": 0,
    }  # fmt: skip
    found = []
    for source in load_sources().values():
        row = rows.get(source.name, nothing)
        failures, is_late = row.pop("consecutive_failures"), row.pop("is_late")
        health = "failing" if failures else "late" if is_late and source.fetch else "ok"
        if row["last_run_at"] is None and not row["documents"]:
            health = "never ran"
        found.append(SourceHealth(source.name, source.title, str(source.schedule or ""), health=health, **row))
    return found


def list_dead_letters(connection: Connection, limit: int = 20) -> list[DeadLetter]:
    """Return the newest dead letters, newest first. Role: service or `dept_disaster`."""
    return [DeadLetter(*row) for row in connection.execute(_QUERIES["dead_letters"], {"limit": limit})]
