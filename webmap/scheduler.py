"""The clock: writes the periodic jobs, on one machine at a time.

Every machine may run a scheduler; the one that holds an advisory lock in the database leads. The
lock belongs to the database session through which the leader also writes its jobs, so a leader
that has lost its session has lost both at once and cannot write beside its successor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.blocking import BlockingScheduler
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from gis.database import SERVICE, Database
from gis.jobs import enqueue
from gis.settings import Settings
from ingest.clock import enqueue_due
from ingest.doorstep import enqueue_waiting, waiting_sources

# Any number that nothing else in the database uses as an advisory lock: the letters MMSC.
LEADER_LOCK = 0x4D4D5343
# A mail in a Maildir shall be in the moderators' queue within two seconds; a look costs a listing of an empty folder.
_DOORSTEP_EVERY_S = 0.5
_Result = TypeVar("_Result")
_LOG = structlog.get_logger()


@dataclass(frozen=True)
class Periodic:
    """A job written once a minute, or once an hour.

    Attributes
    ----------
    second : of each minute, or cron's form for several.
    minute : of each hour; every minute if not said.
    is_alone : the job waits while the one before it is still at work. Not for `gis.retry_stalled`: that one ends the
        jobs of workers that died, its own too.
    """

    task: str
    second: int | str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    minute: str = "*"
    is_alone: bool = False


def periodic_jobs() -> list[Periodic]:
    """Return what is to be written by the clock; the sources have schedules of their own (`ingest.clock`)."""
    return [
        Periodic("gis.retry_stalled", second=0),
        Periodic("alerts.sweep", second=40),
        Periodic("alerts.resume", second="*/5"),
        Periodic("alerts.read_bounces", second=10),
        Periodic("alerts.tell_outlets", second="*/10"),
        Periodic("webmap.remove_old_uploads", second=10, minute="35"),
        Periodic("ingest.resolve_quiet", second=50, minute="5"),
        Periodic("ingest.answer_citizens", second="*/20"),
        Periodic("ingest.forget_citizens", second=15, minute="41"),
        Periodic("ingest.forget", second=35, minute="23"),
        Periodic("layers.forget_answers", second=30, minute="17"),
        Periodic("layers.forget_checkins", second=40, minute="17"),
        Periodic("ingest.count_statistics", second=5, minute="*/10"),
        # After a storm of reports it is at work for minutes; a second one would take another worker's place.
        Periodic("ingest.take_up", second=25, is_alone=True),
        Periodic("ingest.watch", second=45),
        Periodic("ingest.prune_runs", second=15, minute="42"),
        Periodic("ingest.forget_pushes", second=20, minute="44"),
    ]


class Leader:
    """One candidate for the lead. Not for several threads at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None

    def write(self, job: Periodic) -> bool:
        """Write the job if this candidate leads; return whether it did.

        A job that still waits from the last time is not written twice. A lost connection ends the
        lead; the next call applies for it again.
        """
        lock = job.task if job.is_alone else None
        return bool(
            self._lead(lambda connection: enqueue(connection, job.task, lock=lock, once=job.task, **job.arguments))
        )

    def ask_sources(self, settings: Settings) -> list[str]:
        """Write a job for each source that is due, if this candidate leads; return their names."""
        return self._lead(lambda connection: enqueue_due(connection, settings)) or []

    def ask_waiting(self, settings: Settings) -> None:
        """Write a job for each source on whose doorstep something lies, if this candidate leads."""
        names = waiting_sources(settings)
        if names:
            self._lead(lambda connection: enqueue_waiting(connection, names))

    def _lead(self, work: Callable[[Connection], _Result]) -> _Result | None:
        """Do it in a transaction of the leader's session as the service; None when this candidate does not lead."""
        try:
            self._connection = self._connection or self._apply()
            if self._connection is None:
                return None
            with self._connection.begin():
                self._connection.execute(text("SELECT set_config('role', :role, true)"), {"role": SERVICE})
                return work(self._connection)
        except DBAPIError as error:
            _LOG.error("the scheduler lost the database and applies again at the next tick", error=str(error.orig))
            self.resign()
            return None

    def resign(self) -> None:
        """Give up the lead, if it was held."""
        if self._connection is not None:
            # The lock belongs to the session: it must end, not go back into the pool with the lock.
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _apply(self) -> Connection | None:
        connection = self._database.engine.connect()
        try:
            with connection.begin():
                is_leader = connection.execute(
                    text("SELECT pg_try_advisory_lock(:key)"), {"key": LEADER_LOCK}
                ).scalar_one()
        except DBAPIError:
            connection.close()
            raise
        if not is_leader:
            connection.close()
            return None
        _LOG.info("this scheduler leads")
        return connection


def is_led(connection: Connection) -> bool:
    """Whether any scheduler holds the lead in this database."""
    query = text(
        "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = :key AND granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
    )
    return bool(connection.execute(query, {"key": LEADER_LOCK}).scalar_one())


def run_scheduler(database: Database, settings: Settings) -> None:
    """Write the periodic jobs until the process is told to stop (SystemExit, KeyboardInterrupt)."""
    leader = Leader(database)
    # One thread: the leader's session is not for several at once.
    scheduler = BlockingScheduler(executors={"default": ThreadPoolExecutor(1)}, timezone="Asia/Tokyo")
    jobs = periodic_jobs()
    for job in jobs:
        scheduler.add_job(
            leader.write,
            "cron",
            args=[job],
            minute=job.minute,
            second=job.second,
            id=job.task,
            coalesce=True,
            misfire_grace_time=30,
        )
    scheduler.add_job(leader.ask_sources, "cron", args=[settings], second="*/5", id="sources", coalesce=True)
    scheduler.add_job(
        leader.ask_waiting, "interval", args=[settings], seconds=_DOORSTEP_EVERY_S, id="doorsteps", coalesce=True
    )
    # At once, too: apply for the lead, and look after what a crash left running.
    leader.write(jobs[0])
    try:
        scheduler.start()
    finally:
        if scheduler.running:
            scheduler.shutdown()
        leader.resign()
