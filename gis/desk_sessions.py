"""Sessions of people at the desk: kept in the database, so that they can be listed, and ended from elsewhere.

The browser holds an unguessable token, the table only its hash: who reads a backup is not logged in.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, text

from gis.accounts import Account, find_account
from gis.errors import UsageError
from gis.queries import load_queries

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class DeskSession:
    """One session that has not ended.

    Attributes
    ----------
    network : where it began, without the last part of the address.
    """

    id: int
    account: str
    department: str
    created_at: datetime
    seen_at: datetime
    user_agent: str
    network: str


def start_session(
    connection: Connection, account: Account, user_agent: str = "", address: str = "", *, with_code: bool = False
) -> str:
    """Begin a session and return its token. Role: `machimori_gate`.

    Parameters
    ----------
    with_code : a code of the second factor was shown; without it the session of an account that has one is not heard.
    """
    token = secrets.token_urlsafe(32)
    values = {"token": _hash(token), "account": account.name, "department": account.department}
    connection.execute(
        _QUERIES["start"],
        {
            **values,
            "user_agent": user_agent.replace("\x00", "")[:200],
            "network": _network(address),
            "with_code": with_code,
        },
    )
    return token


def resume_session(connection: Connection, token: str, is_at_work: bool = True) -> tuple[int, Account] | None:
    """Return (session's id, account at work for the session's department), None when it ended.

    Parameters
    ----------
    is_at_work : a person asks; False for what a page asks by itself, which keeps nobody's login alive.

    It ends 12 hours after its start, 60 minutes after its last request, when it is revoked, when its account is
    disabled, or when the account has a second factor that was not shown in it. Role: `machimori_gate`.
    """
    row = connection.execute(_QUERIES["resume"], {"token": _hash(token)}).first()
    if row is None:
        return None
    account = find_account(connection, row.account)
    if account is None:
        return None
    if row.is_stale and is_at_work:
        connection.execute(text("UPDATE gis.session SET seen_at = now() WHERE id = :id"), {"id": row.id})
    return row.id, replace(account, department=row.department)


def keep_only_session(connection: Connection, session_id: int, account: str) -> None:
    """End an account's other sessions: this is the one in which its second factor was shown. Role: `machimori_gate`."""
    connection.execute(_QUERIES["mark_code"], {"id": session_id})
    connection.execute(_QUERIES["end_others"], {"id": session_id, "account": account})


def note_proof(connection: Connection, session_id: int, account: str) -> None:
    """Note that the person has just shown who they are: what needs it may be done for five minutes.

    The caller has checked the code, or the password of an account without a second factor. Role: `machimori_gate`.
    """
    connection.execute(_QUERIES["note_proof"], {"id": session_id, "account": account})


def choose_department(connection: Connection, session_id: int, account: Account, department: str) -> None:
    """Let a session work for another department of its account. Role: `machimori_gate`.

    Raises
    ------
    UsageError : the account does not belong to it.
    """
    if department not in account.departments:
        raise UsageError(
            "%(account)s does not belong to %(department)r.",
            "It belongs to %(departments)s.",
            account=account.name,
            department=department,
            departments=", ".join(account.departments),
        )
    connection.execute(
        text("UPDATE gis.session SET department = :department WHERE id = :id"),
        {"id": session_id, "department": department},
    )


def list_sessions(connection: Connection, account: str | None = None) -> list[DeskSession]:
    """Return the sessions that have not ended, newest first. Role: owner, `machimori_gate` or `machimori_admin`."""
    return [DeskSession(*row) for row in connection.execute(_QUERIES["list"], {"account": account})]


def end_session(connection: Connection, session_id: int, account: str | None = None) -> None:
    """End a session, of one account if given. Role: owner, `machimori_gate` or `machimori_admin`.

    Raises
    ------
    UsageError : there is no such session, or it has ended.
    """
    done = connection.execute(_QUERIES["end"], {"id": session_id, "account": account})
    if done.rowcount == 0:
        raise UsageError(
            "There is no running session %(session_id)s.", "See ./machimori user sessions", session_id=session_id
        )


def end_sessions(connection: Connection, account: str) -> int:
    """End all sessions of an account; return how many. Role: as `end_session`."""
    return connection.execute(_QUERIES["end_all"], {"account": account}).rowcount


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _network(address: str) -> str:
    """Enough of an address to know one's own network again, and no more."""
    try:
        version = ipaddress.ip_address(address).version
    except ValueError:
        return ""
    return str(ipaddress.ip_network(f"{address}/{24 if version == 4 else 48}", strict=False))
