"""What `doctor` looks at: one function per question, each failure with its cure."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, text

from gis.database import SERVICE, Database, owner_engine
from gis.errors import UsageError
from gis.migrate import current_revision, head_revision
from gis.relay import relay
from gis.roles import load_departments
from gis.settings import PROJECT_DIR, Settings
from gis.upkeep import queue_state
from ingest.alarms import standing_alarms
from ingest.clock import CLOCK_SILENCE_S, clock_age_s
from ingest.gazetteer import has_gazetteer
from webmap.paper_font import PACKAGE, is_embedded
from webmap.scheduler import is_led

_VENDOR_DIR = PROJECT_DIR / "webmap" / "static" / "vendor"
_LOW_DISK_BYTES = 1_000_000_000
_MANY_DUE_JOBS = 1000


@dataclass(frozen=True)
class Finding:
    """The answer to one question; `hint` is empty when all is well.

    Attributes
    ----------
    is_warning : everything runs, but less well than it could; the hint says how.
    """

    title: str
    answer: str
    hint: str = ""
    is_warning: bool = False

    @property
    def is_good(self) -> bool:
        """Whether nothing is broken."""
        return not self.hint or self.is_warning


def check_machine(settings: Settings) -> list[Finding]:
    """Look at what needs no database."""
    return [_check_assets(), _check_disk(settings), _check_relay(settings), _check_paper(), _check_browser()]


def check_schema(settings: Settings) -> list[Finding]:
    """Look at the database as the administering login.

    Raises
    ------
    sqlalchemy.exc.OperationalError : it does not answer.
    """
    engine = owner_engine(settings.owner_url())
    try:
        with engine.connect() as connection:
            checks = (_check_server, _check_postgis, _check_roles, _check_migrations)
            return [*(check(connection) for check in checks), _check_approvers(connection, settings)]
    finally:
        engine.dispose()


def check_services(settings: Settings) -> list[Finding]:
    """Look at worker, scheduler and queue, as a service would see them."""
    database = Database(settings.app_url(), pool_size=1)
    checks: tuple[Callable[[Connection], Finding], ...] = (
        _check_workers,
        _check_scheduler,
        _check_queue,
        _check_sources,
        _check_gazetteer,
    )
    try:
        with database.begin(SERVICE) as connection:
            return [check(connection) for check in checks]
    finally:
        database.dispose()


def _check_assets() -> Finding:
    missing = [name for name in _needed_assets() if not (_VENDOR_DIR / name).exists()]
    if missing:
        return Finding("map assets", f"{missing[0]} is missing", "Any start of ./machimori up installs them.")
    return Finding("map assets", "installed")


def _needed_assets() -> list[str]:
    lines = (PROJECT_DIR / "webmap" / "assets" / "files.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split() for line in lines if line and not line.startswith("#")]
    return [f"{package}/{Path(file).name}" for package, file in pairs]


def _check_disk(settings: Settings) -> Finding:
    folder = next(path for path in (settings.var_dir, *settings.var_dir.parents) if path.exists())
    free_bytes = shutil.disk_usage(folder).free
    answer = f"{free_bytes / 1e9:.1f} GB free at {folder}"
    return Finding("disk", answer, "Free some space." if free_bytes < _LOW_DISK_BYTES else "")


def _check_relay(settings: Settings) -> Finding:
    title = "mailbox" if settings.has_local_mailbox else "mail relay"
    try:
        target = relay(settings)
        with socket.create_connection((target.host, target.port), timeout=5):
            return Finding(title, f"{target} answers")
    except UsageError as error:
        return Finding(title, error.message, error.hint)
    except OSError as error:
        hint = "Start ./machimori up." if settings.has_local_mailbox else "Check MACHIMORI_SMTP_URL and the relay."
        return Finding(title, f"{target} does not answer: {error}", f"{hint} Mails wait and are tried again.")


def _check_paper() -> Finding:
    if is_embedded():
        return Finding("font of records", "installed")
    hint = f"Install {PACKAGE} and start again."
    return Finding("font of records", "missing: PDF records name it without carrying it", hint, is_warning=True)


def _check_browser() -> Finding:
    answer = "there" if shutil.which("chromium") else "not there; only the tests need it, ./machimori test installs it"
    return Finding("chromium", answer)


def _check_server(connection: Connection) -> Finding:
    version = connection.execute(text("SELECT current_setting('server_version')")).scalar_one()
    too_old = int(version.split(".")[0].split()[0]) < 15
    return Finding("PostgreSQL", version, "machimori needs PostgreSQL 15 or later." if too_old else "")


def _check_postgis(connection: Connection) -> Finding:
    version = connection.execute(text("SELECT extversion FROM pg_extension WHERE extname = 'postgis'")).scalar()
    if version is None:
        return Finding("PostGIS", "not in this database", "./machimori db migrate adds it, if the server has it.")
    return Finding("PostGIS", version)


def _check_roles(connection: Connection) -> Finding:
    wanted = {"machimori_owner", "machimori_app", "machimori_gate", "machimori_admin", "machimori_service"}
    wanted |= {"citizen", "department", "machimori_person"}
    for department in load_departments():
        wanted |= {department.role_name, department.viewer_role_name}
    found = set(connection.execute(text("SELECT rolname FROM pg_roles")).scalars())
    missing = ", ".join(sorted(wanted - found))
    if missing:
        return Finding("roles", f"missing: {missing}", "./machimori db migrate makes them.")
    return Finding("roles", f"all {len(wanted)} are there")


def _check_migrations(connection: Connection) -> Finding:
    revision, head = current_revision(connection), head_revision()
    if revision != head:
        return Finding("migrations", f"at {revision or 'none'}, newest is {head}", "Run: ./machimori db migrate")
    return Finding("migrations", f"at {head}, the newest")


def _check_approvers(connection: Connection, settings: Settings) -> Finding:
    """Who sends alone is told about at once: somebody must be there to hear it."""
    query = (
        "SELECT count(*) AS approvers, count(*) FILTER (WHERE a.email <> '') AS addresses FROM gis.account a"
        " JOIN gis.account_role r ON r.account = a.name WHERE r.role = 'alert_approver' AND a.is_active"
    )
    found = connection.execute(text(query)).one()
    answer = f"{found.addresses} of {found.approvers} have an address"
    if found.approvers and not found.addresses and not settings.alarm_mail:
        return Finding("alert approvers", answer, "Write them down: ./machimori user mail NAME ADDRESS")
    return Finding("alert approvers", answer)


def _check_workers(connection: Connection) -> Finding:
    workers = queue_state(connection).workers
    hint = "" if workers else "Start ./machimori up, or ./machimori worker on another machine."
    return Finding("worker", f"{workers} at work", hint)


def _check_scheduler(connection: Connection) -> Finding:
    age_s = clock_age_s(connection)
    if is_led(connection):
        if age_s is not None and age_s > CLOCK_SILENCE_S:
            hint = "Restart it; see var/log/scheduler.log."
            return Finding("scheduler", f"one leads, but has not ticked for {age_s:.0f} s", hint)
        return Finding("scheduler", "one leads")
    return Finding("scheduler", "none leads", "Start ./machimori up, or ./machimori scheduler on another machine.")


def _check_queue(connection: Connection) -> Finding:
    state = queue_state(connection)
    hint = ""
    if state.due > _MANY_DUE_JOBS:
        hint = "More comes in than is done: start another ./machimori worker, or look into var/log/worker.log."
    elif state.failed:
        hint = "Look into var/log/worker.log for their reasons."
    return Finding("queue", f"{state.due} jobs due, {state.failed} given up", hint)


def _check_sources(connection: Connection) -> Finding:
    alarms = [f"{alarm.source}: {alarm.cause}" for alarm in standing_alarms(connection)]
    hint = "See ./machimori ingest list, or the page of the sources, for the cure." if alarms else ""
    return Finding("sources", "; ".join(alarms) or "no alarm stands", hint)


def _check_gazetteer(connection: Connection) -> Finding:
    if has_gazetteer(connection):
        return Finding("place names", "quarters are loaded")
    hint = "Load them into the layer town_block; until then nothing that is told in words has a place."
    return Finding("place names", "no quarters", hint, is_warning=True)
