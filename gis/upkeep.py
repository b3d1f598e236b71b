"""Upkeep of the job queue: what a dead worker left half done goes back into the queue."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from gis.database import SERVICE
from gis.jobs import context, task
from gis.queries import load_queries

_QUERIES = load_queries(__file__)
_LOG = structlog.get_logger()

# Workers beat every 10 seconds; three missed beats mean that one is gone.
WORKER_SILENCE_S = 35
# A job that was running each time its worker died probably kills it.
_MAX_ATTEMPTS = 8


@dataclass(frozen=True)
class QueueState:
    """Counts: jobs that could run now, jobs given up, workers that live."""

    due: int
    failed: int
    workers: int


def retry_stalled(connection: Connection) -> list[int]:
    """Put the jobs of dead workers back into the queue; return their ids. Role: `machimori_service`.

    A job that lost its worker too often, or whose place in the queue was taken by an equal one,
    is marked as failed instead.
    """
    retried = []
    for job in connection.execute(_QUERIES["stalled_jobs"], {"silence_s": WORKER_SILENCE_S}).all():
        if job.is_replaced or job.attempts >= _MAX_ATTEMPTS:
            connection.execute(_QUERIES["fail_job"], {"job_id": job.id})
            _LOG.warning("stalled job given up", job=job.id, attempts=job.attempts, is_replaced=job.is_replaced)
        else:
            connection.execute(_QUERIES["retry_job"], {"job_id": job.id})
            _LOG.warning("stalled job back in the queue", job=job.id)
            retried.append(job.id)
    return retried


def queue_state(connection: Connection) -> QueueState:
    """Count the queue. Role: `machimori_service`."""
    return QueueState(*connection.execute(_QUERIES["queue_state"], {"silence_s": WORKER_SILENCE_S}).one())


@task("gis.retry_stalled", queue="gis")
def retry_stalled_jobs() -> None:
    """Run `retry_stalled` as a job."""
    with context().database.begin(SERVICE) as connection:
        retry_stalled(connection)
