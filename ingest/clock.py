"""What is due: the schedule of all sources, kept in the database, so that any scheduler goes on from it."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime

from sqlalchemy import Connection

from gis.jobs import enqueue
from gis.queries import load_queries
from gis.settings import Settings
from ingest.schedule import Schedule
from ingest.source import load_sources

# The leader ticks every few seconds; after this long without one, nobody keeps the clock.
CLOCK_SILENCE_S = 60

_QUERIES = load_queries(__file__)
_LEADER = f"{socket.gethostname()}:{os.getpid()}"


def enqueue_due(connection: Connection, settings: Settings) -> list[str]:
    """Write a job for each source that is due and not paused, and plan its next run; return their names.

    What was missed while no scheduler ran is due once, at once: a source asks for everything since its last success.
    Role: service; by the leading scheduler only.
    """
    connection.execute(_QUERIES["tick"], {"leader": _LEADER})
    schedules = scheduled_sources(settings)
    for name in schedules.keys() - set(connection.execute(_QUERIES["planned"]).scalars()):
        first = schedules[name].next_after(datetime.now(UTC))
        connection.execute(_QUERIES["plan_first"], {"source": name, "next_run_at": first})
    due = connection.execute(_QUERIES["due"], {"names": list(schedules)}).all()
    for row in due:
        enqueue(connection, "ingest.poll", once=poll_lock(row.name), source=row.name)
        connection.execute(
            _QUERIES["plan_next"], {"source": row.name, "next_run_at": schedules[row.name].next_after(row.at)}
        )
    return [row.name for row in due]


def scheduled_sources(settings: Settings) -> dict[str, Schedule]:
    """Return the rhythm of every source that has one and somebody to ask."""
    return {
        source.name: source.schedule
        for source in load_sources().values()
        if source.schedule is not None and source.can_be_asked(settings)
    }


def poll_lock(source: str) -> str:
    """Return the word under which only one run of a source waits in the queue, whoever asked for it."""
    return f"ingest.poll:{source}"


def clock_age_s(connection: Connection) -> float | None:
    """Return the seconds since the leading scheduler's last tick; None: there never was one."""
    age: float | None = connection.execute(_QUERIES["clock_age"]).scalar()
    return age
