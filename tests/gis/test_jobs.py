"""A job exists if and only if the transaction that wrote it commits."""

from __future__ import annotations

import asyncio

import pytest
from procrastinate.exceptions import ConnectorException
from sqlalchemy import text

from gis import jobs
from gis.database import SERVICE, Database
from gis.settings import Settings

JOBS = text("SELECT task_name, queue_name, lock, args FROM queue.procrastinate_jobs ORDER BY id")


def waiting_jobs(database: Database) -> list[tuple[object, ...]]:
    with database.begin(SERVICE) as connection:
        return [tuple(row) for row in connection.execute(JOBS)]


def test_a_committed_transaction_leaves_its_job(database: Database) -> None:
    with database.begin(SERVICE) as connection:
        assert jobs.enqueue(connection, "alerts.consider", lock="incident:1", situation_id=5)
    assert waiting_jobs(database) == [("alerts.consider", "alerts", "incident:1", {"situation_id": 5})]


def test_a_rolled_back_transaction_takes_its_job_along(database: Database) -> None:
    with pytest.raises(RuntimeError), database.begin(SERVICE) as connection:
        jobs.enqueue(connection, "alerts.consider", situation_id=5)
        raise RuntimeError("after the job was written")
    assert waiting_jobs(database) == []


def test_once_holds_the_second_job_back_and_keeps_the_transaction(database: Database) -> None:
    with database.begin(SERVICE) as connection:
        assert jobs.enqueue(connection, "ingest.poll", once="jma", source="jma")
        assert not jobs.enqueue(connection, "ingest.poll", once="jma", source="jma")
        connection.execute(text("INSERT INTO ingest.source (name) VALUES ('jma')"))
    assert len(waiting_jobs(database)) == 1


def test_the_disaster_office_may_enqueue_but_another_department_may_not(database: Database) -> None:
    with database.begin("dept_disaster") as connection:
        jobs.enqueue(connection, "alerts.send", alert_id=1)
    with pytest.raises(ConnectorException) as refusal, database.begin("dept_sewer") as connection:
        jobs.enqueue(connection, "alerts.send", alert_id=1)
    # Without USAGE on the schema `queue`, its types are not even seen.
    assert "does not exist" in str(refusal.value.__cause__)
    assert len(waiting_jobs(database)) == 1


def test_a_worker_runs_the_job_with_its_context(database: Database, settings: Settings) -> None:
    seen: list[str] = []

    @jobs.task("test.note", queue="test")
    def note(word: str) -> None:
        assert jobs.context().settings is settings
        seen.append(word)

    with database.begin(SERVICE) as connection:
        jobs.enqueue(connection, "test.note", word="街守")

    async def work() -> None:
        worker = jobs.worker_app(settings)
        async with worker.open_async():
            await worker.run_worker_async(queues=["test"], wait=False, install_signal_handlers=False)

    asyncio.run(work())
    assert seen == ["街守"]
