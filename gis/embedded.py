"""An embedded PostgreSQL cluster with PostGIS under the installation's own folder.

PostgreSQL refuses to run as root, so a root caller drops to the system user `postgres`.
The cluster listens on a private Unix socket only.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gis.errors import UsageError

_SERVER_OPTIONS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "random_page_cost": "1.1",
    "log_min_duration_statement": "2000",
}
_UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def find_server_binaries() -> Path:
    """Return the folder of `initdb` and `pg_ctl` of the newest installed PostgreSQL (15 or later).

    Raises
    ------
    UsageError : there is none.
    """
    candidates = sorted(
        (path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()),
        key=lambda path: int(path.parent.name),
    )
    if candidates and int(candidates[-1].parent.name) >= 15:
        return candidates[-1]
    on_path = shutil.which("pg_ctl")
    if on_path:
        return Path(on_path).resolve().parent
    raise UsageError(
        "PostgreSQL 15 or later with PostGIS is not installed.",
        "Install it: sudo apt-get install postgresql postgresql-postgis",
    )


@dataclass(frozen=True)
class Cluster:
    """One PostgreSQL cluster in a folder of its own.

    Attributes
    ----------
    folder : holds `data`, `socket` and `server.log`.
    is_durable : False trades crash safety for speed; for tests only.
    """

    folder: Path
    is_durable: bool = True

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def socket_dir(self) -> Path:
        return self.folder / "socket"

    @property
    def log_file(self) -> Path:
        return self.folder / "server.log"

    def url(self, user: str, database: str) -> str:
        """libpq URL over the private socket."""
        from urllib.parse import quote

        return f"postgresql://{user}@{quote(str(self.socket_dir), safe='')}/{database}"

    def is_running(self) -> bool:
        """Whether the server of this folder runs (a stale pid file counts as not running)."""
        return self.data_dir.exists() and self._run("pg_ctl", "-D", str(self.data_dir), "status").returncode == 0

    def start(self) -> None:
        """Make the cluster if it is not there, and start it if it does not run.

        Raises
        ------
        UsageError : PostgreSQL is missing, or its server did not start (with the log's last lines).
        """
        if not (self.data_dir / "PG_VERSION").exists():
            self._make()
        if self.is_running():
            return
        options = _SERVER_OPTIONS | {"unix_socket_directories": str(self.socket_dir)}
        if not self.is_durable:
            options |= _UNSAFE_BUT_FAST
        flags = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        done = self._run(
            "pg_ctl", "-D", str(self.data_dir), "-l", str(self.log_file), "-o", flags, "-w", "-t", "60", "start"
        )
        if done.returncode != 0:
            log = self.log_file.read_text(errors="replace").splitlines()[-5:] if self.log_file.exists() else []
            raise UsageError(
                f"The embedded PostgreSQL in {self.folder} did not start: {' / '.join(log) or done.stderr.strip()}",
                "Read the log named above; a full disk and a foreign owner of the folder are the usual causes.",
            )

    def stop(self) -> None:
        """Stop the server (fast mode: transactions are rolled back, nothing committed is lost)."""
        if self.is_running():
            self._run("pg_ctl", "-D", str(self.data_dir), "-m", "fast", "-w", "stop")

    def create_database(self, name: str) -> None:
        """Create the database when it does not exist."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def _make(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in (self.folder, self.data_dir, self.socket_dir):
            path.mkdir(exist_ok=True, mode=0o700)
            path.chmod(0o700)
            if os.geteuid() == 0:
                owner = pwd.getpwnam("postgres")
                os.chown(path, owner.pw_uid, owner.pw_gid)
        done = self._run(
            "initdb", "-D", str(self.data_dir), "-U", "postgres", "-A", "trust", "-E", "UTF8",
            "--locale=C.UTF-8", "--data-checksums", *([] if self.is_durable else ["--no-sync"]),
        )  # fmt: skip
        if done.returncode != 0:
            raise UsageError(f"Could not make the embedded PostgreSQL in {self.folder}: {done.stderr.strip()}")

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(find_server_binaries() / program), *arguments]
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            return subprocess.run(
                command, capture_output=True, text=True, cwd="/", user=owner.pw_uid, group=owner.pw_gid,
                extra_groups=[], env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            )  # fmt: skip
        return subprocess.run(command, capture_output=True, text=True, cwd="/")


@contextmanager
def running(cluster: Cluster) -> Iterator[Cluster]:
    """Have the cluster running inside the block; stop it afterwards only if this call started it."""
    was_running = cluster.is_running()
    cluster.start()
    try:
        yield cluster
    finally:
        if not was_running:
            cluster.stop()
