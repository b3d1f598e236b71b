"""Copies of the database: one file by pg_dump, put back whole or not at all."""

from __future__ import annotations

import subprocess
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from gis.database import owner_engine
from gis.embedded import embedded_cluster
from gis.errors import UsageError
from gis.roles import create_roles
from gis.servers import find_server_binaries
from gis.settings import Settings

_DUMP_MAGIC = b"PGDMP"


def backup(settings: Settings, path: Path, may_overwrite: bool = False) -> int:
    """Write the whole database to `path` (pg_dump's custom format); return its size in bytes.

    The file appears under its name only when it is complete.

    Raises
    ------
    UsageError : the file exists and may not be overwritten, its folder does not, or pg_dump failed.
    """
    if path.exists() and not may_overwrite:
        raise UsageError(f"{path} exists already.", "Choose another name, or say --yes to overwrite it.")
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder {path.parent}.", "Make it, or choose another.")
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        _run(settings, "pg_dump", "--format=custom", f"--file={unfinished}", settings.owner_url())
        unfinished.chmod(0o600)  # it holds the subscribers' addresses
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path.stat().st_size


def restore(settings: Settings, path: Path, may_overwrite: bool = False) -> None:
    """Put a backup in the place of the database.

    It is read into a database beside the present one, which is replaced only after everything was read.

    Raises
    ------
    UsageError : no backup there, the present database holds data and may not be overwritten, or
        pg_restore failed (then the present database is as it was).
    """
    _require_dump(path)
    name = _database_name(settings.owner_url())
    maintenance_url = _with_database(settings.owner_url(), "postgres")
    with psycopg.connect(maintenance_url, autocommit=True) as connection:
        if not may_overwrite and _holds_data(settings.owner_url()):
            raise UsageError(
                f"The database {name} holds data that the backup would replace.",
                "Say --yes to replace it; ./machimori db backup keeps a copy of it first.",
            )
        new, old = f"{name}_restored", f"{name}_replaced"
        _drop(connection, new)
        _drop(connection, old)
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(new)))
        try:
            _fill(settings, _with_database(settings.owner_url(), new), path)
        except Exception:
            _drop(connection, new)
            raise
        _swap(connection, name, new, old)
        _drop(connection, old)


def _fill(settings: Settings, url: str, path: Path) -> None:
    # A backup holds one database; roles belong to the server and may be missing on a new one.
    engine = owner_engine(url)
    try:
        with engine.begin() as connection:
            create_roles(connection, settings.app_password())
    finally:
        engine.dispose()
    _run(settings, "pg_restore", "--exit-on-error", "--single-transaction", f"--dbname={url}", str(path))


def _swap(connection: psycopg.Connection[tuple[object, ...]], name: str, new: str, old: str) -> None:
    # Services reconnect at once, so the door is closed before they are sent out.
    connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
    connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
    with connection.transaction():
        connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(old)))
        connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(new), sql.Identifier(name)))


def _drop(connection: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _holds_data(url: str) -> bool:
    with psycopg.connect(url) as connection:
        if connection.execute("SELECT to_regclass('gis.account')").fetchone() == (None,):
            return False
        row = connection.execute(
            "SELECT EXISTS (SELECT 1 FROM gis.account WHERE NOT is_demo) OR EXISTS (SELECT 1 FROM gis.changeset)"
        ).fetchone()
        return row == (True,)


def _require_dump(path: Path) -> None:
    if not path.is_file():
        raise UsageError(f"There is no file {path}.", "Give a file made by: ./machimori db backup FILE")
    with path.open("rb") as file:
        if file.read(len(_DUMP_MAGIC)) != _DUMP_MAGIC:
            raise UsageError(f"{path} is no backup of a database.", "Give a file made by: ./machimori db backup FILE")


def _database_name(url: str) -> str:
    return urlsplit(url).path.lstrip("/")


def _with_database(url: str, name: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, f"/{name}", parts.query, ""))


def _run(settings: Settings, program: str, *arguments: str) -> None:
    folder = embedded_cluster(settings).binaries() if settings.is_embedded else find_server_binaries()
    done = subprocess.run([str(folder / program), *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise UsageError(f"{program} failed: {done.stderr.strip()}", "Nothing was changed.")
