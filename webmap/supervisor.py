"""Keeps the processes of one installation running, and stops them in order.

Each child is the leader of its own session, so that Ctrl-C reaches only the supervisor and a dead
child's own children can be ended with it. A child asks the kernel for SIGTERM at its parent's death,
so that nothing outlives a supervisor that was killed; what does so all the same (a web worker whose
leader was killed too) is found by its session and ended at the next start.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from gis.settings import PROJECT_DIR
from webmap.sessions import Session, end_session, find_session

_PR_SET_PDEATHSIG = 1  # prctl(2)
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0
_STEADY_AFTER_S = 60.0  # a child that ran so long has recovered; its next failure counts as the first
_STOP_TIMEOUT_S = 20.0
_LOG_LIMIT_BYTES = 10_000_000

Say = Callable[[str], None]


@dataclass(frozen=True)
class Running:
    """A child's present process; `started_at` is monotonic, in seconds."""

    process: subprocess.Popen[bytes]
    session: Session
    started_at: float


@dataclass
class Child:
    """One process to keep running.

    Attributes
    ----------
    name : what the console calls it; also the name of its log.
    arguments : of `python -m webmap.cli`.
    """

    name: str
    arguments: Sequence[str]
    running: Running | None = None
    failures: int = 0
    start_again_at: float | None = None


@dataclass
class Supervisor:
    """Starts, watches, restarts and stops children.

    Parameters
    ----------
    run_dir, log_dir : where the list of children and their logs are kept.
    environ : the children's environment.
    say : prints one line for the person at the console.
    """

    run_dir: Path
    log_dir: Path
    environ: Mapping[str, str]
    say: Say
    children: list[Child] = field(default_factory=list)

    def end_leftovers(self) -> None:
        """End what an earlier supervisor left running because it was killed."""
        if not self._list_file.exists():
            return
        for line in self._list_file.read_text().splitlines():
            name, *numbers = line.split()
            session = Session(*(int(number) for number in numbers))
            if find_session(session):
                self.say(f"ending {name}, which an earlier start left running")
                end_session(session, _STOP_TIMEOUT_S)
        self._list_file.unlink()

    def start(self, child: Child) -> None:
        """Start a child; its output is appended to its log. Call it from the main thread (see prctl(2))."""
        with self._open_log(child) as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "webmap.cli", *child.arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=PROJECT_DIR,
                env={**self.environ, "PYTHONPATH": str(PROJECT_DIR)},
                start_new_session=True, preexec_fn=_die_with(os.getpid()),
            )  # fmt: skip
        child.running = Running(process, Session.of(process.pid), time.monotonic())
        child.start_again_at = None
        if child not in self.children:
            self.children.append(child)
        self._write_list()

    def watch(self) -> None:
        """Look once at every child: note who died, start again who has paused long enough."""
        now = time.monotonic()
        for child in self.children:
            if child.running and child.running.process.poll() is not None:
                self._note_death(child, child.running, now)
            elif child.start_again_at is not None and now >= child.start_again_at:
                self.start(child)

    def stop_all(self) -> None:
        """Stop the children, the last started first; one that does not listen is killed."""
        for child in reversed(self.children):
            if child.running is None:
                continue
            process = child.running.process
            process.terminate()
            try:
                process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.say(f"{child.name} does not stop by itself, killing it")
            end_session(child.running.session, 0)
            process.wait()
        self.children.clear()
        self._list_file.unlink(missing_ok=True)

    def log_file(self, child: Child) -> Path:
        """Return the file that the child writes to."""
        return self.log_dir / f"{child.name}.log"

    @property
    def _list_file(self) -> Path:
        return self.run_dir / "children"

    def _note_death(self, child: Child, ended: Running, now: float) -> None:
        if now - ended.started_at > _STEADY_AFTER_S:
            child.failures = 0
        pause_s = min(_FIRST_PAUSE_S * 2**child.failures, _LONGEST_PAUSE_S)
        child.failures += 1
        child.running = None
        child.start_again_at = now + pause_s
        end_session(ended.session, 0)
        self.say(
            f"{child.name} ended by itself ({_describe_end(ended.process.returncode)}); starting it again in"
            f" {pause_s:.0f} s; its log is {self.log_file(child)}"
        )

    def _open_log(self, child: Child) -> BinaryIO:
        self.log_dir.mkdir(parents=True, exist_ok=True)
        path = self.log_file(child)
        if path.exists() and path.stat().st_size > _LOG_LIMIT_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path.open("ab")

    def _write_list(self) -> None:
        self.run_dir.mkdir(parents=True, exist_ok=True)
        sessions = [(child.name, child.running.session) for child in self.children if child.running]
        text = "".join(f"{name} {session.leader_pid} {session.started_ticks}\n" for name, session in sessions)
        unfinished = self._list_file.with_suffix(".new")
        unfinished.write_text(text)
        unfinished.replace(self._list_file)


def _die_with(parent_pid: int) -> Callable[[], None]:
    """Return what a child does between fork and exec: ask for SIGTERM when its parent dies."""
    libc = ctypes.CDLL(None, use_errno=True)

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent_pid:  # the parent died before we could ask
            os._exit(1)

    return ask_kernel


def _describe_end(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
