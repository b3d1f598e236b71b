"""Plays of workers that die at every step, of several workers, and of servers that fail."""

from __future__ import annotations

import signal
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from bench import fault_death
from bench.cut_wire import CutWire
from bench.fault_stage import CONNECTIONS, Play, Stage


def dies(step: str, when: str) -> Play:
    """Let the worker kill itself before, during or after a step."""
    number = {"claim": 1, "connect": 2}.get(step, 20 if step != "commit" else 6)

    def play(stage: Stage) -> int:
        if stage.start(death=f"{step}:{when}:{number}").wait() != -signal.SIGKILL:
            stage.faults.append("the worker did not die")
        return CONNECTIONS

    return play


def killed_while_committing(stage: Stage) -> int:
    """Kill the worker while the database works at its record: the table of attempts is locked."""
    holder = stage.owner.connect()
    stage.at_content(20, lambda: holder.exec_driver_sql("LOCK TABLE alerts.attempt IN EXCLUSIVE MODE"))
    worker = stage.start()
    stage.wait_for(20)
    time.sleep(2)
    worker.kill()
    worker.wait()
    holder.close()
    return CONNECTIONS


def fails(step: str, order: str, numbers: tuple[int, ...] = (5, 20, 40)) -> Play:
    """Let the server fail now and then; only one that took a message and did not answer can make a double."""

    def play(stage: Stage) -> int:
        stage.server.fault = lambda reached, count, address: order if reached == step and count in numbers else None
        stage.start().wait()
        return len(numbers) if (step, order) in (("content", "drop"), ("content", "mute")) else 0

    return play


def several_workers(count: int, is_one_killed: bool) -> Play:
    """Let workers share the message; one of them may be killed."""

    def play(stage: Stage) -> int:
        if is_one_killed:
            stage.kill_at("content", 30, worker=count - 1)
        for _ in range(count):
            stage.start()
        for worker in stage.workers:
            worker.wait()
        return CONNECTIONS if is_one_killed else 0

    return play


def cut_off(stage: Stage) -> int:
    """Two workers, of which one cannot reach the database for a minute; it is taken for dead, and wakes up again."""
    target = next(Path(stage.settings.var_dir.parent).rglob(".s.PGSQL.5432"))
    with tempfile.TemporaryDirectory(prefix="mm-cut-", dir="/tmp") as folder, CutWire(Path(folder), target) as wire:
        stage.at_content(20, wire.cut)
        lonely = stage.start(f"postgresql://machimori_app@{quote(folder, safe='')}/bench")
        stage.wait_for(20)
        time.sleep(stage.cut_s / 2)
        stage.start().wait()
        time.sleep(stage.cut_s / 2)
        wire.mend()
        lonely.wait()
    return CONNECTIONS


DEATHS: dict[str, Play] = {
    f"worker killed {when} {step}": dies(step, when) for step in fault_death.STEPS for when in fault_death.WHENS
}
PLAYS: dict[str, Play] = {
    "worker killed, the commit waiting": killed_while_committing,
    "two workers": several_workers(2, is_one_killed=False),
    "two workers, one killed": several_workers(2, is_one_killed=True),
    "three workers": several_workers(3, is_one_killed=False),
    "three workers, one killed": several_workers(3, is_one_killed=True),
    "one of two cut off from the database": cut_off,
    "greeting hangs": fails("connect", "hang", (1,)),
    "421 at the greeting": fails("connect", "421 too busy", (1, 2)),
    "421 at MAIL": fails("MAIL", "421 closing"),
    "421 at RCPT": fails("RCPT", "421 closing"),
    "421 after the content": fails("content", "421 closing"),
    "450 at RCPT": fails("RCPT", "450 busy"),
    "452 at RCPT, full": fails("RCPT", "452 4.2.2 mailbox full"),
    "550 at RCPT": fails("RCPT", "550 5.1.1 no such user"),
    "550 after the content": fails("content", "550 5.1.1 no such user"),
    "554 at RCPT": fails("RCPT", "554 5.7.1 refused"),
    "554 after the content": fails("content", "554 5.7.1 taken for spam"),
    "452 after the content": fails("content", "452 disk full here"),
    "hangs at MAIL": fails("MAIL", "hang"),
    "hangs at RCPT": fails("RCPT", "hang"),
    "hangs at DATA": fails("DATA", "hang"),
    "drops at DATA": fails("DATA", "drop"),
    "drops after the content": fails("content", "drop"),
    "accepts and never answers": fails("content", "mute"),
    "answers drip": fails("content", "drip"),
}
