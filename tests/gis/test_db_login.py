"""People's own logins over TCP: what they may do, and what the server refuses them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text

from gis.accounts import (
    add_account,
    grant_role,
    join_department,
    leave_department,
    revoke_role,
    set_active,
)
from gis.database import ADMIN, Database
from gis.db_login import connection_words, list_db_logins, make_db_login, revoke_db_login
from gis.embedded import Cluster
from gis.errors import UsageError
from gis.settings import Settings
from webmap.cli import main

NAME = "tanaka.jiro"
PASSWORD = "a long password"
INSERT = "INSERT INTO layers.sewer_manhole (geom, manhole_id) VALUES (ST_Point(141.2, 38.4, 6668), 'M1')"


@pytest.fixture
def words(settings: Settings, owner: Engine) -> Iterator[str]:
    """The connection string of a person of the sewer office, with the password."""
    with owner.begin() as connection:
        add_account(connection, NAME, "田中", "sewer", PASSWORD, roles=["editor"])
        password = make_db_login(connection, NAME, "sewer")
        words = connection_words(connection, NAME)
    yield f"{words} password={password}"
    with owner.begin() as connection:  # roles belong to the cluster, not to this test's database
        if any(login.name == NAME for login in list_db_logins(connection)):
            revoke_db_login(connection, NAME)


def test_the_history_has_the_persons_name(words: str) -> None:
    with psycopg.connect(words) as connection:
        connection.execute(INSERT)
        assert connection.execute("SELECT created_by FROM layers.sewer_manhole").fetchone() == (NAME,)
        assert connection.execute("SELECT account FROM gis.changeset").fetchone() == (NAME,)


def test_no_setting_makes_the_person_somebody_else(words: str) -> None:
    with psycopg.connect(words) as connection:
        connection.execute("SELECT set_config('machimori.account', 'mayor', true)")
        assert connection.execute("SELECT gis.current_account()").fetchone() == (NAME,)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO layers.shelter (geom, shelter_id, name) VALUES (NULL, 'x', 'x')",
        "UPDATE layers.evacuation_site SET name = 'x'",
        "UPDATE history.sewer_manhole SET version = 1",
        "DELETE FROM gis.changeset",
        "SELECT * FROM alerts.subscriber",
        "SELECT * FROM alerts.place",
        "SELECT * FROM gis.account",
        "SELECT * FROM ingest.report",
        "SET ROLE dept_disaster",
        "SET ROLE machimori_owner",
        "CREATE TABLE public.mine (a int)",
        "CREATE ROLE friend LOGIN",
        "ALTER TABLE layers.sewer_manhole DISABLE TRIGGER ALL",
        "COPY (SELECT 1) TO PROGRAM 'true'",
    ],
)
def test_what_the_department_may_not_is_refused_by_the_database(words: str, statement: str) -> None:
    with psycopg.connect(words) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


@pytest.mark.parametrize("user", ["postgres", "machimori_app", "machimori_owner", "dept_sewer"])
def test_no_login_of_the_system_is_heard_over_tcp(words: str, user: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects"):
        psycopg.connect(words.replace(f"user={NAME}", f"user={user}"))


def test_a_wrong_password_is_refused(words: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(words + "x")


def test_a_person_is_not_trusted_on_the_private_socket(words: str, cluster: Cluster) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
        psycopg.connect(cluster.url(NAME, "postgres"))


def test_the_server_keeps_a_verifier_not_the_password(words: str, owner: Engine) -> None:
    with owner.begin() as connection:
        query = f"SELECT rolpassword FROM pg_authid WHERE rolname = '{NAME}'"
        assert connection.exec_driver_sql(query).scalar_one().startswith("SCRAM-SHA-256$")


def test_a_second_call_changes_department_and_password(words: str, owner: Engine) -> None:
    with owner.begin() as connection:
        join_department(connection, NAME, "school")
        make_db_login(connection, NAME, "school", "a longer password")
        assert rights_of(connection) == ["school edits"]
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(words)


def test_revoking_ends_the_open_connections(words: str, owner: Engine) -> None:
    with psycopg.connect(words) as open_connection:
        with owner.begin() as connection:
            revoke_db_login(connection, NAME)
        with pytest.raises(psycopg.OperationalError):
            open_connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(words)
    with owner.begin() as connection, pytest.raises(UsageError, match="no login"):
        revoke_db_login(connection, NAME)


@pytest.mark.parametrize(
    "name", ["postgres", "machimori_app", "dept_sewer", "pg_monitor", "citizen", "public", "X", "a b"]
)
def test_a_name_of_the_system_is_no_persons(owner: Engine, name: str) -> None:
    with owner.begin() as connection, pytest.raises(UsageError):
        make_db_login(connection, name, "sewer")
    with owner.begin() as connection, pytest.raises(UsageError):
        revoke_db_login(connection, name)


def test_bad_departments_and_short_passwords_are_refused(owner: Engine) -> None:
    with owner.begin() as connection:
        add_account(connection, NAME, "田中", "sewer", PASSWORD, roles=["editor"])
    with owner.begin() as connection, pytest.raises(UsageError, match="no department 'mayor'"):
        make_db_login(connection, NAME, "mayor")
    with owner.begin() as connection, pytest.raises(UsageError, match="does not belong to 'school'"):
        make_db_login(connection, NAME, "school")
    with owner.begin() as connection, pytest.raises(UsageError, match="shorter"):
        make_db_login(connection, NAME, "sewer", "short")


def test_the_history_names_persons_so_only_an_active_account_gets_a_login(owner: Engine) -> None:
    with owner.begin() as connection, pytest.raises(UsageError, match="no active account"):
        make_db_login(connection, NAME, "sewer")
    with owner.begin() as connection:
        add_account(connection, NAME, "田中", "sewer", PASSWORD)
        set_active(connection, NAME, False)
    with owner.begin() as connection, pytest.raises(UsageError, match="no active account"):
        make_db_login(connection, NAME, "sewer")


def test_who_edits_nothing_gets_a_login_that_cannot(words: str, owner: Engine) -> None:
    with owner.begin() as connection:
        grant_role(connection, NAME, "viewer")
        revoke_role(connection, NAME, "editor")
        assert rights_of(connection) == ["sewer sees"]
    with psycopg.connect(words) as connection:
        connection.execute("SELECT * FROM layers.sewer_manhole")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(INSERT)
    with owner.begin() as connection:
        grant_role(connection, NAME, "moderator")
        assert rights_of(connection) == ["sewer edits"]


LOSSES: dict[str, Callable[[Connection], object]] = {
    "disabled": lambda connection: set_active(connection, NAME, False),
    "role revoked": lambda connection: revoke_role(connection, NAME, "editor"),
    "department left": lambda connection: leave_department(connection, NAME, "sewer"),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_an_administrators_change_ends_what_is_open_at_once(
    words: str, database: Database, owner: Engine, loss: str
) -> None:
    with owner.begin() as connection:
        add_account(connection, "head", "課長", "planning", PASSWORD, is_demo=True, roles=["administrator"])
        join_department(connection, NAME, "school")
    with psycopg.connect(words, autocommit=True) as before:
        before.execute("SET ROLE dept_sewer")  # outlives a membership
        with database.begin(ADMIN, account="head") as connection:
            LOSSES[loss](connection)
        with pytest.raises(psycopg.OperationalError):
            before.execute("SELECT * FROM layers.sewer_manhole")
    if loss == "role revoked":
        with psycopg.connect(words) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(INSERT)
    else:
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(words)


@pytest.mark.parametrize("loss", ["account", "membership"])
def test_a_connection_that_survived_reads_no_more_and_edits_no_more(words: str, owner: Engine, loss: str) -> None:
    """Nothing ends the connections here: as if a program had connected between the change and its commit."""
    with psycopg.connect(words, autocommit=True) as survivor:
        survivor.execute("SET ROLE dept_sewer")
        survivor.execute(INSERT)
        with owner.begin() as connection:
            connection.execute(text("SET session_replication_role = replica"))
            if loss == "account":
                connection.execute(text("UPDATE gis.account SET is_active = false"))
            else:
                connection.execute(text(f'REVOKE dept_sewer FROM "{NAME}"'))
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="may no longer edit"):
            survivor.execute("DELETE FROM layers.sewer_manhole")
        if loss == "membership":
            survivor.execute("RESET ROLE")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                survivor.execute("SELECT * FROM layers.sewer_manhole")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                survivor.execute("SET ROLE dept_sewer")


def test_a_role_that_was_never_a_persons_is_left_alone(owner: Engine) -> None:
    with owner.begin() as connection:
        add_account(connection, "citizen", "x", "sewer", PASSWORD)
        assert connection.execute(text("SELECT gis.fit_db_login('citizen', 'sewer')")).scalar() is None
        assert connection.execute(text("SELECT gis.fit_db_login('postgres', 'sewer')")).scalar() is None


@pytest.mark.parametrize("function", ["fit_db_login", "end_db_connections"])
def test_a_person_moves_no_login(words: str, function: str) -> None:
    with psycopg.connect(words) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"SELECT gis.{function}('{NAME}')")


def rights_of(connection: Connection) -> list[str]:
    return [
        f"{login.department} {'edits' if login.may_edit else 'sees'}"
        for login in list_db_logins(connection)
        if login.name == NAME
    ]


def test_the_command_makes_lists_and_revokes(
    owner: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MACHIMORI_VAR", str(settings.var_dir))
    monkeypatch.setenv("MACHIMORI_DATABASE_URL", settings.owner_url())
    monkeypatch.setenv("MACHIMORI_APP_DATABASE_URL", settings.app_url())
    assert main(["user", "db-login", "suzuki", "--department", "sewer"]) == 2
    with owner.begin() as connection:
        add_account(connection, "suzuki", "鈴木", "sewer", PASSWORD)
    capsys.readouterr()
    assert main(["user", "db-login", "suzuki", "--department", "sewer"]) == 0
    shown = capsys.readouterr().out.splitlines()
    with psycopg.connect(f"{shown[1]} password={shown[2].split()[1]}") as connection:
        assert connection.execute("SELECT session_user").fetchone() == ("suzuki",)
    assert main(["user", "db-logins"]) == 0
    assert "suzuki\tsewer\tsees" in capsys.readouterr().out
    assert main(["user", "db-login", "suzuki", "--revoke"]) == 0
    assert main(["user", "db-login", "suzuki", "--revoke"]) == 2
