"""PostgreSQL logins of persons, so that QGIS or psql connects straight, with the rights of a department.

The login's name is what the history calls the person (`gis.current_account()` trusts `session_user`).
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

import psycopg
from psycopg import sql
from sqlalchemy import Connection

from gis.direct_access import PERSON_ROLE, server_address
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
    """A person's login and the department whose rights it has."""

    name: str
    department: str


def make_db_login(connection: Connection, name: str, department: str, password: str | None = None) -> str:
    """Make a person's login, or give an existing one this department and password; return the password.

    Runs as the administering login. The server gets the password's SCRAM verifier only, so no log can hold it.

    Parameters
    ----------
    password : None: one is made.

    Raises
    ------
    UsageError : the name is malformed, reserved or another role's, the department unknown, the password too short.
    """
    _require_good_name(name)
    role_name = next((d.role_name for d in load_departments() if d.name == department), None)
    if role_name is None:
        known = ", ".join(d.name for d in load_departments())
        raise UsageError(f"There is no department {department!r}.", f"Known are: {known}.")
    if password is not None and len(password) < _SHORTEST_PASSWORD:
        raise UsageError(
            f"The password is shorter than {_SHORTEST_PASSWORD} characters.", "Choose a longer one, or let one be made."
        )
    driver = _driver(connection)
    login = sql.Identifier(name)
    if _is_person(connection, name):
        for other in list_db_logins(connection):
            if other.name == name:
                driver.execute(sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(f"dept_{other.department}"), login))
    else:
        driver.execute(sql.SQL("CREATE ROLE {}").format(login))
        driver.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(PERSON_ROLE), login))
    driver.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role_name), login))
    chosen = password or secrets.token_urlsafe(18)
    verifier = driver.pgconn.encrypt_password(chosen.encode(), name.encode(), b"scram-sha-256").decode()
    driver.execute(
        sql.SQL("ALTER ROLE {} LOGIN INHERIT CONNECTION LIMIT {} PASSWORD {}").format(
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
        raise UsageError(f"{name!r} has no login to the database.", "See ./machimori user db-logins")
    driver, login = _driver(connection), sql.Identifier(name)
    connection.execute(_QUERIES["end_connections"], {"name": name})
    driver.execute(sql.SQL("DROP OWNED BY {}").format(login))
    driver.execute(sql.SQL("DROP ROLE {}").format(login))


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
            f"{name!r} is no login name.", "Use 2 to 40 small letters, digits, dot, hyphen; begin with a letter."
        )
    if _RESERVED.match(name):
        raise UsageError(f"The name {name!r} is reserved for the system.", "Choose the person's own name.")


def _is_person(connection: Connection, name: str) -> bool:
    found = connection.execute(_QUERIES["find_login"], {"name": name}).scalar()
    if found is False:
        raise UsageError(f"{name!r} is a role of the system, no person's.", "Choose the person's own name.")
    return bool(found)


def _driver(connection: Connection) -> psycopg.Connection[tuple[object, ...]]:
    return connection.connection.driver_connection  # type: ignore[return-value]
