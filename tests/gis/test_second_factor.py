"""The second factor: what opens, what does not, and whom the database believes."""

from __future__ import annotations

import pyotp
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from gis import second_factor
from gis.accounts import add_account, find_account, grant_role, list_events
from gis.database import ADMIN, GATE, Database
from gis.errors import UsageError
from gis.rights import ROLES, may

PASSWORD, KEY, NOW = "a long password", "the installation's key", 1_900_000_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that the check believes; the tests move it."""
    times = [float(NOW)]
    monkeypatch.setattr(second_factor.time, "time", lambda: times[0])
    return times


@pytest.fixture
def enrolled(owner: Engine, database: Database, clock: list[float]) -> tuple[pyotp.TOTP, list[str]]:
    """An approver with an app and recovery codes."""
    with owner.begin() as connection:
        add_account(connection, "sato", "佐藤", "disaster", PASSWORD, roles=["alert_author", "alert_approver"])
    with database.begin(GATE, "sato") as connection:
        second_factor.begin_enrolment(connection, "sato")
        secret = second_factor.enrolment_secret(connection, "sato", KEY)
        assert secret
        codes = second_factor.confirm_enrolment(connection, "sato", KEY, pyotp.TOTP(secret).at(NOW))
    assert codes and len(set(codes)) == 10
    clock[0] += 60
    return pyotp.TOTP(secret), codes


def check(database: Database, code: str, key: str = KEY) -> bool:
    with database.begin(GATE, "sato") as connection:
        return second_factor.check_code(connection, "sato", key, code)


def holds(owner: Engine, role: str) -> bool:
    with owner.begin() as connection:
        query = text("SELECT gis.account_holds('sato', :role)")
        return bool(connection.execute(query, {"role": role}).scalar_one())


@pytest.mark.parametrize(("offset_s", "opens"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_the_clock_may_be_one_step_off(
    database: Database, enrolled: tuple[pyotp.TOTP, list[str]], clock: list[float], offset_s: int, opens: bool
) -> None:
    clock[0] += 300
    assert check(database, enrolled[0].at(int(clock[0]) + offset_s)) is opens


def test_no_code_is_taken_twice_nor_an_older_one_after_it(
    database: Database, enrolled: tuple[pyotp.TOTP, list[str]], clock: list[float]
) -> None:
    code, older = enrolled[0].at(int(clock[0])), enrolled[0].at(int(clock[0]) - 30)
    assert check(database, code)
    assert not check(database, code)
    assert not check(database, older)


def test_the_code_of_the_enrolment_opens_nothing(database: Database, owner: Engine, clock: list[float]) -> None:
    with owner.begin() as connection:
        add_account(connection, "sato", "佐藤", "disaster", PASSWORD)
    with database.begin(GATE, "sato") as connection:
        second_factor.begin_enrolment(connection, "sato")
        secret = second_factor.enrolment_secret(connection, "sato", KEY)
        code = pyotp.TOTP(secret or "").at(NOW)
        assert not second_factor.check_code(connection, "sato", KEY, code), "not confirmed yet"
        assert second_factor.confirm_enrolment(connection, "sato", KEY, "000000x") is None
        assert second_factor.confirm_enrolment(connection, "sato", KEY, code)
        assert second_factor.enrolment_secret(connection, "sato", KEY) is None, "never shown again"
        assert second_factor.confirm_enrolment(connection, "sato", KEY, code) is None
        with pytest.raises(UsageError, match="already"):
            second_factor.begin_enrolment(connection, "sato")
    assert not check(database, code)


def test_a_code_is_read_as_people_type_it(
    database: Database, enrolled: tuple[pyotp.TOTP, list[str]], clock: list[float]
) -> None:
    code = enrolled[0].at(int(clock[0]))
    wide = code.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
    assert check(database, f" {wide[:3]} {wide[3:]} ")


def test_a_recovery_code_works_once(database: Database, enrolled: tuple[pyotp.TOTP, list[str]]) -> None:
    assert check(database, enrolled[1][0].upper())
    assert not check(database, enrolled[1][0])
    assert check(database, enrolled[1][1])
    with database.begin(GATE, "sato") as connection:
        assert second_factor.count_recovery_codes(connection, "sato") == 8
        fresh = second_factor.renew_recovery_codes(connection, "sato", KEY)
    assert not check(database, enrolled[1][2])
    assert check(database, fresh[0])


def test_wrong_codes_bring_a_pause_that_a_right_password_does_not_end(
    database: Database, owner: Engine, enrolled: tuple[pyotp.TOTP, list[str]], clock: list[float]
) -> None:
    for _ in range(5):
        assert not check(database, "12345")
    assert not check(database, enrolled[0].at(int(clock[0]))) and not check(database, enrolled[1][0])
    with owner.begin() as connection:
        assert [event.event for event in list_events(connection, "sato")].count("wrong code") == 5
        connection.execute(text("UPDATE gis.second_factor SET locked_until = now()"))
    assert check(database, enrolled[1][0])


def test_a_copy_of_the_database_makes_no_code(
    database: Database, owner: Engine, enrolled: tuple[pyotp.TOTP, list[str]], clock: list[float]
) -> None:
    with owner.begin() as connection:
        dump = connection.execute(
            text("SELECT string_agg(f::text || r::text, '') FROM gis.second_factor f, gis.recovery_code r")
        ).scalar_one()
    assert enrolled[0].secret not in dump
    assert not any(code.replace("-", "") in dump for code in enrolled[1])
    assert not check(database, enrolled[0].at(int(clock[0])), key="another installation's key")


@pytest.mark.parametrize("role", ["citizen", "machimori_service", "dept_disaster", "machimori_admin"])
def test_nobody_but_the_gate_reads_it(database: Database, role: str) -> None:
    for column, table in (("salt", "second_factor"), ("code_hmac", "recovery_code")):
        with pytest.raises(ProgrammingError, match="permission denied"), database.begin(role) as connection:
            connection.execute(text(f"SELECT {column} FROM gis.{table}"))


def test_the_database_believes_no_approver_without_it(database: Database, owner: Engine, clock: list[float]) -> None:
    with owner.begin() as connection:
        add_account(connection, "sato", "佐藤", "disaster", PASSWORD, roles=["alert_author", "alert_approver"])
    assert (holds(owner, "alert_author"), holds(owner, "alert_approver")) == (True, False)
    with owner.begin() as connection:
        second_factor.set_rule(connection, False)
    assert holds(owner, "alert_approver")
    with owner.begin() as connection:
        second_factor.set_rule(connection, True)
        found = find_account(connection, "sato")
    assert found and found.must_enrol and not found.has_second_factor


def test_with_it_the_approver_is_one_until_it_is_reset(
    database: Database, owner: Engine, enrolled: tuple[pyotp.TOTP, list[str]]
) -> None:
    assert holds(owner, "alert_approver")
    with owner.begin() as connection:
        add_account(connection, "head", "課長", "planning", PASSWORD, is_demo=True, roles=["administrator"])
    with pytest.raises(ProgrammingError, match="is no administrator"), database.begin(ADMIN, "sato") as connection:
        second_factor.remove_second_factor(connection, "sato")
    with database.begin(ADMIN, "head") as connection:
        second_factor.remove_second_factor(connection, "sato")
    assert not holds(owner, "alert_approver")
    with owner.begin() as connection:
        assert ("second factor removed", "head") in {(e.event, e.actor) for e in list_events(connection, "sato")}


def test_an_administrator_without_it_keeps_no_accounts(database: Database, owner: Engine) -> None:
    with owner.begin() as connection:
        add_account(connection, "sato", "佐藤", "disaster", PASSWORD, roles=["administrator"])
    with pytest.raises(ProgrammingError, match="is no administrator"), database.begin(ADMIN, "sato") as connection:
        grant_role(connection, "sato", "editor")


def test_no_administrator_makes_an_exempt_login(database: Database, owner: Engine) -> None:
    with owner.begin() as connection:
        add_account(connection, "head", "課長", "planning", PASSWORD, is_demo=True, roles=["administrator"])
    with pytest.raises(ProgrammingError, match="demonstration"), database.begin(ADMIN, "head") as connection:
        add_account(connection, "ito", "伊藤", "planning", PASSWORD, is_demo=True)


@pytest.mark.parametrize("role", ROLES)
def test_database_and_code_agree_who_edits(owner: Engine, role: str) -> None:
    with owner.begin() as connection:
        add_account(connection, "sato", "佐藤", "disaster", PASSWORD, roles=[role])
        assert connection.execute(text("SELECT gis.account_edits('sato')")).scalar_one() is may([role], "edit")
