"""The held connection: the role holds inside, and never outlives it."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import text

from gis.database import Database
from gis.settings import Settings


@pytest.fixture
def narrow(database: Database, settings: Settings) -> Database:
    """A door with a single connection, so that the next user gets the very same one."""
    return Database(settings.app_url(), pool_size=1)


def test_a_held_connection_has_the_role_and_commits_each_statement(narrow: Database, database: Database) -> None:
    with narrow.hold("machimori_service") as connection:
        connection.execute("INSERT INTO ingest.source (name) VALUES ('x')")
        with database.begin("machimori_service") as other:
            assert other.execute(text("SELECT name FROM ingest.source")).scalars().all() == ["x"]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM ingest.source")


def test_the_role_does_not_outlive_the_holding(narrow: Database) -> None:
    with narrow.hold("machimori_service") as connection:
        connection.execute("SELECT 1")
    with narrow.engine.connect() as after:
        assert after.execute(text("SELECT current_user")).scalar_one() == "machimori_app"
    with narrow.begin("citizen") as citizen:
        assert citizen.execute(text("SELECT current_user")).scalar_one() == "citizen"


def test_the_role_does_not_outlive_a_failure(narrow: Database) -> None:
    with pytest.raises(RuntimeError), narrow.hold("machimori_service"):
        raise RuntimeError
    with narrow.engine.connect() as after:
        assert after.execute(text("SELECT current_user")).scalar_one() == "machimori_app"
