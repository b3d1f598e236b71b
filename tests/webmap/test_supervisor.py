"""Children that die, hang or outlive their supervisor: real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gis.settings import PROJECT_DIR
from webmap.sessions import Session, end_session, find_session
from webmap.supervisor import Child, Supervisor


@pytest.fixture
def lines() -> list[str]:
    """What the person at the console was told."""
    return []


@pytest.fixture
def supervisor(tmp_path: Path, lines: list[str]) -> Iterator[Supervisor]:
    """A supervisor of an installation of its own."""
    environ = {**os.environ, "MACHIMORI_VAR": str(tmp_path / "var")}
    supervisor = Supervisor(tmp_path / "var" / "run", tmp_path / "var" / "log", environ, lines.append)
    yield supervisor
    supervisor.stop_all()


def _wait_for(condition: Callable[[], object]) -> None:
    while not condition():
        time.sleep(0.05)


def _port_file(supervisor: Supervisor) -> Path:
    return supervisor.run_dir / "mailbox.port"


def test_a_child_that_dies_is_started_again_and_the_console_says_so(supervisor: Supervisor, lines: list[str]) -> None:
    child = Child("mailbox", ["mailbox"])
    supervisor.start(child)
    _wait_for(_port_file(supervisor).exists)
    assert child.running
    first = child.running.process
    first.kill()
    first.wait()
    supervisor.watch()
    assert child.running is None
    assert "mailbox ended by itself (signal SIGKILL); starting it again in 1 s" in lines[0]
    child.start_again_at = time.monotonic()
    supervisor.watch()
    assert child.running
    assert child.running.process.pid != first.pid


def test_the_pause_grows_while_a_child_keeps_failing(supervisor: Supervisor, lines: list[str]) -> None:
    child = Child("broken", ["no-such-command"])
    supervisor.start(child)
    for _ in range(3):
        assert child.running
        child.running.process.wait()
        supervisor.watch()
        child.start_again_at = time.monotonic()
        supervisor.watch()
    assert [line.split(" in ")[1].split(";")[0] for line in lines] == ["1 s", "2 s", "4 s"]
    assert "exit code 2" in lines[0]
    assert "no-such-command" in supervisor.log_file(child).read_text()


def test_stopping_lets_a_child_finish_in_its_own_way(supervisor: Supervisor) -> None:
    supervisor.start(Child("mailbox", ["mailbox"]))
    _wait_for(_port_file(supervisor).exists)
    supervisor.stop_all()
    assert not _port_file(supervisor).exists(), "the mailbox took its port back, so it was not killed"


_OWNER = """
import os, sys, time
from pathlib import Path
from webmap.supervisor import Child, Supervisor
var = Path(sys.argv[1])
supervisor = Supervisor(var / "run", var / "log", os.environ, print)
supervisor.start(Child("mailbox", ["mailbox"]))
time.sleep(600)
"""


def _start_owner(supervisor: Supervisor) -> subprocess.Popen[bytes]:
    var_dir = supervisor.run_dir.parent
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(var_dir)], cwd=PROJECT_DIR, env=dict(supervisor.environ)
    )
    _wait_for(_port_file(supervisor).exists)
    return owner


def test_children_of_a_killed_supervisor_stop_by_themselves(supervisor: Supervisor) -> None:
    owner = _start_owner(supervisor)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    _wait_for(lambda: not _port_file(supervisor).exists())


def test_what_outlived_a_killed_supervisor_is_ended_at_the_next_start(supervisor: Supervisor, lines: list[str]) -> None:
    # A process in a session of its own, as a web worker whose leader was killed is.
    survivor = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    session = Session.of(survivor.pid)
    supervisor.run_dir.mkdir(parents=True)
    (supervisor.run_dir / "children").write_text(f"web {session.leader_pid} {session.started_ticks}\n")
    supervisor.end_leftovers()
    assert survivor.wait() == -signal.SIGTERM
    assert lines == ["ending web, which an earlier start left running"]


def test_a_process_that_only_has_the_same_number_is_left_alone(supervisor: Supervisor, lines: list[str]) -> None:
    stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        (supervisor.run_dir).mkdir(parents=True)
        (supervisor.run_dir / "children").write_text(f"web {stranger.pid} 0\n")
        supervisor.end_leftovers()
        assert stranger.poll() is None
        assert lines == []
    finally:
        stranger.kill()
        stranger.wait()


def test_a_session_that_does_not_listen_is_killed() -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    deaf = subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE)
    assert deaf.stdout
    deaf.stdout.readline()
    session = Session.of(deaf.pid)
    end_session(session, 0.2)
    assert deaf.wait() == -signal.SIGKILL
    assert find_session(session) == []
