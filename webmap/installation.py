"""One whole installation on one machine: database, pages, worker, clock, mailbox."""

from __future__ import annotations

import fcntl
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from gis.accounts import list_accounts
from gis.database import GATE, Database, owner_engine
from gis.embedded import embedded_cluster, running
from gis.errors import UsageError
from gis.settings import Settings
from ingest.drill import play_drill
from webmap.demo_accounts import active_demo_accounts, add_demo_accounts, demo_password, is_demo_town
from webmap.demonstration import load_town
from webmap.ports import require_free_port
from webmap.schema import migrate_everything
from webmap.supervisor import Child, Say, Supervisor

_HOST = "127.0.0.1"
_READY_TIMEOUT_S = 120.0  # a small machine imports the pages' libraries for half a minute at its first start
_LOOK_EVERY_S = 0.2


def run_installation(settings: Settings, port: int, say: Say) -> int:
    """Start everything, keep it running, stop it in order at SIGINT or SIGTERM.

    Parameters
    ----------
    port : of the pages, on the loopback.
    say : prints one line for the person at the console.

    Returns
    -------
    0 after a stop that was asked for, 1 when the pages did not become ready.

    Raises
    ------
    UsageError : it runs already, the port is in use, or the database cannot be used.
    """
    if "MACHIMORI_BASE_URL" not in os.environ:
        settings = replace(settings, base_url=f"http://{_HOST}:{port}")
    environ = {**os.environ, "MACHIMORI_BASE_URL": settings.base_url}
    supervisor = Supervisor(settings.var_dir / "run", settings.var_dir / "log", environ, say)
    with _the_only_one(settings):
        supervisor.end_leftovers()
        require_free_port(_HOST, port)
        if settings.is_embedded:
            say(f"starting PostgreSQL in {embedded_cluster(settings).folder}")
        with running(settings), _asked_to_stop() as stop:
            prepare(settings, say)
            try:
                is_good = _keep_running(settings, port, supervisor, stop)
            finally:
                say("stopping")
                supervisor.stop_all()
    say("stopped")
    return 0 if is_good else 1


def prepare(settings: Settings, say: Say) -> None:
    """Migrate; on an empty database make the demonstration town, play a drill and make the demonstration logins.

    The logins come last: as long as they are missing beside a demonstration town, an earlier start
    was interrupted, and this one finishes its work.
    """
    say("bringing the database to the present schema")
    migrate_everything(settings)
    owner = owner_engine(settings.owner_url())
    database = Database(settings.app_url(), pool_size=1)
    try:
        say("looking for a town; an empty database gets the demonstration town")
        load_town(owner)
        with owner.connect() as connection:
            is_prepared = bool(list_accounts(connection)) or not is_demo_town(connection)
        if not is_prepared:
            say("playing a tsunami drill, so that there is something to see")
            play_drill(database, settings)
            with owner.begin() as connection:
                add_demo_accounts(connection, settings)
    finally:
        database.dispose()
        owner.dispose()


def _keep_running(settings: Settings, port: int, supervisor: Supervisor, stop: list[int]) -> bool:
    """Start the children and watch them until `stop`; return False when the pages did not become ready."""
    for child in _children(settings, port):
        supervisor.start(child)
    if not _wait_until_ready(supervisor, f"http://{_HOST}:{port}/readyz", stop):
        return bool(stop)
    _show_addresses(settings, supervisor.say)
    while not stop:
        supervisor.watch()
        time.sleep(_LOOK_EVERY_S)
    return True


def _children(settings: Settings, port: int) -> Iterator[Child]:
    if settings.has_local_mailbox:
        yield Child("mailbox", ["mailbox"])
    yield Child("web", ["serve", "--host", _HOST, "--port", str(port)])
    yield Child("worker", ["worker"])
    yield Child("scheduler", ["scheduler"])


@contextmanager
def _the_only_one(settings: Settings) -> Iterator[None]:
    path = settings.var_dir / "run" / "up.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise UsageError(
                f"machimori is already up here (process {lock.read().strip() or 'unknown'}).",
                "Use that one, stop it with Ctrl-C, or give this one another folder: MACHIMORI_VAR=/some/folder",
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextmanager
def _asked_to_stop() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM: the list is empty until somebody asks."""
    asked: list[int] = []
    before = {
        number: signal.signal(number, lambda received, _: asked.append(received))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_until_ready(supervisor: Supervisor, url: str, stop: list[int]) -> bool:
    deadline = time.monotonic() + _READY_TIMEOUT_S
    while not stop and time.monotonic() < deadline:
        supervisor.watch()
        if _answers(url):
            return True
        time.sleep(_LOOK_EVERY_S)
    if not stop:
        supervisor.say(f"the pages did not become ready at {url} within {_READY_TIMEOUT_S:.0f} s")
        supervisor.say(f"the logs in {supervisor.log_dir} say why")
    return False


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 (our own loopback address)
            return True
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def _show_addresses(settings: Settings, say: Say) -> None:
    database = Database(settings.app_url(), pool_size=1)
    try:
        with database.begin(GATE) as connection:
            logins = active_demo_accounts(connection)
    finally:
        database.dispose()
    say("machimori is up")
    say(f"  map        {settings.base_url}/")
    say(f"  list       {settings.base_url}/list")
    say(f"  staff      {settings.base_url}/staff/")
    if settings.has_local_mailbox:
        say(f"  mailbox    {settings.base_url}/staff/mailbox")
    if logins:
        say(f"  logins     {', '.join(logins)}   password: {demo_password(settings)}")
    say("  Ctrl-C stops all of it")
