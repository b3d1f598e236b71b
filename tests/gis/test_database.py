"""Connections: a held one (the role holds inside, every statement is durable by itself), ended ones, statements sent
together."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DataError, OperationalError, ProgrammingError

from gis.database import Database, sent_together


def test_a_held_connection_has_the_role_and_commits_each_statement(database: Database) -> None:
    async def hold() -> None:
        async with database.hold("machimori_service") as connection:
            await connection.execute("INSERT INTO ingest.source (name) VALUES ('x')")
            with database.begin("machimori_service") as other:
                assert other.execute(text("SELECT name FROM ingest.source")).scalars().all() == ["x"]
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute("DELETE FROM ingest.source")

    asyncio.run(hold())


def test_the_role_does_not_outlive_the_holding_not_even_a_failed_one(database: Database) -> None:
    async def hold() -> None:
        async with database.hold("machimori_service") as connection:
            await connection.execute("SELECT 1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        asyncio.run(hold())
    with database.engine.connect() as after:
        assert after.execute(text("SELECT current_user")).scalar_one() == "machimori_app"
        held = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = 'SELECT 1'"
        assert after.execute(text(held)).scalar_one() == 0


def _end_all(owner: Engine, usename: str = "machimori_app") -> None:
    with owner.begin() as connection:
        ended = (
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = :name"
        )
        assert connection.execute(text(ended), {"name": usename}).scalar_one() > 0


def test_a_connection_that_the_server_ended_while_it_rested_is_replaced_unnoticed(
    database: Database, owner: Engine
) -> None:
    with database.begin("machimori_service") as connection:
        connection.execute(text("SELECT 1"))
    _end_all(owner)
    with database.begin("machimori_service") as connection:
        assert connection.execute(text("SELECT current_user")).scalar_one() == "machimori_service"


def test_what_is_sent_together_fails_as_one_transaction_with_errors_of_the_usual_kind(
    database: Database, owner: Engine
) -> None:
    insert = "INSERT INTO ingest.source (name) VALUES (%(name)s)"
    for wrong, kind in (("SELECT 1 / 0", DataError), ("DELETE FROM ingest.source", ProgrammingError)):
        with (
            pytest.raises(kind),
            database.begin("machimori_service") as connection,
            sent_together(connection) as driver,
        ):
            driver.execute(insert, {"name": "first"})
            driver.execute(wrong)
            driver.execute(insert, {"name": "second"})
    with pytest.raises(OperationalError) as broken, database.begin("machimori_service") as connection:
        with sent_together(connection) as driver:
            driver.execute(insert, {"name": "third"})
        _end_all(owner)
        with sent_together(connection) as driver:
            driver.execute(insert, {"name": "fourth"})
    assert broken.value.connection_invalidated
    with database.begin("machimori_service") as connection:
        assert connection.execute(text("SELECT count(*) FROM ingest.source")).scalar_one() == 0
        with sent_together(connection) as driver:
            driver.execute(insert, {"name": "kept"})
    with database.begin("machimori_service") as connection:
        assert connection.execute(text("SELECT name FROM ingest.source")).scalars().all() == ["kept"]
