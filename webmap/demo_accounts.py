"""Logins for the demonstration town: an author and an approver of alerts, an editor, an administrator."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from sqlalchemy import Connection, text

from gis.accounts import add_account, set_email
from gis.settings import DATA_DIR, Settings


@dataclass(frozen=True)
class DemoAccount:
    """One entry of `data/demo_accounts.toml`."""

    name: str
    title: str
    department: str
    roles: tuple[str, ...]
    email: str


def load_demo_accounts() -> list[DemoAccount]:
    """Read `data/demo_accounts.toml`."""
    entries = tomllib.loads((DATA_DIR / "demo_accounts.toml").read_text(encoding="utf-8"))
    return [
        DemoAccount(name, entry["title"], entry["department"], tuple(entry["roles"]), entry.get("email", ""))
        for name, entry in entries.items()
    ]


def demo_password(settings: Settings) -> str:
    """Return the password of all demonstration logins, made for this installation alone."""
    return settings.secret("demo_password")


def add_demo_accounts(connection: Connection, settings: Settings) -> None:
    """Add the demonstration logins. Role: owner."""
    password = demo_password(settings)
    for account in load_demo_accounts():
        add_account(connection, account.name, account.title, account.department, password, True, account.roles)
        set_email(connection, account.name, account.email)


def is_demo_town(connection: Connection) -> bool:
    """Whether the town is the demonstration town. Role: owner."""
    return bool(connection.execute(text("SELECT EXISTS (SELECT 1 FROM layers.city_area WHERE is_demo)")).scalar_one())


def active_demo_accounts(connection: Connection) -> list[str]:
    """Return the names of the demonstration logins that still work. Role: owner or `machimori_gate`."""
    rows = connection.execute(text("SELECT name FROM gis.account WHERE is_demo AND is_active ORDER BY name"))
    return list(rows.scalars())
