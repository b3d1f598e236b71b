"""What a report says of persons goes apart from what many read, and the map shows an area in place of the place."""

import traceback
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from gis.database import SERVICE
from gis.logs import configure_logs
from ingest.documents import read_body
from ingest.latest_fold import fold_latest
from ingest.processing import receive
from ingest.reports import Place, Private, Rejected, Report
from ingest.runs import running_alone
from ingest.source import Source
from ingest.summary import RunSummary
from ingest.veil import VeiledError

JST = timezone(timedelta(hours=9))
SAID_AT = datetime(2026, 11, 20, 15, 0, tzinfo=JST)
SECRET = "矢本字上河戸36-1 の田中さん宅前"


def _report(**changes):
    values = {
        "source_id": "1", "telegram": "mail", "kind": "suspicious_person", "status": "Actual", "action": "issue",
        "event_key": "police:1", "serial": None, "reported_at": SAID_AT, "controlled_at": SAID_AT, "office": "石巻署",
        "headline": "声かけ", "text": "児童が声をかけられました。",
        "facts": {"category": "声かけ", "place_name": "矢本"},
        "concerns_town": True,
        "private": Private(Place(141.2105, 38.4305, 50, SECRET), SECRET, f"{SECRET}で声をかけられた"),
    }  # fmt: skip
    return Report(**(values | changes))


@pytest.fixture
def post(database, monkeypatch):
    """Receive reports as a source that speaks of persons."""
    waiting = []
    source = Source(
        "police", "県警", lambda body, town: waiting.pop(0), {"suspicious_person": fold_latest}, is_private=True,
        seeks_events=True,
    )  # fmt: skip
    monkeypatch.setattr("ingest.processing.find_source", lambda name: source)

    def send(*records):
        waiting.append(list(records))
        summary = RunSummary()
        body = repr(records).encode()
        receive(database, source, "push", "mail", read_body([body], 1_000_000), summary)
        return summary

    return send


def _addresses(database, count, lon=141.2106, lat=38.4306):
    with database.begin("dept_planning") as connection:
        connection.execute(
            text("INSERT INTO layers.address (geom, households) SELECT ST_SetSRID(ST_MakePoint(:lon, :lat), 6668), 1"
                 " FROM generate_series(1, :count)"),
            {"lon": lon, "lat": lat, "count": count},
        )  # fmt: skip


def test_the_map_shows_the_mesh_of_250_m_where_eight_households_live(database, post, rows):
    _addresses(database, 8)
    post(_report())
    (row,) = rows("SELECT ST_XMax(geom) - ST_XMin(geom) AS width, ST_YMax(geom) - ST_YMin(geom) AS height, publication,"
                  " is_personal, category FROM layers.incident")  # fmt: skip
    assert (round(row["width"] * 3600, 3), round(row["height"] * 3600, 3)) == (11.25, 7.5)
    assert (row["publication"], row["is_personal"], row["category"]) == ("pending", True, "声かけ")


def test_with_seven_households_the_mesh_grows_until_there_are_eight(database, post, rows):
    _addresses(database, 7)
    _addresses(database, 1, lon=141.2106, lat=38.4325)  # another 250 m mesh of the same 500 m mesh
    post(_report())
    (row,) = rows("SELECT ST_XMax(geom) - ST_XMin(geom) AS width FROM layers.incident")
    assert round(row["width"] * 3600, 3) == 22.5


def test_without_addresses_only_the_town_is_shown(post, rows):
    post(_report())
    (row,) = rows("SELECT ST_XMax(geom) - ST_XMin(geom) AS width FROM layers.incident")
    assert row["width"] > 0.05


def test_the_precise_place_stands_in_no_table_that_many_read(database, post, rows):
    _addresses(database, 8)
    post(_report())
    for table in ("layers.incident", "history.incident", "ingest.report", "ingest.situation"):
        assert SECRET not in str(rows(f"SELECT to_jsonb(t) AS row FROM {table} t"))
        assert "141.2105" not in str(rows(f"SELECT to_jsonb(t) AS row FROM {table} t"))
    (kept,) = rows("SELECT original, ST_X(position) AS lon FROM ingest.report_private")
    assert SECRET in kept["original"] and kept["lon"] == 141.2105


def test_citizens_cannot_read_what_is_private(database, post, owner):
    post(_report())
    with owner.begin() as connection:
        connection.execute(text("ANALYZE"))
    for table in ("ingest.report_private", "ingest.document", "ingest.report", "layers.incident", "layers.address"):
        with pytest.raises(ProgrammingError, match="permission denied"), database.begin("citizen") as connection:
            connection.execute(text(f"SELECT * FROM {table}"))
    # What of the catalogue everybody may read has statistics that everybody may read; nothing of it is of persons.
    inside = (
        "schemaname IN ('ingest', 'layers', 'history', 'alerts') OR tablename IN ('account', 'session', 'changeset')"
    )
    with database.begin("citizen") as connection:  # what the planner keeps of columns, and what others ask just now
        assert not connection.execute(text(f"SELECT * FROM pg_stats WHERE {inside}")).all()
        assert {row.query for row in connection.execute(text("SELECT query FROM pg_stat_activity"))} <= {
            "", "<insufficient privilege>",
        }  # fmt: skip


def test_of_the_disaster_office_only_moderators_read_it(database, post, owner):
    post(_report(), Rejected("line 2", SECRET))
    with owner.begin() as connection:
        for name, role in (("mod", "moderator"), ("plain", "editor")):
            connection.exec_driver_sql("SET CONSTRAINTS ALL DEFERRED")
            connection.execute(
                text(
                    "INSERT INTO gis.account (name, title, department, password_hash) VALUES (:n, :n, 'disaster', '')"
                ),
                {"n": name},
            )
            connection.execute(text("INSERT INTO gis.account_department VALUES (:n, 'disaster')"), {"n": name})
            connection.execute(text("INSERT INTO gis.account_role VALUES (:n, :r)"), {"n": name, "r": role})
        connection.execute(
            text("INSERT INTO ingest.moderation (incident_fid, reason) SELECT fid, 'x' FROM layers.incident")
        )
    queries = ("SELECT original FROM ingest.report_private", "SELECT name FROM ingest.document",
               "SELECT reason FROM ingest.dead_letter", "SELECT reason FROM ingest.moderation")  # fmt: skip
    for query in queries:
        with database.begin("dept_disaster", account="mod") as connection:
            assert connection.execute(text(query)).all(), query
        with database.begin("dept_disaster", account="plain") as connection:
            assert not connection.execute(text(query)).all(), query


def test_a_rejected_record_does_not_keep_the_others_back(post, rows):
    summary = post(_report(), Rejected("line 3", "no date"), _report(source_id="2", event_key="police:2"))
    assert (summary.changed, summary.rejected, len(summary.incidents)) == (2, 1, 2)
    assert rows("SELECT record, reason FROM ingest.dead_letter") == [{"record": "line 3", "reason": "no date"}]


def test_a_notice_that_it_is_solved_finds_its_incident(post, rows):
    post(_report())
    solved = _report(
        source_id="2", event_key="police:2", seeks_event=True, headline="解決しました", text="",
        reported_at=SAID_AT + timedelta(hours=2), facts={"category": "声かけ", "is_over": True},
    )  # fmt: skip
    post(solved)
    (row,) = rows("SELECT event_key, state, headline, place_name, description FROM layers.incident")
    assert row["state"] == "resolved" and row["event_key"] == "police:1" and row["headline"] == "解決しました"
    assert row["place_name"] == "矢本" and row["description"] == "児童が声をかけられました。"


@pytest.mark.parametrize("change", [{"action": "correct"}, {"facts": {"category": "声かけ", "is_over": True}}])
def test_a_correction_or_an_end_that_overtook_its_notice_is_one_incident_with_it(post, rows, change):
    later = SAID_AT + timedelta(hours=2)
    follow_up = _report(
        source_id="2", event_key="police:2", seeks_event=True, reported_at=later, headline="今はこうです", **change
    )
    other = _report(source_id="3", event_key="police:3", facts={"category": "盗撮"})
    for record in (follow_up, other, _report()):
        post(record)
    found = rows("SELECT event_key, headline, state FROM layers.incident ORDER BY event_key")
    assert [row["event_key"] for row in found] == ["police:2", "police:3"]
    assert found[0]["headline"] == "今はこうです" and (found[0]["state"] == "resolved") is ("facts" in change)
    assert rows("SELECT count(*) AS n FROM ingest.report WHERE event_key = 'police:2'") == [{"n": 2}]
    # Read once more (another list, a mailbox that numbers its mails anew) it stays where it is.
    post(_report(office="石巻警察署"))
    assert rows("SELECT count(*) AS n FROM ingest.report WHERE event_key = 'police:2'") == [{"n": 2}]
    assert len(rows("SELECT 1 FROM layers.incident")) == 2
    # The next of the same sort is another event: this one has its notice.
    post(_report(source_id="4", event_key="police:4", reported_at=SAID_AT + timedelta(hours=1)))
    assert {row["event_key"] for row in rows("SELECT event_key FROM ingest.report WHERE source_id = '4'")} == {
        "police:4"
    }


@pytest.mark.parametrize("is_one_document", [False, True])
def test_a_withdrawal_that_overtook_its_notice_withdraws_it_all_the_same(post, rows, is_one_document):
    first = _report()
    gone = _report(
        source_id="2", event_key="police:2", seeks_event=True, action="withdraw", headline="取り消します", text="",
        reported_at=SAID_AT + timedelta(hours=2), facts={"category": "声かけ"},
    )  # fmt: skip
    # Of another event, in another kind of words: it withdraws nothing of this one.
    other = replace(gone, source_id="3", event_key="police:3", facts={"category": "盗撮"})
    if is_one_document:
        post(other, gone, first)
    else:
        for record in (other, gone, first):
            post(record)
    assert [(row["event_key"], row["state"]) for row in rows("SELECT event_key, state FROM layers.incident")] == [
        ("police:1", "cancelled")
    ]
    assert rows("SELECT source_id FROM ingest.report WHERE incident_fid IS NULL") == [{"source_id": "3"}]
    for again in (first, gone):  # from another list
        post(replace(again, office="石巻警察署"))
    assert [row["state"] for row in rows("SELECT state FROM layers.incident")] == ["cancelled"]


def test_a_notice_about_nothing_known_is_an_incident_of_its_own(post, rows):
    post(_report())
    other = _report(source_id="2", event_key="police:2", seeks_event=True, facts={"category": "盗撮"})
    post(other)
    assert len(rows("SELECT fid FROM layers.incident")) == 2


def _quotes(body, town):
    raise ValueError(f"cannot read {body.decode()}")


def _breaks_the_database(body, town):
    return [_report(serial=body.decode())]


@pytest.mark.parametrize("parse", [_quotes, _breaks_the_database])
def test_a_bug_about_a_private_document_is_told_without_its_words(database, monkeypatch, capfd, parse):
    source = Source("police", "県警", parse, {"suspicious_person": fold_latest}, is_private=True)
    monkeypatch.setattr("ingest.processing.find_source", lambda name: source)
    before = structlog.get_config()
    configure_logs()
    summary = RunSummary()
    told = ""
    try:
        with running_alone(database, "police"):
            receive(database, source, "push", "mail", read_body([SECRET.encode()], 1_000_000), summary)
    except VeiledError:
        told = traceback.format_exc()
        structlog.get_logger().exception("as the worker logs it")
    finally:
        structlog.configure(**before)
    assert parse is _quotes or "Error at ingest/" in told
    written = "".join(capfd.readouterr()) + told + str(summary)
    assert "ingest" in written and "Error" in written
    kept = [
        text(f"SELECT to_jsonb(t)::text AS row FROM {table} t") for table in
        ("ingest.source", "ingest.run", "ingest.dead_letter", "ingest.report", "queue.procrastinate_jobs")
    ]  # fmt: skip
    with database.begin(SERVICE) as connection:
        written += "".join(row for query in kept for row in connection.execute(query).scalars())
    assert not [word for word in (SECRET, "上河戸36", "田中") if word in written]
