"""The embedded cluster: real servers, killed and started again."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from gis.embedded import Cluster, embedded_cluster, running
from gis.errors import UsageError
from gis.placement import system_user
from gis.settings import Settings


@pytest.fixture
def installation() -> Iterator[Settings]:
    """An installation whose cluster the test may kill; stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="mm-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        settings = Settings(var_dir=Path(folder) / "var")
        yield settings
        embedded_cluster(settings).stop()


def _server_pid(cluster: Cluster) -> int:
    return int((cluster.data_dir / "postmaster.pid").read_text().split("\n")[0])


def _ask(settings: Settings, query: str) -> object:
    with psycopg.connect(settings.owner_url()) as connection:
        row = connection.execute(query).fetchone()
    return row and row[0]


def test_the_server_runs_inside_the_block_and_not_after(installation: Settings) -> None:
    with running(installation):
        assert _ask(installation, "SHOW server_encoding") == "UTF8"
        assert _ask(installation, "SHOW data_checksums") == "on"
    assert not embedded_cluster(installation).is_running()


def test_the_last_user_stops_the_server(installation: Settings) -> None:
    first_may_leave = threading.Event()

    def use_first() -> None:
        with running(installation):
            first_may_leave.wait()

    first = threading.Thread(target=use_first)
    first.start()
    try:
        with running(installation):
            first_may_leave.set()
            first.join()
            assert _ask(installation, "SELECT 1") == 1
    finally:
        first_may_leave.set()
    assert not embedded_cluster(installation).is_running()


def _hold(settings: Settings, ready: multiprocessing.synchronize.Event) -> None:
    with running(settings):
        ready.set()
        time.sleep(600)


def test_a_killed_user_and_a_killed_server_leave_nothing_in_the_way(installation: Settings) -> None:
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    user = context.Process(target=_hold, args=(installation, ready))
    user.start()
    ready.wait()
    with psycopg.connect(installation.owner_url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(user.pid or 0, signal.SIGKILL)
    os.kill(_server_pid(embedded_cluster(installation)), signal.SIGKILL)
    user.join()
    with running(installation):
        assert _ask(installation, "SELECT answer FROM kept") == 42


def test_a_pid_file_that_names_somebody_elses_process_is_not_believed(installation: Settings) -> None:
    with running(installation):
        lines = (embedded_cluster(installation).data_dir / "postmaster.pid").read_text().split("\n")
    pid_file = embedded_cluster(installation).data_dir / "postmaster.pid"
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    assert not embedded_cluster(installation).is_running()
    with running(installation):
        assert _ask(installation, "SELECT 1") == 1


def test_an_interrupted_initdb_is_done_again(installation: Settings) -> None:
    half_made = installation.cluster_dir / "data.new"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("15\n")
    with running(installation):
        assert _ask(installation, "SELECT 1") == 1


def test_a_path_too_long_for_a_socket_works() -> None:
    with tempfile.TemporaryDirectory(prefix="mm-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        settings = Settings(var_dir=Path(folder) / ("long" * 30) / "役場の 'var'")
        with running(settings):
            assert _ask(settings, "SELECT 1") == 1


def test_the_server_never_runs_as_root(installation: Settings) -> None:
    with running(installation):
        status = Path(f"/proc/{_server_pid(embedded_cluster(installation))}").stat()
        assert status.st_uid != 0
        assert embedded_cluster(installation).data_dir.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(system_user() is None, reason="needs root to give a folder away")
def test_a_folder_of_somebody_else_is_refused_with_a_cure(installation: Settings) -> None:
    installation.cluster_dir.mkdir(parents=True)
    os.chown(installation.cluster_dir, 12345, 12345)
    with pytest.raises(UsageError, match="belongs to somebody else") as refusal, running(installation):
        pass
    assert "MACHIMORI_VAR" in refusal.value.hint


def test_data_of_a_version_that_is_not_installed_name_the_package(installation: Settings) -> None:
    with running(installation):
        pass
    (embedded_cluster(installation).data_dir / "PG_VERSION").write_text("97\n")
    with pytest.raises(UsageError, match="PostgreSQL 97") as refusal:
        embedded_cluster(installation).start()
    assert "postgresql-97-postgis-3" in refusal.value.hint
    (embedded_cluster(installation).data_dir / "PG_VERSION").write_text("15\n")


def test_a_given_database_is_left_alone(settings: Settings) -> None:
    with running(settings):
        assert not settings.cluster_dir.exists()
