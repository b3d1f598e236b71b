"""Accounts for the tests of who may change layers."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, text

from gis.accounts import add_account

PASSWORD = "a password of the tests"


def add_person(
    owner: Engine, name: str = "mori", department: str = "planning", roles: Sequence[str] = ("editor", "layer_manager")
) -> str:
    """Add an account and return its name."""
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL ROLE machimori_owner"))
        add_account(connection, name, name, department, PASSWORD, roles=roles)
    return name
