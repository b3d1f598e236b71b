"""Incidents that are one are joined, with reasons; nothing that was warned about or published vanishes by itself."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from gis.database import SERVICE
from gis.errors import UsageError
from ingest.likeness import similar_words
from ingest.matching import join, split
from ingest.moderation import decide
from tests.ingest.desk import SAID_AT, match_all, person_report

FAR = (141.2505, 38.4305)  # 3.5 km


def _fids(rows, *numbers):
    found = {row["event_key"]: row["fid"] for row in rows("SELECT fid, event_key FROM layers.incident")}
    return [found[f"event:{number}"] for number in numbers]


def _publications(rows):
    return [row["publication"] for row in rows("SELECT publication FROM layers.incident ORDER BY fid")]


def test_the_same_event_from_two_sources_becomes_one_with_its_reasons(post, rows):
    post(person_report("1"))
    post(person_report("2", place=(141.2110, 38.4307), at=SAID_AT + timedelta(minutes=20)), source="citizen")
    assert _publications(rows) == ["pending", "merged"]
    (merge,) = rows("SELECT * FROM ingest.merge")
    assert merge["score"] >= 0.8 and merge["decided_by"] == "matching"
    reasons = {reason["code"]: reason for reason in merge["reasons"]}
    assert reasons["time"]["minutes"] == 20 and 40 < reasons["distance"]["metres"] < 60
    assert "141.2" not in str(merge["reasons"])


def test_what_is_far_away_or_long_before_or_a_drill_or_of_another_kind_stays_apart(post, rows):
    post(person_report("1"))
    post(person_report("2", place=FAR), source="citizen")
    post(person_report("3", at=SAID_AT + timedelta(hours=13)), source="citizen")
    post(person_report("4", status="Exercise"), source="citizen")
    post(person_report("5", kind="fire"), source="fire")
    assert not rows("SELECT * FROM ingest.merge") and not rows("SELECT * FROM ingest.likeness")


def test_another_category_is_proposed_and_never_joined_by_itself(post, rows):
    post(person_report("1"))
    post(person_report("2", facts={"category": "盗撮"}), source="citizen")
    assert _publications(rows) == ["pending", "pending"]
    (likeness,) = rows("SELECT * FROM ingest.likeness")
    assert likeness["proposal"] == "join" and 0.5 <= likeness["score"] < 0.8


def test_of_many_that_are_alike_only_the_nearest_are_proposed(post, rows):
    for number in range(8):
        post(person_report(str(number), place=(141.2105 + number / 10_000, 38.4305), facts={"category": str(number)}))
    proposed = rows("SELECT count(*) AS n FROM ingest.likeness")[0]["n"]
    assert proposed == 1 + 2 + 3 + 4 + 5 + 5 + 5


def test_a_citizens_report_never_leads_over_the_police(post, rows):
    post(person_report("1"), source="citizen")
    post(person_report("2", at=SAID_AT + timedelta(minutes=5)))
    assert _publications(rows) == ["merged", "pending"]


def test_three_reports_of_one_event_are_one_and_no_chain(post, rows):
    for number, source in (("1", "police"), ("2", "citizen"), ("3", "town")):
        post(person_report(number), source=source)
    assert _publications(rows) == ["pending", "merged", "merged"]
    assert {row["into_fid"] for row in rows("SELECT into_fid FROM ingest.merge")} == set(_fids(rows, 1))


def test_what_the_public_was_warned_about_is_not_merged_away(database, owner, post, rows):
    post(person_report("1"), source="citizen")
    with owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO alerts.alert (identifier, incident_fid, kind, cap_status, msg_type, phase, level, event,"
                " area_name, state, urgency, severity, certainty, effective_at, facts, area, expires_at)"
                " SELECT 'a', fid, kind, 'Actual', 'Alert', 'issued', 1, 'x', 'y', 'submitted', 'Immediate', 'Minor',"
                " 'Likely', now(), '{}', ST_Multi(geom), now() FROM layers.incident"
            )
        )
    post(person_report("2"))
    assert _publications(rows) == ["pending", "merged"]  # what was warned about leads


def test_a_published_incident_does_not_vanish_into_one_that_waits(database, owner, post, rows):
    post(person_report("1", at=SAID_AT), source="police")
    with database.begin(SERVICE) as connection:
        connection.execute(text("UPDATE layers.incident SET publication = 'published'"))
    post(person_report("2", at=SAID_AT - timedelta(minutes=10)), source="town")
    assert _publications(rows) == ["published", "pending"]
    assert rows("SELECT proposal FROM ingest.likeness") == [{"proposal": "join"}]


def test_members_get_their_own_again_when_the_lead_is_withdrawn(post, rows):
    first = person_report("1")
    post(first)
    post(person_report("2"), source="citizen")
    assert _publications(rows) == ["pending", "merged"]
    post(replace(first, source_id="9", action="withdraw", reported_at=SAID_AT + timedelta(hours=1)))
    assert _publications(rows) == ["pending", "pending"]
    (merge,) = rows("SELECT undone_by, undo_reason FROM ingest.merge")
    assert merge == {"undone_by": "matching", "undo_reason": "lead_gone"}


def test_a_member_that_is_withdrawn_leaves_the_lead_for_another_look(database, post, rows):
    post(person_report("1"))
    post(person_report("2"), source="citizen")
    with database.begin(SERVICE) as connection:
        connection.execute(text("UPDATE layers.incident SET publication = 'published' WHERE event_key = 'event:1'"))
    gone = replace(person_report("2"), source_id="9", action="withdraw", reported_at=SAID_AT + timedelta(hours=1))
    post(gone, source="citizen")
    assert rows("SELECT publication, state, needs_review FROM layers.incident ORDER BY event_key") == [
        {"publication": "published", "state": "open", "needs_review": True},
        {"publication": "merged", "state": "cancelled", "needs_review": False},
    ]
    (lead,) = _fids(rows, 1)
    with database.begin("citizen") as connection:
        assert len(connection.execute(text("SELECT * FROM open.timeline(:fid)"), {"fid": lead}).all()) == 1


@pytest.mark.parametrize(("moved", "source"), [("event:2", "citizen"), ("event:1", "police")])
def test_a_member_or_a_lead_that_turns_out_to_be_elsewhere_is_proposed_for_splitting(post, rows, moved, source):
    post(person_report("1"))
    post(person_report("2"), source="citizen")
    post(
        replace(person_report("3", place=FAR, event_key=moved), reported_at=SAID_AT + timedelta(hours=1)),
        source=source,
    )
    assert _publications(rows) == ["pending", "merged"]
    assert rows("SELECT proposal FROM ingest.likeness") == [{"proposal": "split"}]
    assert rows("SELECT needs_review FROM layers.incident WHERE event_key = 'event:1'") == [{"needs_review": True}]


def test_by_hand_they_are_split_and_joined_and_the_machine_does_not_argue(database, post, rows, people):
    post(person_report("1"))
    post(person_report("2"), source="citizen")
    lead, member = _fids(rows, 1, 2)
    with database.begin("dept_disaster", account="mod") as connection:
        assert split(connection, member, "two different men") == lead
    assert _publications(rows) == ["pending", "pending"]
    post(person_report("4", event_key="event:2", at=SAID_AT + timedelta(minutes=1)), source="citizen")
    match_all(database)
    assert _publications(rows) == ["pending", "pending"]
    with database.begin("dept_disaster", account="mod") as connection:
        join(connection, member, lead, "one after all")
    assert _publications(rows) == ["pending", "merged"]
    assert rows("SELECT decided_by, reason FROM ingest.merge WHERE undone_at IS NULL") == [
        {"decided_by": "mod", "reason": ""}
    ]
    steps = rows(f"SELECT act, reason FROM ingest.moderation_step WHERE incident_fid = {lead} ORDER BY id")
    assert [(step["act"], step["reason"]) for step in steps] == [
        ("split", "two different men"),
        ("joined", "one after all"),
    ]


@pytest.mark.parametrize(
    ("act", "comes_back_as"),
    [("reject", "pending"), ("hold and split", "pending"), ("split", "published"), ("withdraw", "published")],
)
def test_what_a_moderator_kept_from_the_public_does_not_come_back_in_a_member(
    database, post, rows, people, act, comes_back_as
):
    post(person_report("1"))
    post(person_report("2", place=FAR), source="citizen")
    with database.begin(SERVICE) as connection:
        connection.execute(text("UPDATE layers.incident SET publication = 'published'"))
    lead, member = _fids(rows, 1, 2)
    with database.begin("dept_disaster", account="mod") as connection:
        join(connection, member, lead, "one man")
        version = connection.execute(
            text("SELECT version FROM layers.incident WHERE fid = :f"), {"f": lead}
        ).scalar_one()
        if act != "split" and act != "withdraw":
            decide(connection, lead, version, "rejected" if act == "reject" else "held", "a hoax")
        if "split" in act:
            split(connection, member, "two men")
    if act == "withdraw":
        later = SAID_AT + timedelta(hours=1)
        post(replace(person_report("1"), source_id="9", action="withdraw", reported_at=later))
    (back,) = rows(f"SELECT publication, needs_review FROM layers.incident WHERE fid = {member}")
    assert back == {"publication": comes_back_as, "needs_review": True}


def test_chains_and_circles_are_refused_by_word_and_by_the_database(database, post, rows, people):
    for number, place in (("1", (141.2105, 38.4305)), ("2", FAR), ("3", (141.2805, 38.4305))):
        post(person_report(number, place=place))
    one, two, three = _fids(rows, 1, 2, 3)
    with database.begin("dept_disaster", account="mod") as connection:
        join(connection, two, one, "one")
    for member, lead in ((three, two), (one, three), (one, two), (two, three), (three, three)):
        with pytest.raises(UsageError), database.begin("dept_disaster", account="mod") as connection:
            join(connection, member, lead, "why")
    for member, lead in ((three, two), (one, three)):
        with pytest.raises(IntegrityError), database.begin(SERVICE) as connection:
            connection.execute(
                text("INSERT INTO ingest.merge (incident_fid, into_fid) VALUES (:m, :l)"), {"m": member, "l": lead}
            )


def test_words_are_alike_by_their_neighbouring_characters():
    assert similar_words("声かけ事案", "声かけ事案") == 1
    assert similar_words("声かけ事案", "建物火災") == 0
    assert similar_words("", "声かけ") == 0
