"""Staff accounts: a name, departments, roles. Passwords are in gis/passwords.py.

Whatever changes an account writes itself into `gis.account_event`, by triggers, with the name of who did it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from gis.errors import UsageError
from gis.passwords import check_password_of, hash_password
from gis.queries import load_queries
from gis.rights import Action, database_role, may, needed, require_role

_QUERIES = load_queries(__file__)
# One plain address: a single one that no relay understands must not keep the others from being told.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(rf"{_ATOM}(\.{_ATOM})*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


@dataclass(frozen=True)
class Account:
    """Someone of the city office.

    Attributes
    ----------
    department : the one they are at work for, which with `roles` decides the database role.
    departments : all they belong to.
    roles : of gis.rights.ROLES.
    has_second_factor : it logs in with a code besides the password (gis.second_factor).
    must_enrol : it needs one for its roles and has none: it may do nothing before.
    email : where the office reaches them about messages; "" when nobody wrote one down.
    """

    name: str
    title: str
    department: str
    departments: tuple[str, ...]
    roles: frozenset[str]
    is_active: bool = True
    is_demo: bool = False
    has_second_factor: bool = False
    must_enrol: bool = False
    email: str = ""

    @property
    def role_name(self) -> str:
        """The PostgreSQL role under which they work."""
        return database_role(self.department, self.roles)

    def may(self, action: Action) -> bool:
        """Whether their roles allow an action (gis.rights)."""
        return may(self.roles, action)

    def require(self, action: Action) -> None:
        """Refuse an action that their roles do not allow.

        Raises
        ------
        UsageError : in words, before the database would refuse it.
        """
        if not self.may(action):
            raise UsageError(
                "%(name)s may not do this.",
                "It needs one of the roles: %(roles)s.",
                name=self.name,
                roles=", ".join(needed(action)),
            )


def find_account(connection: Connection, name: str) -> Account | None:
    """Return an active account by name. Role: `machimori_gate`, `machimori_admin` or owner."""
    found = _read(connection, name, with_disabled=False)
    return found[0] if found else None


def list_accounts(connection: Connection, with_disabled: bool = False) -> list[Account]:
    """Return the accounts by name. Role: as `find_account`."""
    return _read(connection, None, with_disabled)


def check_password(connection: Connection, name: str, password: str) -> Account | None:
    """Return the account when name and password fit, else None (see gis.passwords). Role: `machimori_gate`."""
    return find_account(connection, name) if check_password_of(connection, name, password) else None


def add_account(
    connection: Connection,
    name: str,
    title: str,
    department: str,
    password: str,
    is_demo: bool = False,
    roles: Sequence[str] = ("viewer",),
) -> None:
    """Add an account. Role: owner or `machimori_admin`.

    Raises
    ------
    UsageError : the name is taken or malformed, department or role unknown, the password shorter than 10 characters.
    """
    for role in roles:
        require_role(role)
    hashed = hash_password(password)
    _require_department(connection, department)
    if connection.execute(text("SELECT 1 FROM gis.account WHERE name = :name"), {"name": name}).first():
        raise UsageError(
            "The account %(name)r exists already.", "Change its password with: ./machimori user passwd", name=name
        )
    if not connection.execute(text("SELECT :name ~ '^[a-z][a-z0-9._-]{1,39}$'"), {"name": name}).scalar_one():
        raise UsageError(
            "%(name)r is no account name.", "Use small letters, digits, dot, hyphen; begin with a letter.", name=name
        )
    values = {"name": name, "title": title, "department": department, "hash": hashed, "is_demo": is_demo}
    connection.execute(_QUERIES["insert"], values)
    join_department(connection, name, department)
    for role in roles:
        grant_role(connection, name, role)


def grant_role(connection: Connection, name: str, role: str) -> None:
    """Give an account a role; nothing happens when it has it. Role: owner or `machimori_admin`.

    Raises
    ------
    UsageError : no such role or account.
    """
    require_role(role)
    _require_account(connection, name)
    connection.execute(
        text("INSERT INTO gis.account_role VALUES (:name, :role) ON CONFLICT DO NOTHING"), {"name": name, "role": role}
    )


def revoke_role(connection: Connection, name: str, role: str) -> None:
    """Take a role from an account. Role: owner or `machimori_admin`.

    Raises
    ------
    UsageError : no such role or account, or it is the last administrator's.
    """
    require_role(role)
    _require_account(connection, name)
    if role == "administrator":
        _require_other_administrator(connection, name)
    connection.execute(
        text("DELETE FROM gis.account_role WHERE account = :name AND role = :role"), {"name": name, "role": role}
    )


def join_department(connection: Connection, name: str, department: str) -> None:
    """Make an account a member of a department. Role: owner or `machimori_admin`.

    Raises
    ------
    UsageError : no such department or account.
    """
    _require_department(connection, department)
    _require_account(connection, name)
    connection.execute(
        text("INSERT INTO gis.account_department VALUES (:name, :department) ON CONFLICT DO NOTHING"),
        {"name": name, "department": department},
    )


def leave_department(connection: Connection, name: str, department: str) -> None:
    """End a membership, and the sessions that work for it; the first of the others becomes where logins begin.

    Role: owner or `machimori_admin`.

    Raises
    ------
    UsageError : no such account, not a member, or the only department.
    """
    account = _require_account(connection, name)
    others = [other for other in account.departments if other != department]
    if len(others) == len(account.departments):
        raise UsageError(
            "%(name)s does not belong to %(department)r.",
            "It belongs to %(others)s.",
            name=name,
            department=department,
            others=", ".join(others),
        )
    if not others:
        raise UsageError(
            "%(department)s is the only department of %(name)s.",
            "Add another first, or disable the account.",
            department=department,
            name=name,
        )
    values = {"name": name, "department": department, "other": others[0]}
    connection.execute(
        text("UPDATE gis.account SET department = :other WHERE name = :name AND department = :department"), values
    )
    connection.execute(
        text("DELETE FROM gis.account_department WHERE account = :name AND department = :department"), values
    )


def set_active(connection: Connection, name: str, is_active: bool) -> None:
    """Disable an account, which is out at once, or enable it again. Role: owner or `machimori_admin`.

    Raises
    ------
    UsageError : no such account, or it is the last administrator's.
    """
    _require_account(connection, name)
    if not is_active:
        _require_other_administrator(connection, name)
    connection.execute(
        text("UPDATE gis.account SET is_active = :active WHERE name = :name AND is_active <> :active"),
        {"name": name, "active": is_active},
    )


def set_email(connection: Connection, name: str, email: str) -> None:
    """Write down where the office reaches a person about messages; "" for nowhere. Role: owner or `machimori_admin`.

    Raises
    ------
    UsageError : no such account, or it is no address.
    """
    _require_account(connection, name)
    if email and not (len(email) <= 254 and _ADDRESS.fullmatch(email)):
        raise UsageError("%(email)r is no e-mail address.", "Write it as name@example.jp.", email=email)
    connection.execute(text("UPDATE gis.account SET email = :email WHERE name = :name"), {"name": name, "email": email})


def list_events(connection: Connection, name: str, most: int = 100) -> Sequence[Row[Any]]:
    """Return what happened to an account, newest first: account, event, detail, actor, at.

    Role: owner or `machimori_admin`.
    """
    return connection.execute(_QUERIES["events"], {"name": name, "most": most}).all()


def _read(connection: Connection, name: str | None, with_disabled: bool) -> list[Account]:
    rows = connection.execute(_QUERIES["accounts"], {"name": name, "with_disabled": with_disabled})
    return [
        Account(
            row.name,
            row.title,
            row.department,
            tuple(row.departments),
            frozenset(row.roles),
            row.is_active,
            row.is_demo,
            row.has_second_factor,
            row.must_enrol,
            row.email,
        )
        for row in rows
    ]


def _require_account(connection: Connection, name: str) -> Account:
    found = _read(connection, name, with_disabled=True)
    if not found:
        raise UsageError("There is no account %(name)r.", "See ./machimori user list", name=name)
    return found[0]


def _require_department(connection: Connection, department: str) -> None:
    known = connection.execute(text("SELECT name FROM gis.department ORDER BY name")).scalars().all()
    if department not in known:
        raise UsageError(
            "There is no department %(department)r.",
            "Known are: %(known)s.",
            department=department,
            known=", ".join(known),
        )


def _require_other_administrator(connection: Connection, name: str) -> None:
    """Someone must be left who can give rights back; an office that never had one is not held up."""
    holders = {account.name for account in list_accounts(connection) if account.may("keep_accounts")}
    if holders == {name}:
        raise UsageError(
            "%(name)s is the only administrator.",
            "Make another one first: ./machimori user roles NAME --grant ...",
            name=name,
        )
