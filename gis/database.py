"""Transactions under a role.

Every service logs in as `machimori_app`, which has no rights of its own, and takes a role
for the length of one transaction. What the role may not do, no bug above it can do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, create_engine, text

CITIZEN = "citizen"
GATE = "machimori_gate"
ADMIN = "machimori_admin"
SERVICE = "machimori_service"
OWNER = "machimori_owner"
APP = "machimori_app"

# Small spatial queries get parallel plans that double their time; the JIT costs more than it gives here.
_OPTIONS = "-c max_parallel_workers_per_gather=0 -c jit=off -c timezone=Asia/Tokyo -c lock_timeout=30s"
_CONNECTING: dict[str, Any] = {"options": _OPTIONS, "connect_timeout": 10, "application_name": "machimori"}

_TAKE_ROLE = text(
    "SELECT set_config('role', :role, true), set_config('machimori.account', :account, true),"
    " set_config('machimori.reason', :reason, true)"
)


def _engine(url: str, pool_size: int) -> Engine:
    def connect() -> psycopg.Connection[tuple[object, ...]]:
        # libpq reads the URL itself, so that every form it knows (socket folders, several hosts) works.
        return psycopg.connect(url, **_CONNECTING)

    return create_engine(
        "postgresql+psycopg://",
        creator=connect,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        # What goes wrong gets into logs; what the statement wrote may be of persons.
        hide_parameters=True,
    )


class Database:
    """The application's door to the database.

    Examples
    --------
    >>> with database.begin("citizen") as connection:          # doctest: +SKIP
    ...     connection.execute(text("SELECT count(*) FROM open.incident"))
    """

    def __init__(self, url: str, pool_size: int = 5) -> None:
        self._url = url
        self.engine = _engine(url, pool_size)

    @contextmanager
    def begin(
        self, role: str, account: str | None = None, reason: str | None = None, *, at_one_moment: bool = False
    ) -> Iterator[Connection]:
        """Open one transaction as `role`; commit at the end, roll back on any exception.

        Parameters
        ----------
        role : database role, e.g. `citizen`, `machimori_service`, `dept_bosai`.
        account : who acts, for the history (`machimori.account`); default: the role's name.
        reason : why, for the changeset (`machimori.reason`).
        at_one_moment : every statement sees the database as the first one did (REPEATABLE READ), for reading numbers
            that have to agree.
        """
        engine = self.engine.execution_options(isolation_level="REPEATABLE READ") if at_one_moment else self.engine
        with engine.begin() as connection:
            connection.execute(_TAKE_ROLE, {"role": role, "account": account or role, "reason": reason or ""})
            yield connection

    @asynccontextmanager
    async def hold(self, role: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Hold a bare driver connection of its own under `role`, every statement a transaction of its own.

        For a loop of many small statements: there the care that `begin` takes costs several times the work.
        """
        connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True, **_CONNECTING)
        try:
            await connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            yield connection
        finally:
            await connection.close()

    def dispose(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


def owner_engine(url: str) -> Engine:
    """Return an engine for the administering login (migrations, roles, tests); not for services."""
    return _engine(url, 2)
