"""A run from beginning to end, in a process of its own, against another side that misbehaves."""

from __future__ import annotations

import multiprocessing
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from gis.database import SERVICE
from ingest.actions import pause, resume
from ingest.processing import process_unparsed, retry_document
from ingest.running import run_source
from ingest.schedule import CIRCUIT_FAILURES, Schedule
from ingest.source import find_source
from ingest.summary import RunSummary
from tests.ingest import feed_server as other_side
from tests.ingest.telegrams import forecast, telegram

JMA = find_source("jma")
TITLE = "津波警報・注意報・予報a"
FEEDS = ("eqvol.xml", "extra.xml", "eqvol_l.xml", "extra_l.xml")


@pytest.fixture
def server(feed_server):
    for name in FEEDS:
        feed_server.put_feed(name, (TITLE, "a.xml"))
    feed_server.put_telegram("a.xml", telegram("VTSE41", forecast("53")))
    return feed_server


@pytest.fixture
def run(server, database, settings):
    fed = replace(settings, jma_feed_url=f"{server.base}/feed")

    def go(asked_by="clock", time_limit_s=None):
        return run_source(database, fed, JMA, asked_by, time_limit_s)

    return go


def _break(server, misbehave=other_side.cut_off):
    for name in FEEDS:
        server.misbehaviour[f"/feed/{name}"] = misbehave


def test_a_run_is_noted_with_its_counts(run, rows):
    assert run().changed == 1
    run()
    first, second = rows("SELECT * FROM ingest.run ORDER BY id")
    assert (first["outcome"], first["documents"], first["added"], first["changed"]) == ("good", 1, 1, 1)
    assert (second["outcome"], second["added"], second["asked_by"]) == ("good", 0, "clock")
    assert second["ended_at"] >= second["started_at"]
    assert len(rows("SELECT 1 FROM ingest.situation")) == 1


def test_a_failure_is_tried_again_later_each_time_and_opens_the_circuit(run, server, rows):
    _break(server)
    waits = []
    for _ in range(CIRCUIT_FAILURES):
        run()
        (source,) = rows("SELECT *, extract(epoch FROM next_run_at - now()) AS wait_s FROM ingest.source")
        waits.append(round(source["wait_s"], -1))
        assert (source["circuit_opened_at"] is not None) == (len(waits) == CIRCUIT_FAILURES)
    assert waits == [60, 120, 120, 120, 120], "a tsunami does not wait for longer"
    assert source["consecutive_failures"] == CIRCUIT_FAILURES
    assert "127.0.0.1" in source["last_error"]
    server.misbehaviour.clear()
    run()
    (source,) = rows("SELECT * FROM ingest.source")
    assert (source["consecutive_failures"], source["circuit_opened_at"], source["failing_since"]) == (0, None, None)
    assert len(rows("SELECT 1 FROM layers.incident")) == 1, "what came meanwhile is there"


def test_a_run_that_hangs_is_ended_and_noted_and_the_next_one_goes(run, server, rows):
    _break(server, other_side.drip)
    began = time.monotonic()
    assert "longer than 1 s" in run(time_limit_s=1).failures[0]
    assert time.monotonic() - began < 25, "the drip's own deadline is far later"
    assert rows("SELECT outcome FROM ingest.run") == [{"outcome": "too_long"}]
    server.misbehaviour.clear()
    assert run().changed == 1


def test_a_process_that_is_killed_is_noted_and_the_next_run_brings_what_is_missing(run, server, rows):
    _break(server, other_side.drip)
    done: list[RunSummary] = []
    thread = threading.Thread(target=lambda: done.append(run()))
    thread.start()
    while not multiprocessing.active_children() or not server.requests:
        time.sleep(0.05)
    for child in multiprocessing.active_children():
        child.kill()
    thread.join()
    assert "died (exit code -9)" in done[0].failures[0]
    server.misbehaviour.clear()
    assert run().changed == 1
    assert [row["outcome"] for row in rows("SELECT outcome FROM ingest.run ORDER BY id")] == ["failed", "good"]


def test_a_run_whose_worker_died_is_called_lost_by_the_next_one(run, database, rows):
    with database.begin(SERVICE) as connection:
        connection.execute(text("INSERT INTO ingest.run (source, asked_by) VALUES ('jma', 'clock')"))
    run()
    assert [row["outcome"] for row in rows("SELECT outcome FROM ingest.run ORDER BY id")] == ["lost", "good"]


def test_a_database_that_goes_away_in_the_middle_is_a_failed_run_and_the_next_one_brings_what_is_missing(
    run, server, rows, owner
):
    _break(server, other_side.drip)
    done: list[RunSummary] = []
    thread = threading.Thread(target=lambda: done.append(run(time_limit_s=20)))
    thread.start()
    while not server.requests:
        time.sleep(0.05)
    # What a restart looks like from here: every connection is gone at once.
    with owner.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    for child in multiprocessing.active_children():
        child.kill()
    thread.join()
    assert done[0].failures
    server.misbehaviour.clear()
    assert run().changed == 1
    assert [row["outcome"] for row in rows("SELECT outcome FROM ingest.run ORDER BY id")] == ["failed", "good"]


def test_two_runs_at_once_are_one(run, rows):
    done: list[RunSummary | None] = []
    threads = [threading.Thread(target=lambda: done.append(run())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(summary.changed for summary in done if summary) == 1
    assert len(rows("SELECT 1 FROM ingest.situation")) == 1


def test_a_paused_source_runs_only_for_a_person(run, database, rows):
    with database.begin(SERVICE, account="hanako") as connection:
        pause(connection, "jma", "maintenance")
    assert run() is None
    assert run(asked_by="hanako").changed == 1
    with database.begin(SERVICE, account="hanako") as connection:
        resume(connection, "jma")
    assert run() is not None
    assert [(row["action"], row["account"]) for row in rows("SELECT * FROM ingest.source_action ORDER BY id")] == [
        ("pause", "hanako"),
        ("resume", "hanako"),
    ]


def test_what_was_mended_is_read_again_and_what_was_known_changes_nothing(receive_jma, database, rows, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("ingest.jma.record.parse_telegram", lambda body: 1 // 0)
        receive_jma(telegram("VTSE41", forecast("53")))
    (document,) = rows("SELECT id FROM ingest.document")
    assert retry_document(database, document["id"]).changed == 1
    assert rows("SELECT 1 FROM ingest.dead_letter") == []
    assert retry_document(database, document["id"]).changed == 0
    assert len(rows("SELECT 1 FROM ingest.situation")) == 1


def test_a_fault_that_is_still_there_is_named_again(receive_jma, database, rows):
    receive_jma(b"<broken")
    (document,) = rows("SELECT id FROM ingest.document")
    assert retry_document(database, document["id"]).reason
    assert len(rows("SELECT 1 FROM ingest.dead_letter")) == 1
    process_unparsed(database, RunSummary())
    assert len(rows("SELECT 1 FROM ingest.document WHERE parsed_at IS NOT NULL")) == 1


def test_the_next_moment_follows_the_rhythm_whenever_it_is_asked():
    schedule = Schedule(every_s=60, at_s=20)
    noon = datetime(2031, 5, 1, 12, tzinfo=UTC)
    assert schedule.next_after(noon) == noon + timedelta(seconds=20)
    assert schedule.next_after(noon + timedelta(seconds=20)) == noon + timedelta(seconds=80)
    late = {Schedule(every_s=300, jitter_s=30).next_after(noon) for _ in range(50)}
    assert len(late) > 10
    assert all(timedelta(seconds=330) > moment - noon >= timedelta(seconds=300) for moment in late)


def test_waits_grow_up_to_an_hour():
    schedule = Schedule(every_s=86_400)
    assert [schedule.wait_after(failures).seconds for failures in range(1, 7)] == [60, 120, 240, 480, 3600, 3600]
