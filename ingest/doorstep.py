"""What lies in a folder of this machine is asked for at once: a mail in a Maildir, a whole file in a drop folder.

A mail server moves a mail into `new/` in one step (https://cr.yp.to/proto/maildir.html), so looking is enough and costs
one listing of a folder that is mostly empty. As long as something lies there, a job is written whenever none waits: a
mail that comes while a run is at work is found by the next look.
"""

from __future__ import annotations

from sqlalchemy import Connection

from gis.jobs import enqueue
from gis.queries import load_queries
from gis.settings import Settings
from ingest.clock import poll_lock, scheduled_sources
from ingest.source import load_sources

_QUERIES = load_queries(__file__)


def waiting_sources(settings: Settings) -> list[str]:
    """Return the scheduled sources on whose doorstep something lies; asks no database."""
    sources = load_sources()
    looks = {name: sources[name].is_waiting for name in scheduled_sources(settings)}
    return [name for name, is_waiting in looks.items() if is_waiting is not None and is_waiting()]


def enqueue_waiting(connection: Connection, names: list[str]) -> None:
    """Write a job for each of these sources that is neither paused nor failing: those wait for their schedule.

    Role: service; by the leading scheduler only.
    """
    for name in connection.execute(_QUERIES["ready"], {"names": names}).scalars().all():
        enqueue(connection, "ingest.poll", once=poll_lock(name), source=name)
