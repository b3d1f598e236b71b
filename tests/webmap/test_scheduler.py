"""The clock: one leader at a time, on a real database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from gis.database import Database
from gis.settings import Settings
from webmap.scheduler import LEADER_LOCK, Leader, Periodic, is_led

_SWEEP = Periodic("alerts.sweep", second=40)
_POLL = Periodic("ingest.poll", second=20, arguments={"source": "jma"})


@pytest.fixture
def candidates(settings: Settings) -> Iterator[list[Leader]]:
    """Two schedulers, as on two machines."""
    databases = [Database(settings.app_url(), pool_size=1) for _ in range(2)]
    leaders = [Leader(database) for database in databases]
    yield leaders
    for leader, database in zip(leaders, databases, strict=True):
        leader.resign()
        database.dispose()


def _tasks(owner: Engine) -> list[str]:
    with owner.connect() as connection:
        return list(connection.execute(text("SELECT task_name FROM queue.procrastinate_jobs ORDER BY id")).scalars())


def test_of_two_schedulers_only_one_writes(candidates: list[Leader], owner: Engine) -> None:
    assert [leader.write(_SWEEP) for leader in candidates] == [True, False]
    assert [leader.write(_POLL) for leader in candidates] == [True, False]
    assert _tasks(owner) == ["alerts.sweep", "ingest.poll"]


def test_two_that_start_at_the_same_moment_do_not_both_lead(candidates: list[Leader], owner: Engine) -> None:
    start = threading.Barrier(2)
    written: list[bool] = []

    def tick(leader: Leader) -> None:
        start.wait()
        written.append(leader.write(_SWEEP))

    threads = [threading.Thread(target=tick, args=(leader,)) for leader in candidates]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(written) == [False, True]
    assert _tasks(owner) == ["alerts.sweep"]


def test_when_the_leader_resigns_the_other_takes_over(candidates: list[Leader], owner: Engine) -> None:
    first, second = candidates
    first.write(_SWEEP)
    first.resign()
    assert second.write(_POLL)
    assert not first.write(_SWEEP)


def test_a_leader_that_lost_its_session_has_lost_the_lead(candidates: list[Leader], owner: Engine) -> None:
    first, second = candidates
    first.write(_SWEEP)
    with owner.begin() as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(pid, 30000) FROM pg_locks WHERE locktype = 'advisory' AND objid = :key"),
            {"key": LEADER_LOCK},
        )
    assert second.write(_POLL)
    assert not first.write(_POLL), "it notices the loss"
    assert not first.write(_POLL), "and does not lead beside its successor"
    assert _tasks(owner) == ["alerts.sweep", "ingest.poll"]


def test_a_job_that_still_waits_is_not_written_again(candidates: list[Leader], owner: Engine) -> None:
    first, _ = candidates
    assert first.write(_SWEEP)
    assert not first.write(_SWEEP)
    assert _tasks(owner) == ["alerts.sweep"]


def test_the_lead_can_be_seen_from_outside(candidates: list[Leader], owner: Engine) -> None:
    with owner.connect() as connection:
        assert not is_led(connection)
        candidates[0].write(_SWEEP)
        assert is_led(connection)


@pytest.fixture
def fed(settings: Settings) -> Settings:
    return replace(settings, jma_feed_url="http://127.0.0.1:9/feed")


def _plan(owner: Engine, change: str) -> None:
    with owner.begin() as connection:
        connection.execute(text(f"UPDATE ingest.source SET {change} WHERE name = 'jma'"))


def test_without_a_feed_nothing_is_polled(candidates: list[Leader], owner: Engine, settings: Settings) -> None:
    assert candidates[0].ask_sources(settings) == []
    with owner.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM ingest.source")).scalar() == 0


def test_a_source_runs_at_its_next_moment_and_not_twice(candidates: list[Leader], owner: Engine, fed: Settings) -> None:
    assert candidates[0].ask_sources(fed) == [], "it is planned, not yet due"
    _plan(owner, "next_run_at = now() - interval '3 hours'")
    assert candidates[0].ask_sources(fed) == ["jma"], "what was missed is caught up, once"
    assert candidates[0].ask_sources(fed) == []
    with owner.connect() as connection:
        planned = connection.execute(text("SELECT next_run_at FROM ingest.source")).scalar_one()
    assert planned.second == 20
    assert timedelta(0) < planned - datetime.now(UTC) <= timedelta(seconds=60)
    assert _tasks(owner) == ["ingest.poll"]


def test_a_new_leader_goes_on_with_the_plan_of_the_old_one(
    candidates: list[Leader], owner: Engine, fed: Settings
) -> None:
    first, second = candidates
    first.ask_sources(fed)
    _plan(owner, "next_run_at = now()")
    assert second.ask_sources(fed) == [], "the first one leads"
    with owner.begin() as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(pid, 30000) FROM pg_locks WHERE locktype = 'advisory' AND objid = :key"),
            {"key": LEADER_LOCK},
        )
    assert second.ask_sources(fed) == ["jma"]
    assert first.ask_sources(fed) == []
    assert _tasks(owner) == ["ingest.poll"]


def test_a_paused_source_is_not_asked(candidates: list[Leader], owner: Engine, fed: Settings) -> None:
    candidates[0].ask_sources(fed)
    _plan(owner, "next_run_at = now(), paused_at = now(), paused_by = 'hanako', pause_reason = 'repairs'")
    assert candidates[0].ask_sources(fed) == []
