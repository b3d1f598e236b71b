"""Work that follows: jobs in the same PostgreSQL, written in the caller's transaction.

Procrastinate decides *where* a job runs (workers on any number of machines); APScheduler
decides *when* the periodic ones are written (`webmap/scheduler.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import procrastinate
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy import Connection

from gis.database import SERVICE, Database
from gis.settings import Settings

app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())

# A job that fails (database gone, a bug) is tried again after 2, 4, 8 … seconds, for about an hour.
_RETRY = procrastinate.RetryStrategy(max_attempts=11, exponential_wait=2)

_Task = TypeVar("_Task", bound=Callable[..., Any])


@dataclass(frozen=True)
class JobContext:
    """What every task needs: the database and the installation's settings."""

    database: Database
    settings: Settings


_context: JobContext | None = None


def set_context(database: Database, settings: Settings) -> None:
    """Say what `context()` answers in this process; the worker does it once, tests per test."""
    global _context
    _context = JobContext(database, settings)


def context() -> JobContext:
    """Return the running process's database and settings."""
    if _context is None:
        raise RuntimeError("gis.jobs.set_context() was not called in this process")
    return _context


def task(name: str, queue: str) -> Callable[[_Task], _Task]:
    """Declare a function as the task `name`; it takes keyword arguments that fit into JSON.

    A task may run more than once (a worker can die after the work and before the note of it),
    so it must find out by itself whether its work is already done.
    """

    def declare(function: _Task) -> _Task:
        app.task(name=name, queue=queue, retry=_RETRY)(function)
        return function

    return declare


def enqueue(
    connection: Connection,
    task_name: str,
    *,
    queue: str | None = None,
    lock: str | None = None,
    once: str | None = None,
    delay_s: int = 0,
    **arguments: Any,
) -> bool:
    """Write a job in the caller's transaction: it exists if and only if the transaction commits.

    Parameters
    ----------
    task_name : a name given to `task`; its first part (before the dot) is the queue unless `queue` says otherwise.
    lock : jobs of one lock run one at a time, in the order they were written.
    once : while a job with this word still waits, no second one is written.
    delay_s : seconds before the job may start.

    Returns
    -------
    False when `once` held the job back.
    """
    deferrer = app.configure_task(
        task_name,
        allow_unknown=True,
        queue=queue or task_name.partition(".")[0],
        lock=lock,
        queueing_lock=once,
        schedule_in={"seconds": delay_s} if delay_s else None,
        connection=connection.connection.driver_connection,
    )
    if once is None:
        deferrer.defer(**arguments)
        return True
    savepoint = connection.begin_nested()
    try:
        deferrer.defer(**arguments)
    except AlreadyEnqueued:
        savepoint.rollback()
        return False
    savepoint.commit()
    return True


def worker_app(settings: Settings) -> procrastinate.App:
    """Return the same tasks on an asynchronous connector, for the worker process."""
    connector = procrastinate.PsycopgConnector(
        conninfo=settings.app_url(), kwargs={"options": f"-c role={SERVICE}"}, min_size=1, max_size=6
    )
    return app.with_connector(connector)
