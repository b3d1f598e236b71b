"""The database killed in the middle of sending, on a cluster of its own that syncs its disk as in operation."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from alerts.delivery import send_alert
from bench.alert_path import prepare
from bench.dispatch import approve_one
from bench.fault_server import FaultServer
from gis.database import Database, owner_engine
from gis.embedded import Cluster
from gis.settings import PROJECT_DIR, Settings

PEOPLE = 300
CONNECTIONS = 4


@pytest.fixture
def durable() -> Iterator[tuple[Cluster, Settings]]:
    folder = Path(tempfile.mkdtemp(prefix="mm-kill-", dir="/tmp"))
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
    cluster = Cluster(folder / "pg")
    try:
        cluster.start()
        cluster.create_database("kill")
        urls = cluster.url("postgres", "kill"), cluster.url("machimori_app", "kill")
        yield cluster, Settings(folder / "var", urls[0], urls[1], jma_feed_url="")
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def kill_all_of(cluster: Cluster) -> None:
    postmaster = int((cluster.data_dir / "postmaster.pid").read_text().split("\n", 1)[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    for pid in [postmaster, *map(int, children)]:
        os.kill(pid, signal.SIGKILL)


def test_a_database_killed_while_sending_loses_nothing_and_doubles_at_most_one_a_connection(
    durable: tuple[Cluster, Settings],
) -> None:
    cluster, settings = durable
    prepare(settings, PEOPLE)
    alert_id, people, _ = approve_one(settings)
    is_killed = threading.Event()

    def kill(step: str, count: int, address: str) -> None:
        if (step, count) == ("content", 100):
            kill_all_of(cluster)
            is_killed.set()

    with FaultServer() as server:
        server.fault = kill
        url = f"smtp://127.0.0.1:{server.port}?connections={CONNECTIONS}"
        command = [sys.executable, "-m", "bench.fault_worker", settings.app_url(), str(settings.var_dir), url]
        worker = subprocess.Popen([*command, str(alert_id)], cwd=PROJECT_DIR)
        assert is_killed.wait(60)
        time.sleep(1)
        handed_over = sum(server.accepted.values())
        assert handed_over <= 100 + CONNECTIONS, "nothing leaves while nothing can be recorded"
        cluster.start()
        assert worker.wait(90) == 0, "the worker itself goes on"
        owner = owner_engine(settings.owner_url())
        with owner.begin() as connection:
            connection.execute(text("UPDATE alerts.delivery SET next_attempt_at = now() WHERE state = 'deferred'"))
        database = Database(settings.app_url())
        send_alert(database, Settings(settings.var_dir, smtp_url=url), alert_id)
        database.dispose()
        with owner.connect() as connection:
            states = connection.execute(text("SELECT state, count(*) FROM alerts.delivery GROUP BY state")).all()
        owner.dispose()
        assert states == [("accepted", people)]
        assert len(server.accepted) == people, "somebody was lost"
        assert sum(server.accepted.values()) - people <= CONNECTIONS
