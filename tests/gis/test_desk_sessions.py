"""Sessions at the desk end when they should."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from gis.accounts import Account, add_account, check_password, find_account, join_department, set_active
from gis.database import GATE, Database
from gis.desk_sessions import choose_department, end_session, list_sessions, resume_session, start_session
from gis.errors import UsageError
from gis.passwords import set_password

PASSWORD = "a long password"


@pytest.fixture
def account(owner: Engine) -> Account:
    with owner.begin() as connection:
        add_account(connection, "sato", "佐藤", "sewer", PASSWORD, roles=["viewer", "editor"])
        join_department(connection, "sato", "disaster")
        found = find_account(connection, "sato")
    assert found is not None
    return found


def start(database: Database, account: Account) -> str:
    with database.begin(GATE, account=account.name) as connection:
        return start_session(connection, account, "Firefox", "203.0.113.77")


def is_open(database: Database, token: str) -> bool:
    with database.begin(GATE) as connection:
        return resume_session(connection, token) is not None


def test_a_session_is_found_by_its_token_and_keeps_neither_token_nor_whole_address(
    database: Database, owner: Engine, account: Account
) -> None:
    token = start(database, account)
    assert is_open(database, token) and not is_open(database, token[:-1])
    with owner.begin() as connection:
        row = connection.execute(text("SELECT s::text FROM gis.session s")).scalar_one()
        assert token not in row and "203.0.113.77" not in row and "203.0.113.0/24" in row


@pytest.mark.parametrize(
    "change",
    [
        "created_at = now() - interval '12 hours 1 second', seen_at = now()",
        "seen_at = now() - interval '61 minutes'",
        "ended_at = now()",
    ],
)
def test_a_session_ends(database: Database, owner: Engine, account: Account, change: str) -> None:
    token = start(database, account)
    with owner.begin() as connection:
        connection.execute(text(f"UPDATE gis.session SET {change}"))
        assert list_sessions(connection) == []
    assert not is_open(database, token)


def test_a_request_keeps_a_session_alive(database: Database, owner: Engine, account: Account) -> None:
    token = start(database, account)
    with owner.begin() as connection:
        connection.execute(text("UPDATE gis.session SET seen_at = now() - interval '59 minutes'"))
    assert is_open(database, token)
    with owner.begin() as connection:
        assert connection.execute(text("SELECT now() - seen_at < interval '1 minute' FROM gis.session")).scalar_one()


def test_a_disabled_account_and_a_new_password_end_sessions(
    database: Database, owner: Engine, account: Account
) -> None:
    first, second = start(database, account), start(database, account)
    with database.begin(GATE) as connection:
        kept = resume_session(connection, second)
        assert kept is not None
        set_password(connection, "sato", "another password", keep_session=kept[0])
    assert (is_open(database, first), is_open(database, second)) == (False, True)
    with owner.begin() as connection:
        set_active(connection, "sato", False)
    assert not is_open(database, second)


def test_a_session_is_revoked_once_and_by_its_own_account(database: Database, account: Account) -> None:
    token = start(database, account)
    with database.begin(GATE) as connection:
        (session,) = list_sessions(connection, "sato")
        with pytest.raises(UsageError, match="no running session"):
            end_session(connection, session.id, "somebody")
        end_session(connection, session.id, "sato")
        with pytest.raises(UsageError, match="no running session"):
            end_session(connection, session.id)
    assert not is_open(database, token)


def test_a_session_works_for_one_department_at_a_time(database: Database, account: Account) -> None:
    token = start(database, account)
    with database.begin(GATE) as connection:
        found = resume_session(connection, token)
        assert found is not None and found[1].role_name == "dept_sewer"
        choose_department(connection, *found, "disaster")
        with pytest.raises(UsageError, match="does not belong"):
            choose_department(connection, *found, "school")
        changed = resume_session(connection, token)
    assert changed is not None and changed[1].role_name == "dept_disaster"


def test_wrong_passwords_bring_a_pause_that_a_right_one_does_not_end(
    database: Database, owner: Engine, account: Account
) -> None:
    for _ in range(5):
        with database.begin(GATE) as connection:
            assert check_password(connection, "sato", "wrong") is None
    with database.begin(GATE) as connection:
        assert check_password(connection, "sato", PASSWORD) is None
    with owner.begin() as connection:
        left = "extract(epoch FROM locked_until - now()) / 60"
        assert 0 < connection.execute(text(f"SELECT {left} FROM gis.account")).scalar_one() <= 2
        connection.execute(text("UPDATE gis.account SET locked_until = now()"))
    with database.begin(GATE) as connection:
        assert check_password(connection, "sato", PASSWORD) is not None
