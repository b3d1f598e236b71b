"""What a play has in hand, and how it is judged: the server's own count against the records and the report."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy import Engine, text

from alerts.delivery import send_alert
from alerts.report import count_in_doubt, report_alert
from bench.dispatch import approve_one
from bench.fault_server import FaultServer
from gis.database import SERVICE, Database
from gis.embedded import Cluster
from gis.settings import PROJECT_DIR, Settings

CONNECTIONS = 4
_ENDED = ("accepted", "bounced", "suppressed")
_DOUBTFUL = text(
    "SELECT DISTINCT d.id FROM alerts.delivery d JOIN alerts.attempt t ON t.delivery_id = d.id"
    " WHERE t.in_doubt AND d.alert_id = :id"
)


@dataclass
class Stage:
    """A fresh message for everybody, the server, and workers to start.

    Attributes
    ----------
    cut_s : how long a worker is cut off, where one is.
    faults : what a play saw itself that must not be.
    """

    settings: Settings
    owner: Engine
    server: FaultServer
    alert_id: int
    people: int
    cut_s: float
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def smtp_url(self) -> str:
        return f"smtp://127.0.0.1:{self.server.port}?connections={CONNECTIONS}"

    @property
    def cluster(self) -> Cluster:
        return Cluster(self.settings.var_dir.parent / "pg")

    def start(
        self, app_url: str = "", smtp_url: str = "", death: str = "", environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a worker's process."""
        command = [sys.executable, "-m", "bench.fault_worker", app_url or self.settings.app_url()]
        arguments = [str(self.settings.var_dir), smtp_url or self.smtp_url, str(self.alert_id)]
        if death:
            arguments.append(death)
        worker = subprocess.Popen(
            [*command, *arguments],
            cwd=PROJECT_DIR,
            stdout=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        )
        self.workers.append(worker)
        return worker

    def kill_at(self, step: str, number: int, worker: int = 0) -> None:
        """Kill a worker when the server has reached a step so often."""

        def kill(reached: str, count: int, address: str) -> None:
            if (reached, count) == (step, number):
                os.kill(self.workers[worker].pid, signal.SIGKILL)

        self.server.fault = kill

    def at_content(self, number: int, act: Callable[[], object]) -> None:
        """Do something when the server has so many contents; its answer to this one waits for it."""

        def do(reached: str, count: int, address: str) -> None:
            if (reached, count) == ("content", number):
                act()

        self.server.fault = do

    def wait_for(self, accepted: int, patience_s: float = 60) -> None:
        """Wait until the server has taken so many."""
        ends_at = time.monotonic() + patience_s
        while self.server.messages.total() < accepted:
            if time.monotonic() > ends_at:
                self.faults.append("the sending did not come so far")
                return
            time.sleep(0.05)

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

    def taken(self) -> Counter[int]:
        """Return how often the server took responsibility for each delivery of the message."""
        pairs = ((message_id.strip("<>").partition("@")[0], n) for message_id, n in self.server.messages.items())
        split = ((pair.partition("."), n) for pair, n in pairs)
        return Counter({int(delivery): n for (alert, _, delivery), n in split if int(alert) == self.alert_id})


Play = Callable[[Stage], int]  # plays, and returns how many doubles there may be


def check(stage: Stage, most_doubles: int) -> tuple[dict[str, int], str]:
    """Return the figures of a play, and what is wrong ("" = nothing).

    The report is right when its numbers are the server's, recipient by recipient, and its doubts are the records'.
    """
    taken, states = stage.taken(), stage.states()
    with stage.owner.connect() as connection:
        in_doubt = set(connection.execute(_DOUBTFUL, {"id": stage.alert_id}).scalars())
        accepted = set(
            connection.execute(
                text("SELECT id FROM alerts.delivery WHERE alert_id = :id AND state = 'accepted'"),
                {"id": stage.alert_id},
            ).scalars()
        )
    database = Database(stage.settings.app_url(), pool_size=1)
    with database.begin(SERVICE) as connection:
        told_doubts = count_in_doubt(connection, stage.alert_id)
        report = report_alert(connection, stage.alert_id)
    database.dispose()
    told = {row.state: row.messages for row in report.states}
    doubles = {delivery for delivery, times in taken.items() if times > 1}
    figures = {
        "accepted": states.get("accepted", 0),
        "bounced": states.get("bounced", 0) + states.get("suppressed", 0),
        "lost": len(accepted - taken.keys()),
        "doubles": taken.total() - len(taken),
        "in doubt": len(in_doubt),
    }
    wrongs = {
        "lost": figures["lost"] != 0,
        "not ended": sum(states.get(state, 0) for state in _ENDED) != stage.people,
        "too many doubles": figures["doubles"] > most_doubles,
        "a double nobody knows of": not doubles <= in_doubt,
        "the report is wrong": told_doubts != len(in_doubt) or told.get("accepted", 0) != len(taken) or told != states,
    }
    return figures, ", ".join([words for words, is_wrong in wrongs.items() if is_wrong] + stage.faults)


@contextmanager
def staged(settings: Settings, owner: Engine, cut_s: float, pipelining: bool = True) -> Iterator[Stage]:
    """Give a play its message and server; stop its workers whatever happens."""
    with FaultServer(pipelining=pipelining) as server:
        alert_id, people, _ = approve_one(settings)
        stage = Stage(settings, owner, server, alert_id, people, cut_s)
        try:
            yield stage
        finally:
            for worker in stage.workers:
                if worker.poll() is None:
                    worker.kill()
                worker.wait()
