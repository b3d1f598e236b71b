"""`user`: logins kept from the shell."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, text

from gis.accounts import find_account
from gis.database import GATE, Database
from gis.db_login import list_db_logins, make_db_login
from gis.desk_sessions import list_sessions, start_session
from gis.settings import Settings
from webmap.cli import main

Run = Callable[..., str]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("MACHIMORI_VAR", str(settings.var_dir))
    monkeypatch.setenv("MACHIMORI_DATABASE_URL", settings.owner_url())
    monkeypatch.setenv("MACHIMORI_APP_DATABASE_URL", settings.app_url())

    def run(*words: str, code: int = 0) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO("a long password\n"))
        assert main(["user", *words]) == code
        printed = capsys.readouterr()
        return printed.out + printed.err

    return run


def add(run: Run) -> None:
    run("add", "mori", "--title", "森", "--department", "sewer", "--role", "editor")


def test_a_login_is_added_with_its_roles_and_changed(run: Run) -> None:
    add(run)
    assert run("list") == "mori\tsewer\teditor\t森\n"
    assert run("roles", "mori", "--grant", "alert_author", "--revoke", "editor") == "mori: alert_author\n"
    assert run("departments", "mori", "--join", "disaster", "--leave", "sewer") == "mori: disaster\n"
    assert "role granted\talert_author" in run("events", "mori")
    assert "no account" in run("roles", "nobody", "--grant", "editor", code=2)


def test_a_disabled_login_is_out_everywhere(run: Run, database: Database, owner: Engine) -> None:
    add(run)
    with owner.begin() as connection:
        account = find_account(connection, "mori")
        assert account is not None
        make_db_login(connection, "mori", "sewer")
    with database.begin(GATE, account="mori") as connection:
        start_session(connection, account)
    assert "\tmori\tsewer\t" in run("sessions")
    run("disable", "mori")
    with owner.begin() as connection:
        assert list_sessions(connection) == []
        assert "mori" not in [login.name for login in list_db_logins(connection)]
    assert run("list") == ""
    assert "disabled" in run("list", "--all")
    run("enable", "mori")
    assert "mori" in run("list")


def test_sessions_are_revoked_by_number_or_by_name(run: Run, database: Database, owner: Engine) -> None:
    add(run)
    with owner.begin() as connection:
        account = find_account(connection, "mori")
        assert account is not None
    for _ in range(3):
        with database.begin(GATE, account="mori") as connection:
            start_session(connection, account)
    assert "has ended" in run("revoke", "1")
    assert "no running session" in run("revoke", "1", code=2)
    assert "2 sessions of mori" in run("revoke", "mori")


def test_the_second_factor_is_announced_required_and_reset(run: Run, owner: Engine) -> None:
    words = ("add", "head", "--title", "課長", "--department", "planning", "--role", "administrator")
    assert "authenticator app" in run(*words)
    assert "no second factor" in run("totp-reset", "head", code=2)
    with owner.begin() as connection:
        connection.execute(
            text("INSERT INTO gis.second_factor (account, salt, confirmed_at) VALUES ('head', '', now())")
        )
    assert "\tsecond factor" in run("list")
    run("totp-reset", "head")
    assert "second factor removed" in run("events", "head")
    assert run("second-factor") == "for alert approvers and administrators: required\n"
    assert run("second-factor", "optional") == "for alert approvers and administrators: optional\n"
