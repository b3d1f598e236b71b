"""Jobs whose worker died."""

from __future__ import annotations

from sqlalchemy import Connection, text

from gis.database import Database
from gis.jobs import enqueue
from gis.upkeep import queue_state, retry_stalled

_JOB = "SELECT status::text, attempts FROM queue.procrastinate_jobs WHERE id = :id"


def _worker(connection: Connection, silent_s: int) -> int:
    return connection.execute(
        text(
            "INSERT INTO queue.procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => :s))"
            " RETURNING id"
        ),
        {"s": silent_s},
    ).scalar_one()


def _running_job(connection: Connection, worker_id: int | None, attempts: int = 0, once: str | None = None) -> int:
    enqueue(connection, "alerts.sweep", once=once)
    return connection.execute(
        text(
            "UPDATE queue.procrastinate_jobs SET status = 'doing', worker_id = :worker, attempts = :attempts"
            " WHERE status = 'todo' RETURNING id"
        ),
        {"worker": worker_id, "attempts": attempts},
    ).scalar_one()


def _job(connection: Connection, job_id: int) -> tuple[str, int]:
    row = connection.execute(text(_JOB), {"id": job_id}).one()
    return row[0], row[1]


def test_a_dead_workers_job_goes_back_into_the_queue(database: Database) -> None:
    with database.begin("machimori_service") as connection:
        job = _running_job(connection, _worker(connection, silent_s=600))
        assert retry_stalled(connection) == [job]
        assert _job(connection, job) == ("todo", 1)


def test_a_job_whose_worker_was_forgotten_goes_back_too(database: Database) -> None:
    with database.begin("machimori_service") as connection:
        job = _running_job(connection, None)
        assert retry_stalled(connection) == [job]


def test_a_living_workers_job_is_left_alone(database: Database) -> None:
    with database.begin("machimori_service") as connection:
        job = _running_job(connection, _worker(connection, silent_s=5))
        assert retry_stalled(connection) == []
        assert _job(connection, job) == ("doing", 0)


def test_a_job_that_keeps_killing_its_worker_is_given_up(database: Database) -> None:
    with database.begin("machimori_service") as connection:
        job = _running_job(connection, None, attempts=8)
        assert retry_stalled(connection) == []
        assert _job(connection, job)[0] == "failed"
        assert queue_state(connection).failed == 1


def test_a_job_that_an_equal_one_replaced_is_not_done_twice(database: Database) -> None:
    with database.begin("machimori_service") as connection:
        job = _running_job(connection, None, once="sweep")
        assert enqueue(connection, "alerts.sweep", once="sweep")
        assert retry_stalled(connection) == []
        assert _job(connection, job)[0] == "failed"
        assert queue_state(connection).due == 1


def test_the_queue_counts_living_workers_only(database: Database) -> None:
    with database.begin("machimori_service") as connection:
        _worker(connection, silent_s=600)
        _worker(connection, silent_s=1)
        assert queue_state(connection).workers == 1
