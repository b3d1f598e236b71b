"""Process sessions by `/proc` (proc(5)): who belongs to one, and how to end all of it.

A pid alone is no identity, since numbers are used again. A session is named by its leader's pid
and start time; a process is taken for a member only if it runs our own Python and is no older.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Session:
    """A session that we started.

    Attributes
    ----------
    leader_pid : also the session's id.
    started_ticks : the leader's start in clock ticks since boot; 0 when it had already gone.
    """

    leader_pid: int
    started_ticks: int

    @classmethod
    def of(cls, leader_pid: int) -> Session:
        """Return the session that a running process leads."""
        fields = _read_stat(leader_pid)
        return cls(leader_pid, fields[1] if fields else 0)


def find_session(session: Session) -> list[int]:
    """Return the pids of the session's living processes."""
    pids = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    return [pid for pid in pids if _is_member(pid, session)]


def end_session(session: Session, patience_s: float) -> None:
    """Ask every process of the session to stop; kill those that have not after `patience_s` seconds."""
    deadline = time.monotonic() + patience_s
    if patience_s > 0:
        _signal_all(session, signal.SIGTERM)
        while find_session(session) and time.monotonic() < deadline:
            time.sleep(0.05)
    _signal_all(session, signal.SIGKILL)


def _signal_all(session: Session, number: signal.Signals) -> None:
    for pid in find_session(session):
        with suppress(ProcessLookupError):  # gone between the look and the signal
            os.kill(pid, number)


def _is_member(pid: int, session: Session) -> bool:
    fields = _read_stat(pid)
    if fields is None or fields[0] != session.leader_pid or fields[1] < session.started_ticks:
        return False
    try:
        return Path(f"/proc/{pid}/exe").resolve() == Path(sys.executable).resolve()
    except OSError:
        return False


def _read_stat(pid: int) -> tuple[int, int] | None:
    """Return (session id, start time in ticks) of a living process, None for one that has gone or is a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The second field is the program's name in parentheses and may hold anything, so count from its end.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] == "Z" else (int(fields[3]), int(fields[19]))
