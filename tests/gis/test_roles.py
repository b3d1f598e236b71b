"""The database is the guard: what a role may not do, no code above it can do."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from gis.database import APP, CITIZEN, GATE, SERVICE, Database
from gis.roles import load_departments

SECRETS = ["alerts.subscriber", "alerts.place", "alerts.delivery", "ingest.document", "ingest.report", "gis.account"]


@pytest.mark.parametrize("table", SECRETS)
@pytest.mark.parametrize("role", [CITIZEN, APP, "dept_sewer"])
def test_a_role_without_need_cannot_read_personal_tables(database: Database, role: str, table: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), database.begin(role) as connection:
        connection.execute(text(f"SELECT * FROM {table}"))


def test_citizen_reads_no_table_outside_open(database: Database, owner: Engine) -> None:
    with owner.connect() as connection:
        tables = connection.execute(
            text(
                "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN"
                " ('gis', 'layers', 'history', 'ingest', 'alerts', 'queue') AND"
                " has_table_privilege('citizen', format('%I.%I', schemaname, tablename),"
                " 'SELECT, INSERT, UPDATE, DELETE')"
            )
        ).scalars()
        # The catalogue says which layers there are; it holds no data of theirs.
        assert set(tables) <= {"gis.layer"}


def test_the_gate_sees_accounts_and_nothing_else(database: Database) -> None:
    with database.begin(GATE) as connection:
        assert connection.execute(text("SELECT count(*) FROM gis.account")).scalar_one() == 0
    with pytest.raises(ProgrammingError, match="permission denied"), database.begin(GATE) as connection:
        connection.execute(text("SELECT * FROM alerts.alert"))


def test_the_app_login_cannot_become_owner(database: Database) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), database.begin("machimori_owner"):
        pass


def test_a_role_ends_with_its_transaction(database: Database) -> None:
    with database.begin(SERVICE) as connection:
        assert connection.execute(text("SELECT current_user")).scalar_one() == SERVICE
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT current_user")).scalar_one() == APP


def test_every_department_is_a_role_that_the_app_may_take(database: Database) -> None:
    for department in load_departments():
        with database.begin(department.role_name) as connection:
            assert connection.execute(text("SELECT current_user")).scalar_one() == department.role_name


def test_only_the_service_may_write_reports(database: Database) -> None:
    insert = text("INSERT INTO ingest.source (name) VALUES ('x')")
    with pytest.raises(ProgrammingError, match="permission denied"), database.begin("dept_disaster") as connection:
        connection.execute(insert)
    with database.begin(SERVICE) as connection:
        connection.execute(insert)


def test_objects_belong_to_an_owner_that_is_no_superuser(owner: Engine) -> None:
    with owner.connect() as connection:
        assert not connection.execute(
            text("SELECT rolsuper OR rolcanlogin FROM pg_roles WHERE rolname = 'machimori_owner'")
        ).scalar_one()
        others = connection.execute(
            text(
                "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN"
                " ('gis', 'layers', 'history', 'open', 'ingest', 'alerts', 'queue')"
            )
        ).scalars()
        assert set(others) == {"machimori_owner"}
