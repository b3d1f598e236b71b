"""What has been kept long enough is forgotten everywhere, noted without its content, and never comes back."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from gis.database import SERVICE
from gis.errors import UsageError
from ingest.documents import read_body
from ingest.latest_fold import fold_latest
from ingest.matching import join, split
from ingest.moderation import decide
from ingest.processing import receive
from ingest.reports import Place, Private, Rejected, Report
from ingest.retention import erase_report, forget, hold, plan
from ingest.source import Source
from ingest.summary import RunSummary

SECRET = "上河戸のタケノウチ宅"
PUBLIC = "児童が声をかけられた事案"
# Whatever table there is, also those that nobody has thought of yet.
EVERYWHERE = (
    "SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind = 'r' AND n.nspname !~ '^pg_|^information_schema' ORDER BY 1"
)


@pytest.fixture
def post(database, monkeypatch):
    """Receive reports as a private source; each call is a document with SECRET in its body and name."""
    waiting = []
    source = Source(
        "police", "県警", lambda body, town: waiting.pop(0), {"suspicious_person": fold_latest}, is_private=True
    )
    monkeypatch.setattr("ingest.processing.find_source", lambda name: source)

    def send(*records, again=0):
        waiting.append(list(records))
        body = f"{SECRET} {again}".encode() + repr(records).encode()
        receive(database, source, "push", f"{SECRET}の件", read_body([body], 1_000_000), RunSummary())

    return send


def _report(days_ago, source_id="1", **changes):
    said_at = datetime.now(UTC) - timedelta(days=days_ago)
    values = {
        "source_id": source_id, "telegram": "mail", "kind": "suspicious_person", "status": "Actual", "action": "issue",
        "event_key": f"police:{source_id}", "serial": None, "reported_at": said_at, "controlled_at": said_at,
        "office": "石巻署", "headline": PUBLIC, "text": PUBLIC,
        "facts": {"category": "声かけ", "place_name": "矢本", "occurred_at": said_at.isoformat(), "feature": PUBLIC},
        "concerns_town": True, "private": Private(Place(141.2105, 38.4305, 50), SECRET, SECRET, {"who": SECRET}),
    }  # fmt: skip
    return Report(**(values | changes))


def _publish(database):
    with database.begin(SERVICE) as connection:
        connection.execute(text("UPDATE layers.incident SET publication = 'published'"))


@pytest.fixture
def found(owner):
    """Return the tables that hold something, as words or in a body."""

    def search(said):
        asked = "SELECT count(*) FROM {} t WHERE to_jsonb(t)::text LIKE '%{}%' OR to_jsonb(t)::text LIKE '%{}%'"
        with owner.connect() as connection:
            tables = connection.execute(text(EVERYWHERE)).scalars().all()
            parts = (said, said.encode().hex())
            return [name for name in tables if connection.execute(text(asked.format(name, *parts))).scalar_one()]

    return search


def test_after_ninety_days_the_public_sees_it_no_more_but_moderators_do(database, post, rows):
    post(_report(91))
    _publish(database)
    acts = forget(database)
    assert [(act.what, act.rule, len(act.ids)) for act in acts] == [("incident_expired", "public_days", 1)]
    with database.begin("citizen") as connection:
        assert not connection.execute(text("SELECT 1 FROM open.incident")).all()
    assert rows("SELECT original FROM ingest.report_private") == [{"original": SECRET}]
    assert forget(database) == []


def test_on_the_eighty_ninth_day_nothing_is_forgotten(database, post):
    post(_report(89))
    assert forget(database) == []


def test_after_a_year_nothing_of_it_is_left_anywhere_but_what_counts_it(database, post, rows, found):
    post(_report(366), Rejected("line 2", SECRET))
    _publish(database)
    assert found(SECRET) and found(PUBLIC)
    with database.begin(SERVICE) as connection:
        planned = {(act.what, len(act.ids)) for act in plan(connection)}
    assert {("incident_expired", 1), ("report", 1)} <= planned
    assert {act.what for act in forget(database)} == {"incident_expired", "report", "incident", "document"}
    assert found(SECRET) == [] and found(PUBLIC) == []
    assert rows("SELECT length(sha256) AS hash FROM ingest.document") == [{"hash": 64}]
    assert rows("SELECT ST_X(position) AS lon FROM ingest.shown_place") == [{"lon": None}]
    (kept,) = rows("SELECT category, place_name, publication, ST_Area(geom) > 0 AS has_area FROM layers.incident")
    assert kept == {"category": "声かけ", "place_name": "矢本", "publication": "expired", "has_area": True}
    assert forget(database) == []


def test_what_was_joined_and_split_is_forgotten_with_every_word_of_the_desk(database, post, rows, people, found):
    for number in ("1", "2", "3"):
        post(_report(366, number))
    _publish(database)
    lead, apart, member = [row["fid"] for row in rows("SELECT fid FROM layers.incident ORDER BY event_key")]
    with database.begin("dept_disaster", account="mod", reason=SECRET) as connection:
        join(connection, apart, lead, SECRET)
        split(connection, apart, SECRET)
        join(connection, member, lead, SECRET)
        version = connection.execute(text("SELECT version FROM layers.incident WHERE fid = :f"), {"f": lead}).scalar()
        decide(connection, lead, version, "published", SECRET)
    assert "ingest.moderation_step" in found(SECRET)
    assert not {"ingest.merge", "gis.changeset"} & set(found(SECRET))  # more than moderators read these
    assert {"incident_expired", "report", "incident", "document"} == {act.what for act in forget(database)}
    assert found(SECRET) == [] and found(PUBLIC) == []
    shown = {row["fid"]: row["publication"] for row in rows("SELECT fid, publication FROM layers.incident")}
    assert shown == {lead: "expired", apart: "expired", member: "merged"}
    with database.begin("dept_disaster", account="mod") as connection:
        split(connection, member, "two men")
    assert rows(f"SELECT publication FROM layers.incident WHERE fid = {member}") == [{"publication": "expired"}]
    assert forget(database) == []


def test_what_was_erased_does_not_come_back_when_it_is_sent_again(database, post, rows, found):
    post(_report(366))
    forget(database)
    post(_report(366, text=f"{PUBLIC}（再送）"), again=1)
    forget(database)
    assert found(PUBLIC) == []


def test_a_clock_in_the_future_does_not_keep_it_for_ever(database, post, rows, owner):
    post(_report(-4000))
    with owner.begin() as connection:
        connection.execute(text("UPDATE ingest.report SET created_at = now() - interval '366 days'"))
    assert "report" in {act.what for act in forget(database)}


def test_a_held_incident_and_what_was_joined_into_it_keep_their_words_until_the_hold_ends(database, post, rows, people):
    post(_report(366), _report(366, "2"))
    incident, member = rows("SELECT fid FROM layers.incident ORDER BY event_key")
    with database.begin("dept_disaster", account="mod") as connection:
        join(connection, member["fid"], incident["fid"], "one man")
    with database.begin(SERVICE) as connection:
        hold(connection, incident["fid"], "検察庁の依頼")
    assert {act.what for act in forget(database)} == {"incident_expired"}
    for report in rows("SELECT id FROM ingest.report"):
        with pytest.raises(UsageError, match="is held"), database.begin(SERVICE) as connection:
            erase_report(connection, report["id"], "本人の請求")
    with database.begin(SERVICE) as connection:
        hold(connection, incident["fid"], "終了", is_end=True)
    assert {act.what for act in forget(database)} == {"report", "incident", "document"}


def test_a_person_may_have_a_report_erased_at_once(database, post, rows, found):
    post(_report(1))
    _publish(database)
    (report,) = rows("SELECT id FROM ingest.report")
    with database.begin(SERVICE, account="officer") as connection:
        erase_report(connection, report["id"], "本人の請求 2026-11-23")
    assert found(SECRET) == [] and found(PUBLIC) == []
    with database.begin("citizen") as connection:
        assert not connection.execute(text("SELECT 1 FROM open.incident")).all()
    assert {(row["what"], row["reason"], row["account"]) for row in rows("SELECT * FROM ingest.erasure")} == {
        (what, "本人の請求 2026-11-23", "officer") for what in ("report", "document", "incident")
    }


def test_an_erasure_of_a_member_leaves_the_lead_to_a_moderator(database, post, rows, people):
    post(_report(1), _report(1, "2"))
    _publish(database)
    lead, member = [row["fid"] for row in rows("SELECT fid FROM layers.incident ORDER BY event_key")]
    with database.begin("dept_disaster", account="mod") as connection:
        join(connection, member, lead, "one man")
    with database.begin(SERVICE) as connection:
        report = connection.execute(text("SELECT id FROM ingest.report WHERE source_id = '2'")).scalar_one()
        erase_report(connection, report, "本人の請求")
    assert rows("SELECT publication, needs_review, headline FROM layers.incident ORDER BY event_key") == [
        {"publication": "published", "needs_review": True, "headline": PUBLIC},
        {"publication": "merged", "needs_review": False, "headline": None},
    ]


def test_an_erasure_without_a_reason_is_refused(database):
    with pytest.raises(UsageError, match="reason"), database.begin(SERVICE) as connection:
        erase_report(connection, 1, " ")


def test_the_log_of_erasure_is_nobodys_to_change(database, post):
    post(_report(91))
    forget(database)
    with pytest.raises(Exception, match="permission denied"), database.begin(SERVICE) as connection:
        connection.execute(text("UPDATE ingest.erasure SET count = 0"))
