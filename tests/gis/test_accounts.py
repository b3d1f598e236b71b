"""Staff accounts: right password in, wrong one out."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from gis.accounts import add_account, check_password, find_account, set_email
from gis.database import GATE, Database
from gis.errors import UsageError
from gis.passwords import set_password


@pytest.fixture
def account(owner: Engine) -> str:
    with owner.begin() as connection:
        add_account(connection, "sato", "佐藤", "disaster", "a long password")
    return "sato"


def test_the_right_password_opens(database: Database, account: str) -> None:
    with database.begin(GATE) as connection:
        found = check_password(connection, account, "a long password")
        assert found is not None
        assert found.role_name == "dept_disaster_viewer"
        assert connection.execute(text("SELECT last_login_at FROM gis.account")).scalar_one() is not None


@pytest.mark.parametrize(("name", "password"), [("sato", "a wrong password"), ("nobody", "a long password"), ("", "")])
def test_anything_else_does_not(database: Database, account: str, name: str, password: str) -> None:
    with database.begin(GATE) as connection:
        assert check_password(connection, name, password) is None


def test_a_blocked_account_stays_out(database: Database, owner: Engine, account: str) -> None:
    with owner.begin() as connection:
        connection.execute(text("UPDATE gis.account SET is_active = false"))
    with database.begin(GATE) as connection:
        assert check_password(connection, account, "a long password") is None
        assert find_account(connection, account) is None


def test_a_changed_password_replaces_the_old_one(database: Database, owner: Engine, account: str) -> None:
    with owner.begin() as connection:
        set_password(connection, account, "another password")
    with database.begin(GATE) as connection:
        assert check_password(connection, account, "a long password") is None
        assert check_password(connection, account, "another password") is not None


@pytest.mark.parametrize(
    ("name", "department", "password", "message"),
    [
        ("sato", "disaster", "a long password", "exists already"),
        ("Sato!", "disaster", "a long password", "no account name"),
        ("ito", "moon", "a long password", "no department"),
        ("ito", "disaster", "short", "shorter than 10"),
    ],
)
def test_a_bad_account_is_refused_with_the_reason(
    owner: Engine, account: str, name: str, department: str, password: str, message: str
) -> None:
    with owner.begin() as connection, pytest.raises(UsageError, match=message):
        add_account(connection, name, "x", department, password)


def test_an_address_that_could_keep_the_other_approvers_from_being_told_is_not_taken(owner: Engine) -> None:
    with owner.begin() as connection:
        add_account(connection, "ito", "伊藤", "disaster", "a long password")
        for wrong in (
            "ito",
            "i..to@docomo.ne.jp",
            ".ito@ezweb.ne.jp",
            "伊藤@x.jp",
            "a@x.jp\nBcc: b@x.jp",
            "a@x.jp, b@x.jp",
        ):
            with pytest.raises(UsageError, match="no e-mail address"):
                set_email(connection, "ito", wrong)
        for right in ("ito+alarm@city.example", ""):
            set_email(connection, "ito", right)
            found = find_account(connection, "ito")
            assert found and found.email == right
