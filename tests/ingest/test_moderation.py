"""What a moderator decides stands, under their name; nobody else can, by whatever door; what is withdrawn is gone."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from gis.errors import UsageError
from gis.town import load_town
from ingest.desk_door import enter_desk
from ingest.moderation import NeedsOverride, StaleIncident, decide, edit_text, set_area, set_state, wider_area
from tests.ingest.desk import SAID_AT, person_report

SMALL = '{"type":"Polygon","coordinates":[[[141.210,38.430],[141.211,38.430],[141.211,38.431],[141.210,38.430]]]}'


def _one(rows):
    (row,) = rows("SELECT fid, version, publication, state, headline, description, needs_review, ST_Area(geom) AS area"
                  " FROM layers.incident")  # fmt: skip
    return row


@pytest.fixture
def act(database, people):
    """Do something as a moderator."""

    def run(function, *values, account="mod", **named):
        with database.begin("dept_disaster", account=account, reason=named.get("reason", "")) as connection:
            return function(connection, *values, **named)

    return run


@pytest.fixture
def incident(post, rows):
    post(person_report("1"))
    return _one(rows)


def _public(database):
    with database.begin("citizen") as connection:
        return connection.execute(text("SELECT headline FROM open.incident")).scalars().all()


def test_nothing_about_persons_is_public_before_a_moderator_says_so(database, incident, act):
    assert _public(database) == []
    act(decide, incident["fid"], incident["version"], "published", "")
    assert _public(database) == ["声かけ事案の発生"]


def test_the_decision_stands_in_the_history_by_name_and_its_reason_in_the_book_of_the_desk(incident, act, rows):
    act(decide, incident["fid"], incident["version"], "rejected", reason="not ours")
    (last,) = rows("SELECT c.account, c.reason, h.publication FROM history.incident h JOIN gis.changeset c"
                   " ON c.id = h.changeset ORDER BY h.version DESC LIMIT 1")  # fmt: skip
    # Every department reads why a layer changed, for ever; a moderator's words may speak of persons.
    assert last == {"account": "mod", "reason": "", "publication": "rejected"}
    assert rows("SELECT act, account, reason FROM ingest.moderation_step") == [
        {"act": "rejected", "account": "mod", "reason": "not ours"}
    ]


@pytest.mark.parametrize(
    ("role", "account"),
    [
        ("dept_disaster", "plain"),
        ("dept_disaster", "looker"),
        ("dept_disaster_viewer", "looker"),
        ("dept_disaster_viewer", "mod"),
        ("dept_sewer", "sewerman"),
        ("dept_sewer", "mod"),
        ("citizen", "mod"),
    ],
)
def test_nobody_publishes_who_is_no_moderator_of_the_disaster_office(database, incident, people, role, account):
    refused = pytest.raises(ProgrammingError, match=r"may not write|permission denied")
    with refused, database.begin(role, account=account) as connection:
        connection.execute(text("UPDATE layers.incident SET publication = 'published'"))
    for table in ("moderation (incident_fid)", "moderation_step (incident_fid, act)"):
        values = ":fid, 'published'" if "act" in table else ":fid"
        with pytest.raises(ProgrammingError), database.begin(role, account=account) as connection:
            connection.execute(text(f"INSERT INTO ingest.{table} VALUES ({values})"), {"fid": incident["fid"]})
    assert _public(database) == []


def test_a_direct_login_that_names_a_moderator_is_still_itself(database, owner, incident, people):
    with pytest.raises(ProgrammingError, match="may not write"), owner.begin() as connection:
        connection.execute(text("CREATE ROLE desk_intruder IN ROLE dept_disaster"))
        connection.execute(text("SELECT set_config('machimori.account', 'mod', false)"))
        connection.execute(text("SET SESSION AUTHORIZATION desk_intruder"))
        connection.execute(text("UPDATE layers.incident SET publication = 'published'"))
    assert _public(database) == []


def test_what_the_source_withdraws_leaves_the_public_at_once_though_it_was_moderated(database, incident, act, post):
    act(decide, incident["fid"], incident["version"], "published", "checked")
    assert _public(database)
    post(replace(person_report("2", event_key="event:1"), action="withdraw", reported_at=SAID_AT + timedelta(hours=1)))
    assert _public(database) == []


def test_what_was_withdrawn_cannot_be_published_and_waits_when_it_comes_back(database, incident, act, post, rows):
    act(decide, incident["fid"], incident["version"], "published", "checked")
    post(replace(person_report("2", event_key="event:1"), action="withdraw", reported_at=SAID_AT + timedelta(hours=1)))
    gone = _one(rows)
    with pytest.raises(UsageError, match="withdrawn"):
        act(decide, gone["fid"], gone["version"], "published", "")
    post(person_report("3", event_key="event:1", at=SAID_AT + timedelta(hours=2)))
    back = _one(rows)
    assert (back["publication"], back["needs_review"]) == ("held", True) and _public(database) == []


def test_own_words_stand_above_a_later_report_which_asks_for_another_look(incident, act, post, rows):
    act(edit_text, incident["fid"], incident["version"], "不審者に注意", "ひとりで帰らないでください。")
    post(person_report("2", event_key="event:1", at=SAID_AT + timedelta(hours=1), text="男は白い車で逃走。"))
    row = _one(rows)
    assert (row["headline"], row["description"]) == ("不審者に注意", "ひとりで帰らないでください。")
    assert row["needs_review"]
    act(decide, row["fid"], row["version"], "published", "")
    assert not _one(rows)["needs_review"]
    assert len(rows("SELECT * FROM ingest.situation")) == 2  # everything that was said stays


def test_an_older_message_asks_for_nothing_and_changes_nothing(incident, act, post, rows):
    act(decide, incident["fid"], incident["version"], "published", "")
    before = _one(rows)
    post(person_report("2", event_key="event:1", reported_at=SAID_AT - timedelta(hours=1), headline="古い"))
    after = _one(rows)
    assert (after["headline"], after["publication"]) == (before["headline"], "published")


def test_two_moderators_at_once_the_second_is_told(incident, act, rows):
    act(decide, incident["fid"], incident["version"], "held", "", account="mod")
    with pytest.raises(StaleIncident, match="mod changed this incident"):
        act(decide, incident["fid"], incident["version"], "published", "", account="modtwo")
    assert _one(rows)["publication"] == "held"


@pytest.mark.parametrize("kind", ["suspicious_person", "fire"])
def test_a_name_in_the_public_text_needs_an_explicit_word_that_is_kept(post, act, rows, kind):
    post(person_report("1", kind=kind), source="fire" if kind == "fire" else "police")
    incident = _one(rows)
    words = (incident["fid"], incident["version"], "注意", "犯人は田中さん、電話090-1234-5678")
    with pytest.raises(NeedsOverride) as refused:
        act(edit_text, *words)
    assert {"name", "phone"} <= set(refused.value.findings)
    with pytest.raises(NeedsOverride):
        act(edit_text, *words, override=True)  # no reason
    assert _one(rows)["description"] == incident["description"]
    act(edit_text, *words, override=True, reason="the family asked for it")
    (step,) = rows("SELECT overrode, reason, account FROM ingest.moderation_step")
    assert set(step["overrode"]) == set(refused.value.findings) and step["account"] == "mod"


def _house(owner, *households):
    """Let as many households live in the small area."""
    with owner.begin() as connection:
        for number, count in enumerate(households):
            connection.execute(
                text("INSERT INTO layers.address (number, town, households, geom) VALUES (:name, '矢本', :count,"
                     " ST_SetSRID(ST_MakePoint(141.2105, 38.4302), 6668))"),
                {"name": str(number), "count": count},
            )  # fmt: skip


def test_an_area_about_persons_is_never_finer_without_an_explicit_word(owner, incident, act, rows):
    _house(owner, 5, 3)
    with pytest.raises(NeedsOverride, match="finer"):
        act(set_area, incident["fid"], incident["version"], SMALL)
    assert _one(rows)["area"] == incident["area"]
    act(set_area, incident["fid"], incident["version"], SMALL, reason="the police gave it out", override=True)
    row = _one(rows)
    assert row["area"] < incident["area"]
    act(set_area, row["fid"], row["version"], "")
    assert _one(rows)["area"] == pytest.approx(incident["area"])


def test_fewer_than_eight_households_are_refused_whatever_is_overridden_by_the_desk_and_by_the_database(
    database, owner, incident, act, rows
):
    _house(owner, 5, 2)
    with pytest.raises(UsageError, match="holds 7 households"):
        act(set_area, incident["fid"], incident["version"], SMALL, reason="given out", override=True)
    act(decide, incident["fid"], incident["version"], "held", "")
    refused = pytest.raises(IntegrityError, match="fewer than eight households")
    with refused, database.begin("dept_disaster", account="mod") as connection:
        enter_desk(connection)
        connection.execute(
            text("UPDATE ingest.moderation SET area = ST_SetSRID(ST_GeomFromGeoJSON(:drawn), 6668)"), {"drawn": SMALL}
        )
    assert _one(rows)["area"] == incident["area"]


def test_a_drawn_area_stands_above_later_reports(owner, incident, act, post, rows):
    _house(owner, 8)
    act(set_area, incident["fid"], incident["version"], SMALL, reason="given out", override=True)
    post(person_report("2", event_key="event:1", at=SAID_AT + timedelta(hours=1)))
    assert _one(rows)["area"] < incident["area"]


SHUT = {
    "text": "UPDATE layers.incident SET headline = '田中さん 090-1234-5678'",
    "area": "UPDATE layers.incident SET geom = ST_SetSRID(ST_MakePoint(141.2105, 38.4305), 6668)",
    "publication": "UPDATE layers.incident SET publication = 'published'",
    "another": "INSERT INTO layers.incident (kind, status, event_key, publication)"
    " VALUES ('crime', 'Actual', 'own', 'published')",
    "standing text": "UPDATE ingest.moderation SET headline = '田中さん'",
    "merge": "INSERT INTO ingest.merge (incident_fid, into_fid) VALUES (1, 2)",
    "story": "INSERT INTO ingest.moderation_step (incident_fid, act) VALUES (1, 'published')",
}


def test_a_moderator_reaches_what_the_public_reads_by_no_door_but_the_desk(database, owner, incident, people):
    """By psql or QGIS with a login of their own, even one that says to be the desk; by the editor or the OGC API."""
    for statement in map(text, SHUT.values()):
        refused = pytest.raises(ProgrammingError, match="at the moderation desk only")
        with refused, database.begin("dept_disaster", account="mod") as connection:  # the application's other pages
            connection.execute(statement)
        refused = pytest.raises(ProgrammingError, match="at the moderation desk only")
        with refused, owner.connect() as connection:  # never committed: the role goes with the transaction
            connection.execute(text('CREATE ROLE "mod" IN ROLE dept_disaster'))
            connection.execute(text('SET SESSION AUTHORIZATION "mod"'))
            connection.execute(text("SELECT set_config('machimori.desk', 'on', true)"))
            connection.execute(statement)
    assert _public(database) == []


def test_a_rejection_without_a_reason_is_refused_by_the_database_too(database, incident, people):
    refused = pytest.raises(IntegrityError, match="needs a reason")
    with refused, database.begin("dept_disaster", account="mod") as connection:
        enter_desk(connection)
        connection.execute(text("INSERT INTO ingest.moderation_step (incident_fid, act) VALUES (1, 'rejected')"))


def test_a_ready_made_area_is_never_less_than_what_is_shown(incident, act):
    area = act(wider_area, incident["fid"], "mesh_500", load_town())
    act(set_area, incident["fid"], incident["version"], area)


def test_what_a_moderator_ended_stays_ended_and_can_be_opened_again(incident, act, post, rows):
    act(set_state, incident["fid"], incident["version"], "resolved", "caught")
    post(person_report("2", event_key="event:1", at=SAID_AT + timedelta(hours=1)))
    row = _one(rows)
    assert row["state"] == "resolved"
    act(set_state, row["fid"], row["version"], "open", "another one")
    assert _one(rows)["state"] == "updated"


def test_the_place_itself_stands_in_nothing_that_a_moderation_writes(incident, act, rows):
    act(decide, incident["fid"], incident["version"], "published", "")
    for table in ("ingest.moderation", "ingest.moderation_step", "layers.incident", "history.incident"):
        assert "上河戸36" not in str(rows(f"SELECT to_jsonb(t) AS row FROM {table} t"))


def test_a_rejected_lead_gives_its_members_back(database, incident, act, post, rows):
    post(person_report("2"), source="citizen")
    lead = rows("SELECT fid, version FROM layers.incident WHERE event_key = 'event:1'")[0]
    act(decide, lead["fid"], lead["version"], "rejected", reason="hoax")
    assert [row["publication"] for row in rows("SELECT publication FROM layers.incident ORDER BY fid")] == [
        "rejected",
        "pending",
    ]


def test_the_public_timeline_holds_the_members_reports_without_their_words(database, incident, act, post, rows):
    post(person_report("2", at=SAID_AT + timedelta(minutes=5), text="member's own words"), source="citizen")
    lead = rows("SELECT fid, version FROM layers.incident WHERE event_key = 'event:1'")[0]
    act(decide, lead["fid"], lead["version"], "published", "")
    with database.begin("citizen") as connection:
        timeline = connection.execute(text("SELECT * FROM open.timeline(:fid)"), {"fid": lead["fid"]}).all()
    assert len(timeline) == 2 and "member's own words" not in str(timeline)
