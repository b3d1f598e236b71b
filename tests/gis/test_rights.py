"""Roles are enforced by the database, whichever way a statement comes."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from gis.accounts import (
    Account,
    add_account,
    find_account,
    grant_role,
    join_department,
    leave_department,
    list_events,
    revoke_role,
    set_active,
)
from gis.database import ADMIN, GATE, Database
from gis.errors import UsageError
from gis.rights import ROLES, database_role
from tests.gis.test_alert_guards import make_alert

PASSWORD = "a long password"


@pytest.fixture
def people(owner: Engine) -> dict[str, Account]:
    """One account per role, all of the disaster office."""
    with owner.begin() as connection:
        for role in ROLES:
            add_account(connection, role.replace("_", "."), role, "disaster", PASSWORD, is_demo=True, roles=[role])
        found = {role: find_account(connection, role.replace("_", ".")) for role in ROLES}
    return {role: account for role, account in found.items() if account}


def act(database: Database, account: Account, statement: str) -> None:
    with database.begin(account.role_name, account.name) as connection:
        connection.execute(text(statement))


def test_a_viewer_sees_the_layers_and_edits_none(database: Database, people: dict[str, Account]) -> None:
    act(database, people["viewer"], "SELECT * FROM layers.shelter")
    with pytest.raises(ProgrammingError, match="permission denied"):
        act(database, people["viewer"], "UPDATE layers.shelter SET name = 'x'")
    act(database, people["editor"], "UPDATE layers.shelter SET name = 'x'")


@pytest.mark.parametrize("role", ["alert_author", "alert_approver", "administrator"])
def test_other_roles_do_not_include_editing(database: Database, people: dict[str, Account], role: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        act(database, people[role], "DELETE FROM layers.shelter")


@pytest.mark.parametrize("role", ["viewer", "editor", "layer_manager", "moderator", "administrator"])
def test_nobody_else_of_the_office_touches_an_alert(
    database: Database, owner: Engine, people: dict[str, Account], role: str
) -> None:
    with owner.begin() as connection:
        make_alert(connection)
    for statement in ("UPDATE alerts.alert SET state = 'discarded'", "DELETE FROM alerts.alert_text"):
        with pytest.raises(ProgrammingError, match="neither alert author nor alert approver"):
            act(database, people[role], statement)


def test_an_author_submits_and_an_approver_approves(
    database: Database, owner: Engine, people: dict[str, Account]
) -> None:
    with owner.begin() as connection:
        make_alert(connection)
    submit = "UPDATE alerts.alert SET state = 'submitted', submitted_by = '{}'"
    approve = "UPDATE alerts.alert SET state = 'approved', sent_at = now(), approved_by = '{}'"
    with pytest.raises(ProgrammingError, match="cannot submit"):
        act(database, people["alert_approver"], submit.format("alert.approver"))
    with pytest.raises(ProgrammingError, match="cannot submit an alert as somebody"):
        act(database, people["alert_author"], submit.format("somebody"))
    act(database, people["alert_author"], submit.format("alert.author"))
    for name in ("alert.approver", "alert.author", "policy:x"):
        with pytest.raises(ProgrammingError, match="cannot approve"):
            act(database, people["alert_author"], approve.format(name))
    act(database, people["alert_approver"], approve.format("alert.approver"))


def test_a_disabled_approver_approves_nothing(database: Database, owner: Engine, people: dict[str, Account]) -> None:
    with owner.begin() as connection:
        make_alert(connection)
        connection.execute(text("UPDATE alerts.alert SET state = 'submitted', submitted_by = 'alert.author'"))
        set_active(connection, "alert.approver", False)
    with pytest.raises(ProgrammingError, match="neither alert author"):
        act(
            database,
            people["alert_approver"],
            "UPDATE alerts.alert SET state = 'approved', sent_at = now(), approved_by = 'alert.approver'",
        )


def test_only_an_administrator_keeps_accounts(database: Database, people: dict[str, Account]) -> None:
    with database.begin(ADMIN, "administrator") as connection:
        grant_role(connection, "viewer", "editor")
        add_account(connection, "ito", "伊藤", "sewer", PASSWORD)
        events = [(event.event, event.detail, event.actor) for event in list_events(connection, "viewer", 1)]
    assert events == [("role granted", "editor", "administrator")]
    for name in ("viewer", "alert.approver", ""):
        with pytest.raises(ProgrammingError, match="is no administrator"), database.begin(ADMIN, name) as connection:
            grant_role(connection, "viewer", "administrator")
    with pytest.raises(ProgrammingError, match="permission denied"), database.begin("dept_disaster") as connection:
        connection.execute(text("INSERT INTO gis.account_role VALUES ('viewer', 'administrator')"))
    with pytest.raises(ProgrammingError, match="permission denied"), database.begin(GATE) as connection:
        connection.execute(text("INSERT INTO gis.account_role VALUES ('viewer', 'administrator')"))


def test_the_log_cannot_be_rewritten(database: Database, people: dict[str, Account]) -> None:
    for role in (ADMIN, GATE, "dept_disaster"):
        with pytest.raises(ProgrammingError, match="permission denied"), database.begin(role, "administrator") as door:
            door.execute(text("DELETE FROM gis.account_event"))


def test_the_last_administrator_stays(owner: Engine, people: dict[str, Account]) -> None:
    with owner.begin() as connection:
        for attempt in (
            lambda: revoke_role(connection, "administrator", "administrator"),
            lambda: set_active(connection, "administrator", False),
        ):
            with pytest.raises(UsageError, match="only administrator"):
                attempt()


def test_departments_are_joined_and_left(owner: Engine, people: dict[str, Account]) -> None:
    with owner.begin() as connection:
        join_department(connection, "editor", "sewer")
        leave_department(connection, "editor", "disaster")
        account = find_account(connection, "editor")
        assert account is not None
        assert (account.departments, account.role_name) == (("sewer",), "dept_sewer")
        with pytest.raises(UsageError, match="only department"):
            leave_department(connection, "editor", "sewer")
        with pytest.raises(UsageError, match="no department"):
            join_department(connection, "editor", "moon")
        with pytest.raises(UsageError, match="no role"):
            grant_role(connection, "editor", "king")


def test_the_role_of_the_database_follows_from_the_roles() -> None:
    assert database_role("sewer", ["viewer", "alert_author"]) == "dept_sewer_viewer"
    assert database_role("sewer", []) == "dept_sewer_viewer"
    assert database_role("sewer", ["viewer", "editor"]) == "dept_sewer"
