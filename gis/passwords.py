"""Passwords: argon2id hashes, and a pause that doubles with every wrong one."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection

from gis.errors import UsageError
from gis.queries import load_queries

_QUERIES = load_queries(__file__)
_HASHER = PasswordHasher()
# Checked when the name is unknown, so that both answers take the same time.
_DECOY_HASH = _HASHER.hash("nobody has this password")
SHORTEST = 10


def hash_password(password: str) -> str:
    """Return what is stored of a password.

    Raises
    ------
    UsageError : it is shorter than 10 characters.
    """
    if len(password) < SHORTEST:
        raise UsageError(
            "The password is shorter than %(shortest)s characters.", "Choose a longer one.", shortest=SHORTEST
        )
    return _HASHER.hash(password)


def check_password_of(connection: Connection, name: str, password: str) -> bool:
    """Return whether an active account has this password; takes as long either way. Role: `machimori_gate`.

    The caller commits in both cases. From the fifth wrong password in a row on, none is taken for a pause
    of 2, 4, 8 … up to 60 minutes; the pause counts per account, from wherever the tries come.
    """
    row = connection.execute(_QUERIES["read"], {"name": name}).first()
    try:
        _HASHER.verify(row.password_hash if row else _DECOY_HASH, password)
    except (VerificationError, InvalidHashError):
        if row and not row.is_locked:
            connection.execute(_QUERIES["count_failure"], {"name": name})
        return False
    if row is None or row.is_locked:
        return False
    connection.execute(_QUERIES["count_success"], {"name": name})
    return True


def set_password(connection: Connection, name: str, password: str, keep_session: int | None = None) -> None:
    """Set a new password, which ends the account's sessions. Role: owner, `machimori_admin` or `machimori_gate`.

    Parameters
    ----------
    keep_session : the session in which a person changes their own password; it goes on.

    Raises
    ------
    UsageError : no such account, or the password is shorter than 10 characters.
    """
    done = connection.execute(_QUERIES["set_password"], {"name": name, "hash": hash_password(password)})
    if done.rowcount == 0:
        raise UsageError("There is no account %(name)r.", "See ./machimori user list", name=name)
    connection.execute(_QUERIES["end_sessions"], {"name": name, "kept": keep_session})
