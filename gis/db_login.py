"""PostgreSQL logins of persons, so that QGIS or psql connects straight, with the rights of a department.

The login's name is an account's, and what the history calls the person (`gis.current_account()` trusts `session_user`).
Its rights follow the account: triggers call `gis.fit_db_login` at every change of roles, departments or activity.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

import psycopg
from psycopg import sql
from sqlalchemy import Connection, text

from gis.accounts import find_account
from gis.database import OWNER
from gis.direct_access import server_address
from gis.errors import UsageError
from gis.queries import load_queries
from gis.roles import load_departments

_QUERIES = load_queries(__file__)
_NAME = re.compile(r"[a-z][a-z0-9._-]{1,39}")
_RESERVED = re.compile(r"(pg_|dept_|machimori)|(public|none|current_user|current_role|session_user|user|all)$")
_SHORTEST_PASSWORD = 12
_MAX_CONNECTIONS = 20  # QGIS opens several, one per layer being drawn


@dataclass(frozen=True)
class DbLogin:
    """A person's login and the department whose rights it has.

    Attributes
    ----------
    department : "" when its account is entitled to none any more: then it cannot connect either.
    may_edit : else it sees only, as its account's roles say.
    """

    name: str
    department: str
    may_edit: bool


def make_db_login(connection: Connection, name: str, department: str, password: str | None = None) -> str:
    """Make the login of an account, or give an existing one this department and password; return the password.

    It edits or only sees, as the account's roles say. Runs as the administering login. The server gets the password's
    SCRAM verifier only, so no log can hold it.

    Parameters
    ----------
    password : None: one is made.

    Raises
    ------
    UsageError : the name is reserved, another role's or no active account's, the account does not belong to the
        department, the password is too short.
    """
    _require_good_name(name)
    _require_member(connection, name, department)
    if password is not None and len(password) < _SHORTEST_PASSWORD:
        raise UsageError(
            "The password is shorter than %(shortest)s characters.",
            "Choose a longer one, or let one be made.",
            shortest=_SHORTEST_PASSWORD,
        )
    driver = _driver(connection)
    login = sql.Identifier(name)
    if not _is_person(connection, name):
        driver.execute(sql.SQL("CREATE ROLE {} LOGIN").format(login))
        # What marks it as a person's, and lets gis.fit_db_login end its connections.
        driver.execute(sql.SQL("GRANT {} TO {}").format(login, sql.Identifier(OWNER)))
    connection.execute(text("SELECT gis.fit_db_login(:name, :department)"), {"name": name, "department": department})
    chosen = password or secrets.token_urlsafe(18)
    verifier = driver.pgconn.encrypt_password(chosen.encode(), name.encode(), b"scram-sha-256").decode()
    driver.execute(
        sql.SQL("ALTER ROLE {} INHERIT CONNECTION LIMIT {} PASSWORD {}").format(
            login, sql.Literal(_MAX_CONNECTIONS), sql.Literal(verifier)
        )
    )
    # As in gis.database: people see Japanese time, and nobody waits for a lock for ever.
    driver.execute(sql.SQL("ALTER ROLE {} SET timezone = 'Asia/Tokyo'").format(login))
    driver.execute(sql.SQL("ALTER ROLE {} SET lock_timeout = '30s'").format(login))
    return chosen


def revoke_db_login(connection: Connection, name: str) -> None:
    """End a person's login and its open connections; the history keeps the name. Runs as the administering login.

    Raises
    ------
    UsageError : there is no such person's login.
    """
    if not _is_person(connection, name):
        raise UsageError("%(name)r has no login to the database.", "See ./machimori user db-logins", name=name)
    driver, login = _driver(connection), sql.Identifier(name)
    end_db_connections(connection, name)
    driver.execute(sql.SQL("DROP OWNED BY {}").format(login))
    driver.execute(sql.SQL("DROP ROLE {}").format(login))


def end_db_connections(connection: Connection, name: str) -> None:
    """End the open connections of a person's login, if there is one. Role: owner or `machimori_admin`.

    A change of the account does so itself, before it is committed: call this once more afterwards, for a program that
    connected again in between.
    """
    connection.execute(text("SELECT gis.end_db_connections(:name)"), {"name": name})


def list_db_logins(connection: Connection) -> list[DbLogin]:
    """Return the logins of persons, by name."""
    return [DbLogin(*row) for row in connection.execute(_QUERIES["list_logins"])]


def connection_words(connection: Connection, name: str) -> str:
    """Return where the login connects to, as libpq writes it: host, port, database, user; no password.

    Raises
    ------
    UsageError : the server is not reachable over TCP.
    """
    address = server_address(connection)
    return f"host={address.host} port={address.port} dbname={address.database} user={name}"


def _require_good_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(
            "%(name)r is no login name.",
            "Use 2 to 40 small letters, digits, dot, hyphen; begin with a letter.",
            name=name,
        )
    if _RESERVED.match(name):
        raise UsageError("The name %(name)r is reserved for the system.", "Choose the person's own name.", name=name)


def _require_member(connection: Connection, name: str, department: str) -> None:
    if department not in (known := [d.name for d in load_departments()]):
        raise UsageError(
            "There is no department %(department)r.",
            "Known are: %(known)s.",
            department=department,
            known=", ".join(known),
        )
    account = find_account(connection, name)
    if account is None:
        raise UsageError(
            "There is no active account %(name)r: the history would name nobody.",
            "Add it first: ./machimori user add",
            name=name,
        )
    if department not in account.departments:
        raise UsageError(
            "%(name)s does not belong to %(department)r.",
            "It belongs to %(departments)s.",
            name=name,
            department=department,
            departments=", ".join(account.departments),
        )


def _is_person(connection: Connection, name: str) -> bool:
    found = connection.execute(_QUERIES["find_login"], {"name": name}).scalar()
    if found is False:
        raise UsageError("%(name)r is a role of the system, no person's.", "Choose the person's own name.", name=name)
    return bool(found)


def _driver(connection: Connection) -> psycopg.Connection[tuple[object, ...]]:
    return connection.connection.driver_connection  # type: ignore[return-value]
