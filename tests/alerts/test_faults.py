"""Faults played with real processes: nothing is lost, and what may arrive twice is bounded and named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.channels import smtp_wire
from alerts.delivery import send_alert
from alerts.report import count_in_doubt
from bench.fault_server import STEPS, FaultServer
from gis.settings import PROJECT_DIR, Settings
from tests.alerts.alert_town import FIRST, MAJOR, SquareTown

Considered = Callable[..., int | None]
PEOPLE = 60
CONNECTIONS = 4


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


class Play:
    """One alert for everybody, worker processes to send it, and the check afterwards."""

    def __init__(self, town: SquareTown, considered: Considered, settings: Settings, server: FaultServer) -> None:
        for number in range(PEOPLE):
            town.subscribe(f"a{number}@machimori.example")
        alert_id = considered(MAJOR)
        assert alert_id
        self.alert_id, self.town, self.server = alert_id, town, server
        self.smtp_url = f"smtp://127.0.0.1:{server.port}?connections={CONNECTIONS}"
        self.settings = replace(settings, smtp_url=self.smtp_url)
        self.workers: list[subprocess.Popen[str]] = []

    def start_worker(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "bench.fault_worker", self.settings.app_url(), str(self.settings.var_dir)]
        worker = subprocess.Popen(
            [*command, self.smtp_url, str(self.alert_id)], cwd=PROJECT_DIR, stdout=subprocess.PIPE, text=True
        )
        self.workers.append(worker)
        return worker

    def kill(self, number: int = 0) -> None:
        os.kill(self.workers[number].pid, signal.SIGKILL)

    def let_the_dead_be_noticed(self) -> None:
        self.town.execute("UPDATE alerts.sender SET beats_until = now() - interval '1 second'")

    def finish(self) -> None:
        """Send what is left, as the next worker does, until nothing is due."""
        self.server.fault = lambda step, count, address: None
        for _ in range(5):
            self.town.execute(
                "UPDATE alerts.delivery SET next_attempt_at = now() WHERE state IN ('pending', 'deferred')"
            )
            send_alert(self.town.database, self.settings, self.alert_id)
            if self.states() == {"accepted"}:
                return

    def states(self) -> set[str]:
        return {row.state for row in self.town.execute("SELECT DISTINCT state FROM alerts.delivery")}

    def check(self, most_doubles: int) -> None:
        """Lost = 0; doubles at most so many, each of them noted as in doubt, and the report says how many."""
        assert self.states() == {"accepted"}
        assert len(self.server.accepted) == PEOPLE, "somebody was lost"
        doubles = {address for address, times in self.server.accepted.items() if times > 1}
        rows = self.town.execute(
            "SELECT address FROM alerts.delivery d JOIN alerts.attempt t ON t.delivery_id = d.id WHERE t.in_doubt"
        )
        assert doubles <= {row.address for row in rows}, "a double that nobody knows of"
        assert sum(self.server.accepted.values()) - PEOPLE <= most_doubles
        with self.town.database.begin("machimori_service") as connection:
            assert count_in_doubt(connection, self.alert_id) == len({row.address for row in rows})
        assert self.town.scalar("SELECT state FROM alerts.alert WHERE id = :id", id=self.alert_id) == "sent"


@pytest.fixture
def play(town: SquareTown, considered: Considered, settings: Settings, server: FaultServer) -> Iterator[Play]:
    play = Play(town, considered, settings, server)
    yield play
    for worker in play.workers:
        if worker.poll() is None:
            worker.kill()
        worker.wait()


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_at_any_step_loses_nothing(play: Play, step: str) -> None:
    at = 2 if step == "connect" else 20

    def kill(reached: str, count: int, address: str) -> None:
        if (reached, count) == (step, at):
            play.kill()

    play.server.fault = kill
    assert play.start_worker().wait(60) == -signal.SIGKILL
    play.let_the_dead_be_noticed()
    play.finish()
    play.check(most_doubles=CONNECTIONS)


def test_a_worker_killed_between_the_answer_and_the_commit_loses_nothing(play: Play) -> None:
    # The statement that records the results waits for this lock, so connections have an answer and no record.
    holder = play.town.owner.connect()
    before_lock: list[int] = []

    def lock(reached: str, count: int, address: str) -> None:
        if (reached, count) == ("content", 6):
            holder.exec_driver_sql("LOCK TABLE alerts.attempt IN EXCLUSIVE MODE")
            before_lock.append(sum(play.server.accepted.values()))

    play.server.fault = lock
    worker = play.start_worker()
    while not before_lock:
        time.sleep(0.05)
    time.sleep(1.0)
    handed_over = sum(play.server.accepted.values())
    time.sleep(0.5)
    assert sum(play.server.accepted.values()) == handed_over <= before_lock[0] + CONNECTIONS, (
        "nothing leaves while no result is durable"
    )
    worker.kill()
    worker.wait()
    holder.close()
    play.town.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND state = 'active' AND pid <> pg_backend_pid()"
    )
    play.let_the_dead_be_noticed()
    play.finish()
    play.check(most_doubles=CONNECTIONS)


def test_three_workers_of_which_one_dies_send_everything_once(play: Play) -> None:
    def kill(reached: str, count: int, address: str) -> None:
        if (reached, count) == ("content", 15):
            play.kill(1)

    play.server.fault = kill
    for _ in range(3):
        play.start_worker()
    for worker in play.workers:
        worker.wait(60)
    play.let_the_dead_be_noticed()
    play.finish()
    play.check(most_doubles=CONNECTIONS)


@pytest.mark.parametrize(
    ("step", "order", "most_doubles"),
    [
        ("connect", "hang", 0),
        ("MAIL", "421 closing", 0),
        ("RCPT", "450 busy", 0),
        ("RCPT", "452 4.2.2 mailbox full", 0),
        ("RCPT", "drop", 0),
        ("DATA", "451 later", 0),
        ("DATA", "hang", 0),
        ("DATA", "drop", 0),
        ("content", "452 disk full here", 0),
        ("content", "drip", 0),
        ("content", "drop", 3),
        ("content", "mute", 3),
    ],
)
def test_a_server_that_fails_now_and_then_loses_nothing(
    play: Play, monkeypatch: pytest.MonkeyPatch, step: str, order: str, most_doubles: int
) -> None:
    monkeypatch.setattr(smtp_wire, "TIMEOUTS", smtp_wire.Timeouts(connect=0.4, command=0.4, content=0.4))
    at = {"connect": (1,)}.get(step, (5, 20, 40))
    play.server.fault = lambda reached, count, address: order if reached == step and count in at else None
    send_alert(play.town.database, play.settings, play.alert_id)
    play.finish()
    play.check(most_doubles)


def test_a_server_that_throws_away_an_early_envelope_gets_none_early_any_more(
    town: SquareTown, considered: Considered, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp_wire, "TIMEOUTS", smtp_wire.Timeouts(connect=2, command=0.5, content=2))
    connected: list[int] = []
    with FaultServer(swallows=True) as server:
        server.fault = lambda reached, count, address: connected.append(count) if reached == "connect" else None
        play = Play(town, considered, settings, server)
        assert send_alert(town.database, play.settings, play.alert_id) == {"accepted": PEOPLE}
        assert set(server.accepted.values()) == {1}
    assert CONNECTIONS < len(connected) <= 2 * CONNECTIONS, "each connection is lost once, not at each message"


def test_a_cancellation_while_sending_stops_it_within_a_message_a_connection(
    play: Play, considered: Considered
) -> None:
    cancelled = threading.Event()

    def cancel(reached: str, count: int, address: str) -> None:
        if (reached, count) == ("content", 10):
            considered({}, level=0, phase="withdrawn", reported_at=FIRST + timedelta(minutes=1))
            cancelled.set()
        elif reached == "content" and count > 10:
            cancelled.wait(20)

    play.server.fault = cancel
    send_alert(play.town.database, play.settings, play.alert_id)
    first = play.town.execute(
        "SELECT state, count(*) AS n FROM alerts.delivery WHERE alert_id = :id GROUP BY state", id=play.alert_id
    )
    counts = {row.state: row.n for row in first}
    assert counts.keys() == {"accepted", "suppressed"} and sum(counts.values()) == PEOPLE
    assert counts["accepted"] < 10 + 3 * CONNECTIONS
    later = play.town.scalar("SELECT count(*) FROM alerts.delivery WHERE alert_id <> :id", id=play.alert_id)
    assert later >= 10, "who got the warning gets the withdrawal"


def test_a_database_whose_disk_is_full_stops_the_sending_and_loses_nothing(play: Play) -> None:
    play.town.execute(
        "CREATE FUNCTION alerts.full() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$"
    )

    def fill(reached: str, count: int, address: str) -> None:
        if (reached, count) == ("content", 12):
            play.town.execute("CREATE TRIGGER full_disk BEFORE INSERT ON alerts.attempt EXECUTE FUNCTION alerts.full()")

    play.server.fault = fill
    worker = play.start_worker()
    while play.town.scalar("SELECT count(*) FROM pg_trigger WHERE tgname = 'full_disk'") == 0:
        time.sleep(0.1)
    time.sleep(1.5)
    handed_over = sum(play.server.accepted.values())
    time.sleep(0.5)
    assert sum(play.server.accepted.values()) == handed_over < PEOPLE, "nothing leaves that cannot be recorded"
    play.town.execute("DROP TRIGGER full_disk ON alerts.attempt")
    assert worker.wait(60) == 0
    play.check(most_doubles=0)
