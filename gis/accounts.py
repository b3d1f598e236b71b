"""Staff accounts: a name, a department, an argon2id password."""

from __future__ import annotations

from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, text

from gis.errors import UsageError

_HASHER = PasswordHasher()
# Checked when the name is unknown, so that both answers take the same time.
_DECOY_HASH = _HASHER.hash("nobody has this password")


@dataclass(frozen=True)
class Account:
    """Someone of the city office; `department` decides the database role."""

    name: str
    title: str
    department: str

    @property
    def role_name(self) -> str:
        return f"dept_{self.department}"


def find_account(connection: Connection, name: str) -> Account | None:
    """Return an active account by name. Role: `machimori_gate`."""
    row = connection.execute(
        text("SELECT name, title, department FROM gis.account WHERE name = :name AND is_active"), {"name": name}
    ).first()
    return Account(*row) if row else None


def check_password(connection: Connection, name: str, password: str) -> Account | None:
    """Return the account when name and password fit, else None; takes as long either way. Role: `machimori_gate`."""
    row = connection.execute(
        text("SELECT password_hash FROM gis.account WHERE name = :name AND is_active"), {"name": name}
    ).first()
    try:
        _HASHER.verify(row.password_hash if row else _DECOY_HASH, password)
    except (VerificationError, InvalidHashError):
        return None
    if row is None:
        return None
    connection.execute(text("UPDATE gis.account SET last_login_at = now() WHERE name = :name"), {"name": name})
    return find_account(connection, name)


def add_account(
    connection: Connection, name: str, title: str, department: str, password: str, is_demo: bool = False
) -> None:
    """Add an account. Role: owner.

    Raises
    ------
    UsageError : the name is taken or malformed, the department unknown, the password shorter than 10 characters.
    """
    _require_good_password(password)
    departments = connection.execute(text("SELECT name FROM gis.department ORDER BY name")).scalars().all()
    if department not in departments:
        raise UsageError(f"There is no department {department!r}.", f"Known are: {', '.join(departments)}.")
    if connection.execute(text("SELECT 1 FROM gis.account WHERE name = :name"), {"name": name}).first():
        raise UsageError(f"The account {name!r} exists already.", "Change its password with: ./machimori user passwd")
    if not connection.execute(text("SELECT :name ~ '^[a-z][a-z0-9._-]{1,39}$'"), {"name": name}).scalar_one():
        raise UsageError(
            f"{name!r} is no account name.", "Use small letters, digits, dot, hyphen; begin with a letter."
        )
    connection.execute(
        text(
            "INSERT INTO gis.account (name, title, department, password_hash, is_demo)"
            " VALUES (:name, :title, :department, :hash, :is_demo)"
        ),
        {"name": name, "title": title, "department": department, "hash": _HASHER.hash(password), "is_demo": is_demo},
    )


def set_password(connection: Connection, name: str, password: str) -> None:
    """Set a new password. Role: owner.

    Raises
    ------
    UsageError : no such account, or the password is shorter than 10 characters.
    """
    _require_good_password(password)
    done = connection.execute(
        text("UPDATE gis.account SET password_hash = :hash WHERE name = :name"),
        {"name": name, "hash": _HASHER.hash(password)},
    )
    if done.rowcount == 0:
        raise UsageError(f"There is no account {name!r}.", "See ./machimori user list")


def list_accounts(connection: Connection) -> list[Account]:
    """Return all active accounts by name. Role: owner or `machimori_gate`."""
    rows = connection.execute(text("SELECT name, title, department FROM gis.account WHERE is_active ORDER BY name"))
    return [Account(*row) for row in rows]


def _require_good_password(password: str) -> None:
    if len(password) < 10:
        raise UsageError("The password is shorter than 10 characters.", "Choose a longer one.")
