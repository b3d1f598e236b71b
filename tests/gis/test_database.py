"""The held connection: the role holds inside, every statement is durable by itself, and the pool never sees it."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from sqlalchemy import text

from gis.database import Database


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
