"""What was left is taken up slice by slice, and a load by hand is alone with its source."""

from __future__ import annotations

from pathlib import Path

import pytest

from gis import jobs
from gis.database import SERVICE, Database
from gis.errors import UsageError
from gis.settings import Settings
from ingest import processing, tasks
from ingest.documents import read_body, store_document
from ingest.loading import load_files
from ingest.source import find_source
from ingest.sources.police_open_data import SOURCE as POLICE
from tests.ingest.conftest import Rows
from tests.ingest.sources.police_tables import table, theft

LEFT = "SELECT count(*) FILTER (WHERE parsed_at IS NULL) AS waiting FROM ingest.document"
JOBS = "SELECT task_name, lock FROM queue.procrastinate_jobs WHERE status = 'todo' AND task_name = 'ingest.take_up'"


def _leave(database: Database, count: int) -> None:
    with database.begin(SERVICE) as connection:
        for number in range(count):
            body = read_body([table(theft(hour=str(number)))], 1_000_000)
            store_document(connection, POLICE.name, "push", f"{number}.csv", body, True)


def test_what_a_slice_has_no_time_for_is_left_to_the_next_job_and_nothing_is_lost(
    database: Database, settings: Settings, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    _leave(database, 5)
    jobs.set_context(database, settings)
    monkeypatch.setattr(processing, "_AT_ONCE", 2)
    with monkeypatch.context() as patched:
        patched.setattr(tasks, "SLICE_S", -1.0)
        tasks.take_up()
        assert rows(LEFT) == [{"waiting": 4}], "the first is done in any case, or it would never end"
        assert rows(JOBS) == [{"task_name": "ingest.take_up", "lock": "ingest.take_up"}]
        tasks.take_up()
        assert rows(LEFT) == [{"waiting": 3}]
        assert len(rows(JOBS)) == 1, "one waits, however often it is written"
    tasks.take_up()
    assert rows(LEFT) == [{"waiting": 0}]
    assert rows("SELECT count(*) FROM ingest.report") == [{"count": 5}]


def test_a_document_that_always_fails_holds_back_none_and_ends_the_slice(
    database: Database, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    _leave(database, 3)
    (first, *_) = rows("SELECT id FROM ingest.document ORDER BY id")
    work = processing.process_document

    def fail_first(database: Database, document_id: int) -> processing.Outcome:
        if document_id == first["id"]:
            raise RuntimeError("a bug")
        return work(database, document_id)

    monkeypatch.setattr(processing, "_AT_ONCE", 1)
    monkeypatch.setattr(processing, "process_document", fail_first)
    with pytest.raises(ExceptionGroup, match="1 of 3 stored documents"):
        processing.process_unparsed(database, processing.RunSummary())
    assert rows("SELECT id FROM ingest.document WHERE parsed_at IS NULL") == [first]


def test_a_second_load_of_a_source_is_refused_while_the_first_is_at_work(
    database: Database, settings: Settings, rows: Rows, tmp_path: Path
) -> None:
    first, second = tmp_path / "2023.csv", tmp_path / "2024.csv"
    first.write_bytes(table(theft("2023/5/3")))
    second.write_bytes(table(theft("2024/5/3")))
    source = find_source(POLICE.name)

    def load_beside(*_: object) -> None:
        with pytest.raises(UsageError, match="police_open_data runs already"):
            load_files(database, settings, source, [second], asked_by="console")
        assert rows("SELECT name FROM ingest.document") == [{"name": "2023.csv"}], "nothing of it was stored"

    load_files(database, settings, source, [first], load_beside)
    assert rows("SELECT outcome FROM ingest.run") == [{"outcome": "good"}], "the refused one is no run"
    load_files(database, settings, source, [second])
    assert rows("SELECT count(*) FROM ingest.report") == [{"count": 2}]
