"""Faults played with real processes and a database that syncs its disk: nothing is lost, doubles are few and known.

    ./machimori bench faults [--people 200] [--cut-s 60] [--only WORD]

Every play sends one message to everybody, through real worker processes to an SMTP server that fails on purpose, then
lets the next worker finish. It counts what the server took responsibility for. A play fails when somebody was lost,
when there are more doubles than one per connection of the worker that died (or one per message that a server forgot to
answer), when a double is not noted as in doubt, or when the report does not say so. The exit code is 1 then.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Engine, text

from alerts.delivery import send_alert
from alerts.report import count_in_doubt
from bench.alert_path import prepare, throw_away_settings
from bench.cut_wire import CutWire
from bench.dispatch import approve_one
from bench.fault_server import STEPS, FaultServer
from gis.database import SERVICE, Database, owner_engine
from gis.settings import PROJECT_DIR, Settings

CONNECTIONS = 4
_ENDED = ("accepted", "bounced")


@dataclass
class Stage:
    """What a play has in hand: a fresh message for everybody, the server, and workers to start."""

    settings: Settings
    owner: Engine
    server: FaultServer
    alert_id: int
    people: int
    cut_s: float

    def __post_init__(self) -> None:
        self.workers: list[subprocess.Popen[bytes]] = []

    @property
    def smtp_url(self) -> str:
        return f"smtp://127.0.0.1:{self.server.port}?connections={CONNECTIONS}"

    def start(self, app_url: str = "") -> subprocess.Popen[bytes]:
        """Start a worker's process."""
        command = [sys.executable, "-m", "bench.fault_worker", app_url or self.settings.app_url()]
        arguments = [str(self.settings.var_dir), self.smtp_url, str(self.alert_id)]
        worker = subprocess.Popen([*command, *arguments], cwd=PROJECT_DIR, stdout=subprocess.DEVNULL)
        self.workers.append(worker)
        return worker

    def kill_at(self, step: str, number: int, worker: int = 0) -> None:
        """Kill a worker when the server has reached a step so often."""

        def kill(reached: str, count: int, address: str) -> None:
            if (reached, count) == (step, number):
                os.kill(self.workers[worker].pid, signal.SIGKILL)

        self.server.fault = kill

    def fail_at(self, step: str, order: str, numbers: tuple[int, ...] = (5, 20, 40)) -> None:
        """Let the server do something else at a step."""
        self.server.fault = lambda reached, count, address: order if reached == step and count in numbers else None

    def finish(self) -> None:
        """Send what is left, as the next workers do; waiting times are over at once."""
        self.server.fault = lambda step, count, address: None
        database, settings = Database(self.settings.app_url()), replace(self.settings, smtp_url=self.smtp_url)
        for _ in range(6):
            with self.owner.begin() as connection:
                connection.execute(text("UPDATE alerts.sender SET beats_until = now() - interval '1 second'"))
                connection.execute(text("UPDATE alerts.delivery SET next_attempt_at = now() WHERE state = 'deferred'"))
            send_alert(database, settings, self.alert_id)
            if self.states().keys() <= set(_ENDED):
                break
        database.dispose()

    def states(self) -> dict[str, int]:
        """Return how many deliveries of the message are in each state."""
        counted = text("SELECT state, count(*)::int FROM alerts.delivery WHERE alert_id = :id GROUP BY state")
        with self.owner.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(counted, {"id": self.alert_id})}


Play = Callable[[Stage], int]  # plays, and returns how many doubles there may be


def killed(step: str, number: int) -> Play:
    """Kill the worker at a step of the SMTP conversation."""

    def play(stage: Stage) -> int:
        stage.kill_at(step, number)
        stage.start().wait()
        return CONNECTIONS

    return play


def killed_at_commit(stage: Stage) -> int:
    """Kill the worker while it has answers that no record knows: the table of attempts is locked."""
    holder = stage.owner.connect()

    def lock(reached: str, count: int, address: str) -> None:
        if (reached, count) == ("content", 20):
            holder.exec_driver_sql("LOCK TABLE alerts.attempt IN EXCLUSIVE MODE")

    stage.server.fault = lock
    worker = stage.start()
    while sum(stage.server.accepted.values()) < 20:
        time.sleep(0.05)
    time.sleep(2)
    worker.kill()
    worker.wait()
    holder.close()
    return CONNECTIONS


def fails(step: str, order: str, numbers: tuple[int, ...] = (5, 20, 40)) -> Play:
    """Let the server fail now and then; only one that took a message and did not answer can make a double."""

    def play(stage: Stage) -> int:
        stage.fail_at(step, order, numbers)
        stage.start().wait()
        return len(numbers) if (step, order) in (("content", "drop"), ("content", "mute")) else 0

    return play


def three_workers(stage: Stage) -> int:
    """Three workers at once, of which one is killed."""
    stage.kill_at("content", 30, worker=1)
    for _ in range(3):
        stage.start()
    for worker in stage.workers:
        worker.wait()
    return CONNECTIONS


def cut_off(stage: Stage) -> int:
    """Two workers, of which one cannot reach the database for a minute; it is taken for dead, and wakes up again."""
    target = next(Path(stage.settings.var_dir.parent).rglob(".s.PGSQL.5432"))
    with tempfile.TemporaryDirectory(prefix="mm-cut-", dir="/tmp") as folder, CutWire(Path(folder), target) as wire:

        def cut(reached: str, count: int, address: str) -> None:
            if (reached, count) == ("content", 20):
                wire.cut()

        stage.server.fault = cut
        lonely = stage.start(f"postgresql://machimori_app@{quote(folder, safe='')}/bench")
        while sum(stage.server.accepted.values()) < 20:
            time.sleep(0.05)
        time.sleep(stage.cut_s / 2)
        stage.start().wait()
        time.sleep(stage.cut_s / 2)
        wire.mend()
        lonely.wait()
    return CONNECTIONS


PLAYS: dict[str, Play] = {
    **{f"worker killed at {step}": killed(step, 2 if step == "connect" else 20) for step in STEPS},
    "worker killed before the commit": killed_at_commit,
    "three workers, one killed": three_workers,
    "one of two cut off from the database": cut_off,
    "greeting hangs": fails("connect", "hang", (1,)),
    "421 at MAIL": fails("MAIL", "421 closing"),
    "450 at RCPT": fails("RCPT", "450 busy"),
    "452 at RCPT, full": fails("RCPT", "452 4.2.2 mailbox full"),
    "550 at RCPT": fails("RCPT", "550 5.1.1 no such user"),
    "554 after the content": fails("content", "554 5.7.1 taken for spam"),
    "452 after the content": fails("content", "452 disk full here"),
    "hangs at DATA": fails("DATA", "hang"),
    "drops at DATA": fails("DATA", "drop"),
    "drops after the content": fails("content", "drop"),
    "accepts and never answers": fails("content", "mute"),
    "answers drip": fails("content", "drip"),
}


def check(stage: Stage, most_doubles: int) -> tuple[dict[str, int], str]:
    """Return the figures of a play, and what is wrong ("" = nothing)."""
    accepted, states = stage.server.accepted, stage.states()
    doubtful = text(
        "SELECT DISTINCT d.address FROM alerts.delivery d JOIN alerts.attempt t ON t.delivery_id = d.id"
        " WHERE t.in_doubt AND d.alert_id = :id"
    )
    with stage.owner.connect() as connection:
        in_doubt = set(connection.execute(doubtful, {"id": stage.alert_id}).scalars())
    database = Database(stage.settings.app_url(), pool_size=1)
    with database.begin(SERVICE) as connection:
        told = count_in_doubt(connection, stage.alert_id)
    database.dispose()
    doubles = {address for address, times in accepted.items() if times > 1}
    figures = {
        "accepted": states.get("accepted", 0),
        "bounced": states.get("bounced", 0),
        "lost": states.get("accepted", 0) - len(accepted),
        "doubles": sum(accepted.values()) - len(accepted),
        "in doubt": len(in_doubt),
    }
    wrongs = {
        "lost": figures["lost"] != 0,
        "not ended": sum(states.get(state, 0) for state in _ENDED) != stage.people,
        "too many doubles": figures["doubles"] > most_doubles,
        "a double nobody knows of": not doubles <= in_doubt,
        "the report is wrong": told != len(in_doubt),
    }
    return figures, ", ".join(words for words, is_wrong in wrongs.items() if is_wrong)


@contextmanager
def staged(settings: Settings, owner: Engine, cut_s: float) -> Iterator[Stage]:
    """Give a play its message and server; stop its workers whatever happens."""
    with FaultServer() as server:
        alert_id, people, _ = approve_one(settings)
        stage = Stage(settings, owner, server, alert_id, people, cut_s)
        try:
            yield stage
        finally:
            for worker in stage.workers:
                if worker.poll() is None:
                    worker.kill()
                worker.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=200, metavar="N")
    parser.add_argument("--cut-s", type=float, default=60, metavar="S", help="how long one worker is cut off")
    parser.add_argument("--only", default="", metavar="WORD", help="only plays whose name has this word")
    args = parser.parse_args()
    wrong = 0
    print(
        f"{'play':40} {'accepted':>8} {'bounced':>8} {'lost':>5} {'doubles':>8} {'bound':>6} {'in doubt':>9} {'s':>5}"
    )
    with throw_away_settings(0) as settings:
        prepare(settings, args.people)
        owner = owner_engine(settings.owner_url())
        for name, play in PLAYS.items():
            if args.only not in name:
                continue
            began = time.monotonic()
            with staged(settings, owner, args.cut_s) as stage:
                bound = play(stage)
                stage.finish()
                figures, words = check(stage, bound)
            row = [f"{figures['accepted']:8} {figures['bounced']:8} {figures['lost']:5} {figures['doubles']:8}"]
            row.append(f"{bound:6} {figures['in doubt']:9} {time.monotonic() - began:5.0f} {words or 'ok'}")
            print(f"{name:40}", *row, flush=True)
            wrong += bool(words)
        owner.dispose()
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
