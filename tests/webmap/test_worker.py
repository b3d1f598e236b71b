"""The worker and the scheduler as processes of their own, on a given database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, text

from gis.database import Database
from gis.jobs import enqueue
from gis.settings import PROJECT_DIR, Settings

Start = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.fixture
def start(settings: Settings) -> Iterator[Start]:
    """Starts a command on this test's database; what still runs at the end is killed."""
    environ = {
        **os.environ,
        "MACHIMORI_VAR": str(settings.var_dir),
        "MACHIMORI_DATABASE_URL": settings.database_url or "",
        "MACHIMORI_APP_DATABASE_URL": settings.app_database_url or "",
        "MACHIMORI_JMA_FEED_URL": "",
    }
    started: list[subprocess.Popen[bytes]] = []

    def start(command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-m", "webmap.cli", command], cwd=PROJECT_DIR, env=environ)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def _wait_until_nothing_waits(owner: Engine, process: subprocess.Popen[bytes]) -> None:
    query = text("SELECT count(*) FROM queue.procrastinate_jobs WHERE status IN ('todo', 'doing')")
    while True:
        assert process.poll() is None, "the worker ended by itself"
        with owner.connect() as connection:
            if connection.execute(query).scalar_one() == 0:
                return
        time.sleep(0.1)


def test_a_worker_does_what_waits_and_stops_when_it_is_told(database: Database, owner: Engine, start: Start) -> None:
    with database.begin("machimori_service") as connection:
        enqueue(connection, "gis.retry_stalled")
        enqueue(connection, "alerts.sweep")
    worker = start("worker")
    _wait_until_nothing_waits(owner, worker)
    with owner.connect() as connection:
        failed = connection.execute(text("SELECT task_name FROM queue.procrastinate_jobs WHERE status = 'failed'"))
        assert failed.all() == []
    worker.send_signal(signal.SIGTERM)
    assert worker.wait() == 0


def test_a_scheduler_writes_at_once_and_stops_when_it_is_told(owner: Engine, start: Start) -> None:
    scheduler = start("scheduler")
    query = text("SELECT task_name FROM queue.procrastinate_jobs")
    tasks: list[str] = []
    while not tasks:
        assert scheduler.poll() is None, "the scheduler ended by itself"
        time.sleep(0.1)
        with owner.connect() as connection:
            tasks = list(connection.execute(query).scalars())
    assert tasks[0] == "gis.retry_stalled"
    scheduler.send_signal(signal.SIGTERM)
    assert scheduler.wait() == 0


def test_a_service_refuses_a_database_that_was_not_migrated(owner: Engine, start: Start) -> None:
    with owner.begin() as connection:
        connection.execute(text("UPDATE public.schema_version SET version_num = '0000'"))
    assert start("worker").wait() == 2
