"""A large table of the police comes in set by set, and every row is as if it had come alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text

from gis.database import SERVICE, Database
from gis.town import load_town
from ingest import bulk, processing
from ingest.bulk import load_new
from ingest.documents import read_body, store_document
from ingest.gazetteer import load_gazetteer
from ingest.guarding import guard_report
from ingest.incidents import fold_event
from ingest.placing import find_place, place_report
from ingest.processing import receive
from ingest.reports import Report, store_reports
from ingest.source import find_source
from ingest.sources.police_open_data import SOURCE
from ingest.summary import RunSummary
from tests.ingest.conftest import Rows
from tests.ingest.sources.police_tables import table, theft

# In a block with homes, in the quarter, nowhere that is known, nowhere at all, elsewhere, twice, at no known time.
BODY = table(
    theft(),
    theft(block="矢本"),
    theft(block="某所"),
    theft(block=""),
    theft(code="042021", place="宮城県,石巻市", block="中央一丁目"),
    theft(hour="3"),
    theft(hour="3"),
    theft("不明", "不明", kind="自転車盗"),
)
TABLES = {
    "report": "SELECT *, incident_fid IS NULL AS is_loose FROM ingest.report",
    "private": "SELECT r.source_id, ST_AsEWKB(p.position) AS at, p.* FROM ingest.report_private p"
    " JOIN ingest.report r ON r.id = p.report_id",
    "situation": "SELECT r.source_id, s.* FROM ingest.situation s JOIN ingest.report r ON r.id = s.report_id",
    "shown": "SELECT i.event_key, ST_AsEWKB(s.position) AS at, ST_AsEWKB(s.area) AS shown, s.*"
    " FROM ingest.shown_place s JOIN layers.incident i ON i.fid = s.incident_fid",
    "incident": "SELECT ST_AsEWKB(geom) AS shown, * FROM layers.incident",
    "history": "SELECT ST_AsEWKB(geom) AS shown, * FROM history.incident",
    "changeset": "SELECT account, reason FROM gis.changeset WHERE account LIKE 'source:%'",
}
NUMBERS = {
    "id", "fid", "document_id", "report_id", "incident_fid", "changeset", "created_at", "updated_at", "valid_from",
    "geom", "position", "area", "chosen_at",
}  # fmt: skip


class _Undo(Exception):
    pass


@pytest.fixture
def quarters(database: Database) -> None:
    """Give the town one quarter with eight homes in one of its meshes."""
    with database.begin("dept_planning") as connection:
        connection.execute(
            text(
                "INSERT INTO layers.town_block (name, sub_name, geom) VALUES"
                " ('矢本', '', ST_MakeEnvelope(141.19, 38.41, 141.23, 38.44, 6668)),"
                " ('矢本', '上河戸', ST_SetSRID(ST_MakePoint(141.2105, 38.4305), 6668))"
            )
        )
        connection.execute(
            text(
                "INSERT INTO layers.address (geom, households)"
                " SELECT ST_SetSRID(ST_MakePoint(141.2106, 38.4306), 6668), 1 FROM generate_series(1, 9)"
            )
        )


def _reports(connection: Connection, body: bytes) -> list[Report]:
    gazetteer, town = load_gazetteer(connection), load_town()
    records = SOURCE.parse(body, town)
    find = partial(find_place, gazetteer=gazetteer, town=town)
    return [place_report(guard_report(SOURCE, record), find) for record in records if isinstance(record, Report)]


def _one_by_one(connection: Connection, document_id: int, reports: Sequence[Report]) -> None:
    for report in store_reports(connection, SOURCE.name, document_id, reports):
        fold_event(connection, SOURCE, report, is_fresh=False)


def _set_by_set(connection: Connection, document_id: int, reports: Sequence[Report]) -> None:
    loaded = load_new(connection, SOURCE, document_id, reports, finish=lambda report: report)
    assert loaded.reports == len(reports)
    assert not loaded.left


def _rows_after(
    database: Database, work: Callable[[Connection, int, Sequence[Report]], None]
) -> dict[str, list[dict[str, Any]]]:
    """Return all rows without their numbers and times of writing; then nothing has happened."""
    found: dict[str, list[dict[str, Any]]] = {}
    with (
        pytest.raises(_Undo),
        database.begin(SERVICE, account="source:police_open_data", reason="2024.csv") as connection,
    ):
        stored = store_document(connection, SOURCE.name, "push", "2024.csv", read_body([BODY], 1_000_000), True)
        reports = _reports(connection, BODY)
        work(connection, stored.id, reports)
        for name, query in TABLES.items():
            rows = [dict(row) for row in connection.execute(text(query)).mappings()]
            found[name] = sorted(
                ({column: value for column, value in row.items() if column not in NUMBERS} for row in rows), key=str
            )
        raise _Undo
    return found


@pytest.mark.parametrize("part", [bulk.PART, 3])
def test_set_by_set_gives_the_same_rows_as_one_by_one(
    database: Database, quarters: None, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setattr(bulk, "PART", part)
    one_by_one, set_by_set = _rows_after(database, _one_by_one), _rows_after(database, _set_by_set)
    assert {name: len(rows) for name, rows in one_by_one.items()} == {
        "report": 8, "private": 8, "situation": 7, "shown": 7, "incident": 7, "history": 7, "changeset": 1,
    }  # fmt: skip
    for name, rows in one_by_one.items():
        assert set_by_set[name] == rows, name


@pytest.mark.usefixtures("quarters")
def test_what_the_server_refuses_of_any_part_undoes_all_parts(
    database: Database, monkeypatch: pytest.MonkeyPatch, rows: Rows
) -> None:
    monkeypatch.setattr(bulk, "PART", 3)

    def finish(report: Report) -> Report:
        finished.append(report)
        return replace(report, status="no such status") if len(finished) == 8 else report

    finished: list[Report] = []
    with pytest.raises(psycopg.Error), database.begin(SERVICE, account="source:police_open_data") as connection:
        stored = store_document(connection, SOURCE.name, "push", "2024.csv", read_body([BODY], 1_000_000), True)
        load_new(connection, SOURCE, stored.id, _reports(connection, BODY), finish)
    assert len(finished) == 8, "it is the last part that fails"
    assert rows("SELECT count(*) FROM ingest.report") == rows("SELECT count(*) FROM layers.incident") == [{"count": 0}]


@pytest.fixture
def load(database: Database) -> Callable[[bytes], RunSummary]:
    """Receive a table through the ordinary door."""

    def take(body: bytes) -> RunSummary:
        summary = RunSummary()
        receive(database, find_source(SOURCE.name), "push", "2024.csv", read_body([body], 20_000_000), summary)
        return summary

    return take


@pytest.fixture
def all_in_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processing, "BULK_FROM", 1)


@pytest.mark.usefixtures("quarters", "all_in_bulk")
def test_the_same_table_again_changes_nothing_and_a_new_edition_only_what_is_new(
    load: Callable[[bytes], RunSummary], rows: Rows
) -> None:
    first, again = load(BODY), load(BODY + b"\r\n")
    assert (first.changed, len(first.incidents), first.rejected) == (8, 7, 0)
    assert (again.new, again.changed, again.rejected) == (1, 0, 0)
    edition = table(*BODY.decode("cp932").splitlines()[1:], theft("2024/6/1")).replace(*_CORRECTION)
    corrected = load(edition)
    assert (corrected.changed, len(corrected.incidents)) == (2, 2)
    (counts,) = rows("SELECT count(*) AS incidents, count(DISTINCT event_key) AS keys FROM layers.incident")
    assert counts == {"incidents": 8, "keys": 8}


_CORRECTION = ("矢本,2024/5/3,20,道路上".encode("cp932"), "矢本,2024/5/3,20,駐車場".encode("cp932"))


@pytest.mark.usefixtures("quarters", "all_in_bulk")
def test_nothing_of_it_is_current_nothing_warns_and_every_row_is_over(
    load: Callable[[bytes], RunSummary], rows: Rows
) -> None:
    load(BODY)
    assert rows("SELECT DISTINCT state, level, publication, is_personal FROM layers.incident") == [
        {"state": "resolved", "level": 0, "publication": "published", "is_personal": True}
    ]
    assert rows("SELECT DISTINCT is_fresh, phase FROM ingest.situation") == [{"is_fresh": False, "phase": "cleared"}]
    assert not rows("SELECT FROM procrastinate_jobs WHERE task_name IN ('alerts.consider', 'ingest.match')")


@pytest.mark.usefixtures("quarters", "all_in_bulk")
def test_no_victim_and_no_block_can_be_read_by_a_department_or_a_citizen(
    load: Callable[[bytes], RunSummary], database: Database
) -> None:
    load(BODY)
    with database.begin(SERVICE) as connection:
        private = connection.execute(text("SELECT string_agg(p::text, '') FROM ingest.report_private p")).scalar_one()
    assert "女性" in private and "上河戸" in private
    for role, table_name in (
        ("citizen", "open.incident"),
        ("dept_disaster", "layers.incident"),
        ("dept_disaster", "history.incident"),
        ("dept_disaster", "ingest.report"),
        ("dept_disaster", "ingest.situation"),
        ("dept_disaster", "ingest.report_private"),
    ):
        with database.begin(role) as connection:
            words = connection.execute(text(f"SELECT string_agg(t::text, '') FROM {table_name} t")).scalar_one() or ""
        assert not [word for word in ("女性", "30歳", "会社員", "上河戸", "某所") if word in words], table_name


def test_a_real_table_comes_in_whole(
    load: Callable[[bytes], RunSummary], samples: Path, monkeypatch: pytest.MonkeyPatch, rows: Rows
) -> None:
    monkeypatch.setattr(processing, "load_town", lambda: replace(load_town(), part_codes=("01",)))
    body = (samples / "police" / "hokkaido_2018buhinnerai.csv").read_bytes()
    summary = load(body)
    assert len(summary.incidents) + summary.rejected == len(body.decode("cp932").splitlines()) - 1 == 435
    assert rows("SELECT record, reason FROM ingest.dead_letter") == [
        {"record": "line 191", "reason": "there is no municipality code, so nobody can tell where it was"}
    ]
    assert len(load((samples / "police" / "hokkaido_2018hittakuri.csv").read_bytes()).incidents) == 20


def test_of_another_town_everything_is_counted_and_nothing_is_on_the_map(
    load: Callable[[bytes], RunSummary], samples: Path, rows: Rows
) -> None:
    summary = load((samples / "police" / "hokkaido_2018buhinnerai.csv").read_bytes())
    assert (summary.changed, summary.elsewhere, summary.rejected, summary.incidents) == (434, 434, 1, set())
    assert rows("SELECT count(*) FROM layers.incident") == [{"count": 0}]
