"""Plays of the ground under a worker: a killed database, a full disk, clocks, certificates, a cancellation."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from alerts.approval import approve, submit
from alerts.drafting import answer_alert
from bench import fault_disk
from bench.authority import Authority
from bench.fault_server import FaultServer
from bench.fault_stage import CONNECTIONS, Play, Stage
from gis.database import Database
from gis.embedded import Cluster
from gis.town import load_town

_CLOCK_LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")
_SEEN_S = 1.5  # so long a play watches that nothing leaves


def kill_cluster(cluster: Cluster) -> None:
    """Kill the database's server and all its processes."""
    postmaster = int((cluster.data_dir / "postmaster.pid").read_text().split("\n", 1)[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    for pid in [postmaster, *map(int, children)]:
        os.kill(pid, signal.SIGKILL)


def database_killed(stage: Stage) -> int:
    """Kill PostgreSQL in the middle; the worker itself goes on when it is back."""
    stage.at_content(60, lambda: kill_cluster(stage.cluster))
    worker = stage.start()
    stage.wait_for(60)
    _nothing_leaves(stage)
    stage.cluster.start()
    stage.owner.dispose()
    if worker.wait() != 0:
        stage.faults.append("the worker gave up")
    return CONNECTIONS


def tables_full(stage: Stage) -> int:
    """Fill the disk until no table grows; the database lives and refuses."""
    folder = stage.settings.var_dir.parent

    def fill() -> None:
        fault_disk.fill(folder)
        with contextlib.suppress(DBAPIError), stage.owner.begin() as connection:  # "no space left": what is wanted
            connection.execute(
                text("CREATE TABLE much AS SELECT repeat(n::text, 900) FROM generate_series(1, 90000) n")
            )
            stage.faults.append("the disk is not full")

    return _full(stage, fill)


def log_full(stage: Stage) -> int:
    """Fill the disk until the write-ahead log has no room: PostgreSQL panics, and cannot start."""
    folder = stage.settings.var_dir.parent

    def fill() -> None:
        fault_disk.fill(folder)
        with contextlib.suppress(DBAPIError), stage.owner.connect() as connection:  # the server goes away: wanted
            for _ in range(400):
                connection.execute(text("SELECT pg_logical_emit_message(false, 'much', repeat('x', 1000000))"))
                connection.commit()
            stage.faults.append("the log is not full")

    return _full(stage, fill)


def _full(stage: Stage, fill: Callable[[], None]) -> int:
    stage.at_content(60, fill)
    worker = stage.start()
    stage.wait_for(60)
    time.sleep(3)
    _nothing_leaves(stage)
    fault_disk.free(stage.settings.var_dir.parent)
    stage.cluster.start()
    stage.owner.dispose()
    if worker.wait() != 0:
        stage.faults.append("the worker gave up")
    return CONNECTIONS


def _nothing_leaves(stage: Stage) -> None:
    time.sleep(_SEEN_S)
    before = stage.server.messages.total()
    time.sleep(_SEEN_S)
    if stage.server.messages.total() != before or before >= stage.people:
        stage.faults.append("something left that could not be recorded")


def clock_library() -> str:
    """Return libfaketime's file, "" where it is not installed."""
    found = [path for pattern in _CLOCK_LIBRARIES for path in Path("/").glob(pattern[1:])]
    return str(found[0]) if found else ""


def clock_jumps(by: timedelta) -> Play:
    """Let the clock of one of two workers jump in the middle; leases and waiting times are the database's."""

    def play(stage: Stage) -> int:
        with tempfile.TemporaryDirectory(prefix="mm-clock-", dir="/tmp") as folder:
            offset = Path(folder) / "offset"
            offset.write_text("+0")
            environment = {
                "LD_PRELOAD": clock_library(),
                "FAKETIME_TIMESTAMP_FILE": str(offset),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # the name since 0.9.9; the other is that before
                "DONT_FAKE_MONOTONIC": "1",
            }

            def jump_and_be_slow(reached: str, count: int, address: str) -> None:
                if (reached, count) == ("content", 20):
                    offset.write_text(f"{by.total_seconds():+.0f}")
                elif reached == "content":
                    time.sleep(0.1)  # so that the other worker is there while this one still has all it claimed

            stage.server.fault = jump_and_be_slow
            stage.start(environment=environment)
            stage.wait_for(1)
            stage.start()
            for worker in stage.workers:
                worker.wait()
        if stage.states() != {"accepted": stage.people}:
            stage.faults.append("not all went out at one go")
        if not _has_attempt_at(stage, by):
            stage.faults.append("the clock did not jump")
        return 0

    return play


def _has_attempt_at(stage: Stage, by: timedelta) -> bool:
    """Return whether the worker's own clock, which times its attempts, stood that far from the database's."""
    found = text(
        "SELECT EXISTS (SELECT FROM alerts.attempt JOIN alerts.delivery d ON d.id = delivery_id WHERE alert_id = :id"
        " AND abs(extract(epoch FROM started_at - now()) - :by) < 600)"
    )
    with stage.owner.connect() as connection:
        return bool(connection.execute(found, {"id": stage.alert_id, "by": by.total_seconds()}).scalar_one())


def certificate_expired(scheme: str) -> Play:
    """Let the first relay's certificate have expired: the second takes everything, and the record says why."""

    def play(stage: Stage) -> int:
        with tempfile.TemporaryDirectory(prefix="mm-ca-", dir="/tmp") as folder:
            authority = Authority(Path(folder))
            context = authority.context(expires=timedelta(days=-1))
            with FaultServer(context, starttls=scheme == "smtp+starttls") as expired:
                first = f"{scheme}://127.0.0.1:{expired.port}?connections={CONNECTIONS}&ca={authority.file}"
                stage.start(smtp_url=f"{first} {stage.smtp_url}").wait()
                if expired.messages:
                    stage.faults.append("sent over an expired certificate")
                told = text("SELECT reason FROM alerts.relay_health WHERE relay LIKE :relay")
                with stage.owner.connect() as connection:
                    reasons = connection.execute(told, {"relay": f"%:{expired.port}%"}).scalars().all()
        if not any("expired" in reason for reason in reasons):
            stage.faults.append("staff are not told of the certificate")
        if stage.states() != {"accepted": stage.people}:
            stage.faults.append("the second relay did not take over")
        return 0

    return play


def cancelled(stage: Stage) -> int:
    """Cancel while sending: two people withdraw the message, and at most what is on the connections still goes."""

    def cancel() -> None:
        database = Database(stage.settings.app_url(), pool_size=1)
        with database.begin("dept_disaster", "bench.author") as connection:
            answer = answer_alert(connection, stage.alert_id, "cancel", load_town())
            submit(connection, answer, "bench.author")
        with database.begin("dept_disaster", "bench.approver") as connection:
            approve(connection, answer, "bench.approver")
        database.dispose()
        sent.append(len(stage.taken()))

    sent: list[int] = []
    stage.at_content(20, cancel)
    stage.start().wait()
    states = stage.states()
    if not sent or states.get("accepted", 0) > sent[0] + 2 * CONNECTIONS or not states.get("suppressed"):
        stage.faults.append("the cancellation did not stop it")
    return 0


GROUND_PLAYS: dict[str, Play] = {
    "database killed": database_killed,
    "certificate expired, TLS": certificate_expired("smtps"),
    "certificate expired, STARTTLS": certificate_expired("smtp+starttls"),
    "cancelled while sending": cancelled,
}
CLOCK_PLAYS: dict[str, Play] = {
    f"a worker's clock jumps by {name}": clock_jumps(timedelta(hours=hours))
    for name, hours in (("+1 h", 1), ("-1 h", -1), ("+1 day", 24), ("-1 day", -24))
}
DISK_PLAYS: dict[str, Play] = {"disk full, tables": tables_full, "disk full, log": log_full}
