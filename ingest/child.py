"""Ask a source in a process of its own: what hangs, eats memory or crashes is ended without hurting the worker."""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe

from gis.database import Database
from gis.logs import configure_logs
from gis.settings import Settings
from ingest.source import find_source
from ingest.summary import RunSummary

# Forked from a clean server that has read our modules once: as quick as a thread, and without the worker's locks.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["ingest.processing", "ingest.source"])
# The child ends itself so much later, should its worker no longer be there to do it.
_ORPHAN_GRACE_S = 5


@dataclass(frozen=True)
class Ended:
    """How the process ended: with a summary, or with the reason why there is none.

    Attributes
    ----------
    trace : of a bug, for the log; "" otherwise.
    """

    summary: RunSummary | None
    is_too_long: bool = False
    error: str = ""
    trace: str = ""


def fetch_apart(settings: Settings, source: str, time_limit_s: float) -> Ended:
    """Let a source fetch what is new; kill it when the time is over. What it had stored and committed by then stays."""
    receiver, sender = _processes.Pipe(duplex=False)
    environ = {name: value for name, value in os.environ.items() if name.startswith("MACHIMORI_")}
    process = _processes.Process(
        target=_fetch, args=(sender, settings, source, environ, time_limit_s + _ORPHAN_GRACE_S), daemon=True
    )
    process.start()
    sender.close()
    try:
        # The pipe ends, too, when the process dies without a word.
        if not receiver.poll(time_limit_s):
            return Ended(None, is_too_long=True, error=f"the run took longer than {time_limit_s:g} s and was ended")
        ended: Ended = receiver.recv()
        process.join(_ORPHAN_GRACE_S)
        return ended
    except EOFError:
        process.join()
        return Ended(None, error=f"the process of the run died (exit code {process.exitcode})")
    finally:
        process.kill()
        process.join()
        process.close()
        receiver.close()


def _fetch(sender: Pipe, settings: Settings, name: str, environ: Mapping[str, str], alarm_s: float) -> None:
    signal.setitimer(signal.ITIMER_REAL, alarm_s)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the worker, which lets runs finish
    os.environ.update(environ)
    configure_logs()
    database = Database(settings.app_url(), pool_size=3)
    try:
        source = find_source(name)
        sender.send(Ended(source.fetch(database, settings, source) if source.fetch else RunSummary()))
    except Exception as bug:  # told to the worker, which notes it
        sender.send(Ended(None, error=f"{type(bug).__name__}: {bug}", trace=traceback.format_exc()))
    finally:
        database.dispose()
