"""An embedded PostgreSQL cluster with PostGIS under the installation's own folder.

It never runs as root (`gis.placement` says as whom and where), listens on a private Unix socket and,
for people's own logins, on loopback TCP (`gis.direct_access`), and is shared by every process of the
installation: the first that needs it starts it, the last that leaves stops it. Both survive `kill -9`,
because they rest on file locks and on what the kernel says about the server's process, not on files
that somebody should have removed.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from gis import direct_access
from gis.errors import UsageError
from gis.placement import SYSTEM_USER, socket_folder, system_user
from gis.servers import find_server_binaries
from gis.settings import Settings

DATABASE_NAME = "machimori"
_START_TIMEOUT_S = 90
_ORPHAN_PATIENCE_S = 10
_FREE_BYTES_TO_MAKE = 300_000_000  # a new cluster takes 50 MB, and WAL grows by segments of 16 MB
_FREE_BYTES_TO_START = 50_000_000  # less is no reason to refuse: a full disk in a disaster must not stop the pages
_SERVER_OPTIONS = {
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "random_page_cost": "1.1",
    "log_min_duration_statement": "2000",
}
_UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Cluster:
    """One PostgreSQL cluster in a folder of its own.

    Attributes
    ----------
    folder : holds `data`, `server.log`, the locks, and `socket` when its path is short enough.
    is_durable : False trades crash safety for speed; for tests only.
    open_databases : which databases people may enter over TCP, as pg_hba.conf writes them.
    """

    folder: Path
    is_durable: bool = True
    open_databases: str = DATABASE_NAME

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def socket_dir(self) -> Path:
        return socket_folder(self.folder)

    @property
    def log_file(self) -> Path:
        return self.folder / "server.log"

    def url(self, user: str, database: str) -> str:
        """libpq URL over the private socket."""
        return f"postgresql://{user}@{quote(str(self.socket_dir), safe='')}/{database}"

    def is_running(self) -> bool:
        """Whether the server of this folder runs: its process exists and works in our data folder.

        A pid file alone proves nothing: after a crash or a reboot the number may belong to anyone.
        """
        try:
            pid = int((self.data_dir / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return False
        return _works_in(Path(f"/proc/{pid}"), self.data_dir.resolve())

    def start(self) -> None:
        """Make the cluster if it is not there, start it if it does not run, wait until it answers.

        Raises
        ------
        UsageError : PostgreSQL is missing, the disk is full, the folder belongs to somebody else,
            or the server did not start (with the log's last lines).
        """
        self._prepare_folders()
        if not (self.data_dir / "PG_VERSION").exists():
            self._make()
        deadline = time.monotonic() + _START_TIMEOUT_S
        while True:
            if not self.is_running():
                self._launch()
            try:
                psycopg.connect(self.url("postgres", "postgres"), connect_timeout=5).close()
                return
            except psycopg.OperationalError as error:
                # Starting, recovering from a crash, or just being stopped by another process.
                if time.monotonic() > deadline:
                    raise self._failure(str(error)) from error
                time.sleep(0.1)

    def stop(self) -> None:
        """Stop the server (fast mode: transactions are rolled back, nothing committed is lost)."""
        if self.is_running():
            self._run("pg_ctl", "-D", str(self.data_dir), "-m", "fast", "-w", "-t", "60", "stop")

    def create_database(self, name: str) -> None:
        """Create the database when it does not exist."""
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def _prepare_folders(self) -> None:
        if os.geteuid() == 0 and system_user() is None:
            raise UsageError(
                f"PostgreSQL does not run as root, and there is no user {SYSTEM_USER!r} to run it.",
                "Install PostgreSQL from the distribution: sudo apt-get install postgresql",
            )
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            for folder in (self.folder, self.socket_dir):
                folder.mkdir(exist_ok=True, mode=0o700)
                self._take(folder)
            free_bytes = shutil.disk_usage(self.folder).free
        except OSError as error:
            raise UsageError(
                f"The folder of the embedded PostgreSQL cannot be used: {error}",
                "Start it as the user who made it (sudo, if that was root), or set MACHIMORI_VAR to another folder.",
            ) from error
        is_made = (self.data_dir / "PG_VERSION").exists()
        needed_bytes = _FREE_BYTES_TO_START if is_made else _FREE_BYTES_TO_MAKE
        if free_bytes < needed_bytes and not self.is_running():
            raise UsageError(
                f"The disk of {self.folder} is full: {free_bytes // 1_000_000} MB are left.",
                f"Free at least {needed_bytes // 1_000_000} MB and start again; nothing is lost.",
            )

    def _take(self, folder: Path) -> None:
        """Make the folder ours alone. Under `/tmp` somebody may have made it before us."""
        user = system_user()
        owner_uid = user.pw_uid if user else os.geteuid()
        if folder.is_symlink() or folder.stat().st_uid not in (owner_uid, os.geteuid()):
            raise PermissionError(f"{folder} belongs to somebody else")
        folder.chmod(0o700)
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)

    def _make(self) -> None:
        # Built aside and renamed, so that an interrupted initdb never looks like a cluster.
        unfinished = self.folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        done = self._run(
            "initdb", "-D", str(unfinished), "-U", "postgres", "-A", "trust", "-E", "UTF8",
            "--locale=C.UTF-8", "--data-checksums", *([] if self.is_durable else ["--no-sync"]),
        )  # fmt: skip
        if done.returncode != 0:
            raise self._failure(done.stderr.strip().replace("\n", " / "))
        unfinished.rename(self.data_dir)

    def _launch(self) -> None:
        self._clear_away()
        access = direct_access.server_options(self.folder, self.open_databases)
        direct_access.link_socket(self.socket_dir, access["port"])
        options = _SERVER_OPTIONS | {"unix_socket_directories": str(self.socket_dir)} | access
        if not self.is_durable:
            options |= _UNSAFE_BUT_FAST
        cause = self._start_server(options)
        if "TCP/IP" in cause:  # somebody took the port in this very moment
            cause = self._start_server(options | {"listen_addresses": ""})
        if cause:
            raise self._failure(cause)

    def _start_server(self, options: dict[str, str]) -> str:
        """Start the server; return why it did not, "" when it did."""
        flags = " ".join(f"-c {name}={shlex.quote(value)}" for name, value in options.items())
        started_at = self.log_file.stat().st_size if self.log_file.exists() else 0
        done = self._run(
            "pg_ctl", "-D", str(self.data_dir), "-l", str(self.log_file), "-o", flags, "-w",
            "-t", str(_START_TIMEOUT_S), "start",
        )  # fmt: skip
        if done.returncode == 0:
            return ""
        with self.log_file.open("rb") as log:
            log.seek(started_at)
            lines = log.read().decode(errors="replace").splitlines()[-4:]
        return " / ".join(lines) or done.stderr.strip() or "pg_ctl gave no reason"

    def _clear_away(self) -> None:
        """Remove what a killed server left, when nothing of it lives any more."""
        # A backend may outlive its postmaster for a moment; a second server beside it would damage the data.
        deadline = time.monotonic() + _ORPHAN_PATIENCE_S
        while orphans := self._processes():
            if time.monotonic() > deadline:
                for pid in orphans:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        # A new server believes these lock files if their number is in use again, by anyone.
        leftovers = [self.data_dir / "postmaster.pid", *self.socket_dir.glob(".s.PGSQL.*")]
        for path in leftovers:
            path.unlink(missing_ok=True)

    def _processes(self) -> list[int]:
        """Return the pids of all processes of this cluster: the server and its backends work in the data folder."""
        home = self.data_dir.resolve()
        return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit() and _works_in(path, home)]

    def _failure(self, cause: str) -> UsageError:
        hint = f"Read {self.log_file}."
        if "No space left" in cause:
            hint = "The disk is full: free some space and start again; nothing committed is lost."
        return UsageError(f"The embedded PostgreSQL in {self.folder} did not start: {cause}", hint)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.binaries() / program), *arguments]
        user = system_user()
        drop = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        return subprocess.run(  # type: ignore[call-overload, no-any-return]
            command, capture_output=True, text=True, cwd="/", env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}, **drop
        )

    def binaries(self) -> Path:
        """Folder of the server's programs, of the major version that made the data."""
        version_file = self.data_dir / "PG_VERSION"
        return find_server_binaries(version_file.read_text().strip() if version_file.exists() else None)


def _works_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").readlink() == folder
    except OSError:  # it has gone, is a zombie, or is somebody else's
        return False


def embedded_cluster(settings: Settings) -> Cluster:
    """Return the cluster of an installation that has no MACHIMORI_DATABASE_URL."""
    return Cluster(settings.cluster_dir)


@contextmanager
def running(settings: Settings) -> Iterator[None]:
    """Have the installation's database running inside the block.

    With MACHIMORI_DATABASE_URL there is nothing to do. Otherwise the embedded cluster is started
    when it does not run, and stopped at the end by whichever process leaves it last, so a command
    that began before `up` does not pull the server away from under it, nor the reverse.

    Raises
    ------
    UsageError : see `Cluster.start`.
    """
    if not settings.is_embedded:
        yield
        return
    cluster = embedded_cluster(settings)
    cluster._prepare_folders()
    with (cluster.folder / "users.lock").open("a") as users:
        with _gate(cluster):
            fcntl.flock(users, fcntl.LOCK_SH)
            cluster.start()
            cluster.create_database(DATABASE_NAME)
        try:
            yield
        finally:
            with _gate(cluster):
                fcntl.flock(users, fcntl.LOCK_UN)
                with suppress(BlockingIOError):  # somebody else still uses the server
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    cluster.stop()


@contextmanager
def _gate(cluster: Cluster) -> Iterator[None]:
    """Let one process at a time start or stop the server."""
    with (cluster.folder / "gate.lock").open("a") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield
