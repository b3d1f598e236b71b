"""How the sources do: runs, counts, health, and what did not parse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from gis.queries import load_queries
from ingest.schedule import Schedule
from ingest.source import load_sources

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class SourceHealth:
    """One source: when it ran, what it brought, and in a word how it is.

    Attributes
    ----------
    kind : `feed` (asked by us), `push` (sends by itself, or from files), or the type that the configuration names.
    failures : in a row. causes : of the alarms that stand. last_new_at : when its last new document came.
    documents : bodies stored. records : what was read from them, which is exactly `incidents` (reports that opened
        one) + `updates` (more about one) + `elsewhere` (about other places) + `rejected` (dead letters).
    health : `paused`, `circuit_open`, `failing`, `silent`, `wrong_time`, `late` (it is due for five minutes: no
        scheduler or no worker), `never_ran` or `good`; the first that fits.
    """

    name: str
    title: str
    kind: str
    schedule: Schedule | None
    is_private: bool
    can_run: bool
    health: str
    last_run_at: datetime | None = None
    last_success_at: datetime | None = None
    last_error: str | None = None
    next_run_at: datetime | None = None
    circuit_opened_at: datetime | None = None
    paused_at: datetime | None = None
    paused_by: str | None = None
    pause_reason: str | None = None
    failing_since: datetime | None = None
    failures: int = 0
    documents: int = 0
    last_new_at: datetime | None = None
    reports: int = 0
    incidents: int = 0
    elsewhere: int = 0
    rejected: int = 0
    causes: Sequence[str] = ()

    @property
    def updates(self) -> int:
        """Reports that told more of an incident which an earlier one of the source had told of."""
        return self.reports - self.incidents - self.elsewhere

    @property
    def records(self) -> int:
        """All that came in, usable or not."""
        return self.reports + self.rejected


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
    """Return the health of every source. Role: service or `dept_disaster`, which counts only what it may see."""
    rows = {row["name"]: dict(row) for row in connection.execute(_QUERIES["source_counts"]).mappings()}
    found = []
    for source in load_sources().values():
        row = rows.get(source.name, {})
        is_late = row.pop("is_late", False) and source.schedule is not None
        found.append(
            SourceHealth(
                title=source.title,
                kind=source.source_type or ("feed" if source.fetch else "push"),
                schedule=source.schedule,
                is_private=source.is_private,
                can_run=source.fetch is not None,
                health=_judge(row, is_late),
                **{**row, "name": source.name},
            )
        )
    return found


def _judge(row: Mapping[str, Any], is_late: bool) -> str:
    causes = row.get("causes", ())
    judgements = {
        "paused": row.get("paused_at"),
        "circuit_open": row.get("circuit_opened_at"),
        "failing": row.get("failures"),
        "silent": "silent" in causes,
        "wrong_time": "future" in causes or "past" in causes,
        "late": is_late,
        "never_ran": row.get("last_run_at") is None and not row.get("documents"),
    }
    return next((word for word, holds in judgements.items() if holds), "good")


def list_dead_letters(connection: Connection, limit: int = 20) -> list[DeadLetter]:
    """Return the newest dead letters, newest first. Role: service or `dept_disaster`."""
    return [DeadLetter(*row) for row in connection.execute(_QUERIES["dead_letters"], {"limit": limit})]
