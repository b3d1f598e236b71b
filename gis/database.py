"""Transactions under a role.

Every service logs in as `machimori_app`, which has no rights of its own, and takes a role
for the length of one transaction. What the role may not do, no bug above it can do.
"""

from __future__ import annotations

import select
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError

CITIZEN = "citizen"
GATE = "machimori_gate"
ADMIN = "machimori_admin"
SERVICE = "machimori_service"
OWNER = "machimori_owner"
APP = "machimori_app"

# Small spatial queries get parallel plans that double their time; the JIT costs more than it gives here.
_OPTIONS = "-c max_parallel_workers_per_gather=0 -c jit=off -c timezone=Asia/Tokyo -c lock_timeout=30s"
_CONNECTING: dict[str, Any] = {"options": _OPTIONS, "connect_timeout": 10, "application_name": "machimori"}

_TAKE_ROLE = (
    "SELECT set_config('role', %(role)s, true), set_config('machimori.account', %(account)s, true),"
    " set_config('machimori.reason', %(reason)s, true)"
)


def _engine(url: str, pool_size: int) -> Engine:
    def connect() -> psycopg.Connection[tuple[object, ...]]:
        # libpq reads the URL itself, so that every form it knows (socket folders, several hosts) works.
        return psycopg.connect(url, **_CONNECTING)

    engine = create_engine(
        "postgresql+psycopg://",
        creator=connect,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        # What goes wrong gets into logs; what the statement wrote may be of persons.
        hide_parameters=True,
    )
    ask = engine.dialect.do_ping

    def is_alive(dbapi_connection: Any) -> bool:
        # What the server has ended has something to be read. Only then it is asked: that would cost a way to the server
        # and back for every transaction.
        return not _has_news(dbapi_connection) or ask(dbapi_connection)

    engine.dialect.do_ping = is_alive  # type: ignore[method-assign]
    return engine


def _has_news(connection: Any) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


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
            with sent_together(connection) as driver:
                driver.execute(_TAKE_ROLE, {"role": role, "account": account or role, "reason": reason or ""})
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


@contextmanager
def sent_together(connection: Connection) -> Iterator[psycopg.Connection[Any]]:
    """Send the block's statements in the connection's transaction without waiting for the answer to each.

    They run one after the other as ever (libpq's pipeline mode); who reads a result waits for that one. For what runs
    hundreds of times a second: going to the server and back costs more than a small statement.

    Yields
    ------
    The bare driver connection; values are bound as `%(name)s`.

    Raises
    ------
    sqlalchemy.exc.DBAPIError : as from `connection.execute`, at the latest at the block's end.
    """
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    try:
        with driver.pipeline():
            yield driver
    except psycopg.Error as error:
        raise DBAPIError.instance(
            None, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=driver.broken
        ) from error


def owner_engine(url: str) -> Engine:
    """Return an engine for the administering login (migrations, roles, tests); not for services."""
    return _engine(url, 2)
