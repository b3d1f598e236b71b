"""The life of a message: which states follow which, each step with name and time; drills and live messages apart."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from alerts.approval import submit
from alerts.catalogue import JST
from alerts.drafting import answer_alert, take_back
from alerts.tasks import sweep
from gis.town import load_town
from tests.alerts.alert_town import SquareTown
from tests.alerts.test_drafting import send, write

STATES = ("draft", "submitted", "approved", "sending", "sent", "updated", "cancelled", "expired", "discarded")
WAYS = {
    ("draft", "submitted"), ("draft", "discarded"), ("submitted", "draft"), ("submitted", "approved"),
    ("submitted", "discarded"), ("approved", "sending"), ("sending", "sent"), ("sending", "updated"),
    ("sending", "cancelled"), ("sending", "expired"), ("sent", "updated"), ("sent", "cancelled"), ("sent", "expired"),
}  # fmt: skip


def test_only_the_ways_of_the_state_table_are_open(town: SquareTown) -> None:
    """Every pair of states is tried against the database, as its owner."""
    town.subscribe("in@machimori.example", 141.205, 38.405, kinds="{flood}")
    send(town, write(town))
    town.execute("ALTER TABLE alerts.alert DISABLE TRIGGER USER")
    opened = set()
    for old in STATES:
        town.execute("UPDATE alerts.alert SET state = :old", old=old)
        for new in STATES:
            try:
                town.execute(f"""
                    DO $$ BEGIN
                        ALTER TABLE alerts.alert ENABLE TRIGGER guard_alert;
                        UPDATE alerts.alert SET state = '{new}';
                        RAISE EXCEPTION 'open';
                    END $$""")  # fmt: skip
            except DBAPIError as error:
                if "open" in str(error.orig) and "no way" not in str(error.orig):
                    opened.add((old, new))
    assert opened - {(state, state) for state in STATES} == WAYS


def test_every_step_to_the_end_has_its_name_and_time(town: SquareTown) -> None:
    alert_id = write(town)
    with town.database.begin("dept_disaster", account="sato") as connection:
        submit(connection, alert_id, "sato", "first try")
    with town.database.begin("dept_disaster", account="ito", reason="a word is missing") as connection:
        take_back(connection, alert_id)
    send(town, alert_id)
    town.execute("UPDATE alerts.alert SET expires_at = now() - interval '1 second' WHERE id = :id", id=alert_id)
    sweep()
    steps = town.execute("SELECT state, account, note, created_at FROM alerts.alert_step ORDER BY id")
    assert [tuple(step)[:3] for step in steps] == [
        ("draft", "sato", ""),
        ("submitted", "sato", "first try"),
        ("draft", "ito", "a word is missing"),
        ("submitted", "sato", ""),
        ("approved", "ito", ""),
        ("sending", "ito", ""),
        ("expired", "machimori_service", ""),
    ]
    times = [step.created_at for step in steps]
    assert times == sorted(times) and times[-1] > datetime.now(JST) - timedelta(minutes=5)
    with pytest.raises(DBAPIError, match="permission denied"), town.database.begin("dept_disaster") as connection:
        connection.exec_driver_sql("UPDATE alerts.alert_step SET account = 'nobody'")


@pytest.mark.parametrize(("first", "second"), [("Actual", "Exercise"), ("Exercise", "Actual"), ("Test", "Exercise")])
def test_a_drill_and_a_live_message_are_never_of_one_thread(town: SquareTown, first: str, second: str) -> None:
    """Else a drill could withdraw a warning that holds, or a warning go to whoever got the drill."""
    sent = write(town, status=first)
    send(town, sent)
    with town.database.begin("dept_disaster", account="sato") as connection:
        answer = answer_alert(connection, sent, "cancel", load_town())
    assert town.scalar("SELECT cap_status FROM alerts.alert WHERE id = :id", id=answer) == first
    other = write(town, status=second)
    for change in ("references_id = :sent, thread_id = :sent, msg_type = 'Cancel'", "thread_id = :sent"):
        with pytest.raises(DBAPIError, match="a drill and a live message"):
            town.execute(f"UPDATE alerts.alert SET {change} WHERE id = :other", sent=sent, other=other)
    assert town.scalar("SELECT state FROM alerts.alert WHERE id = :id", id=sent) == "sending"


def test_nothing_live_is_said_about_a_drill_and_a_copy_of_a_drill_is_one(town: SquareTown) -> None:
    fid = town.scalar(
        "INSERT INTO layers.incident (kind, status, event_key, geom) VALUES ('flood', 'Exercise', 'k',"
        " ST_SetSRID(ST_MakePoint(141.2, 38.4), 6668)) RETURNING fid"
    )
    for status in ("Exercise", "Actual"):
        alert_id = write(town, status=status)
        update = "UPDATE alerts.alert SET about_incident = :fid WHERE id = :id"
        if status == "Exercise":
            town.execute(update, fid=fid, id=alert_id)
        else:
            with pytest.raises(DBAPIError, match="about a drill"):
                town.execute(update, fid=fid, id=alert_id)


def test_a_message_about_an_incident_that_is_forgotten_is_public_no_more(town: SquareTown) -> None:
    fid = town.scalar(
        "INSERT INTO layers.incident (kind, status, event_key, geom) VALUES ('flood', 'Actual', 'k',"
        " ST_SetSRID(ST_MakePoint(141.2, 38.4), 6668)) RETURNING fid"
    )
    about, other = write(town), write(town)
    town.execute("UPDATE alerts.alert SET about_incident = :fid WHERE id = :id", fid=fid, id=about)
    for alert_id in (about, other):
        send(town, alert_id)

    def public() -> list[int]:
        with town.database.begin("citizen") as connection:
            texts = (
                connection.exec_driver_sql("SELECT DISTINCT alert_id FROM open.alert_text ORDER BY 1").scalars().all()
            )
            found = connection.exec_driver_sql("SELECT id FROM open.alert ORDER BY id").scalars().all()
        assert list(found) == list(texts)
        return list(found)

    assert public() == [about, other]
    town.execute("INSERT INTO ingest.retention (incident_fid, expired_at) VALUES (:fid, now())", fid=fid)
    assert public() == [other]
    with town.database.begin("citizen") as connection:
        columns = set(connection.exec_driver_sql("SELECT * FROM open.alert").keys())
    inside = {
        "about_incident",
        "submitted_by",
        "approved_by",
        "override_reason",
        "standing_id",
        "area_recipe",
        "created_by",
    }
    assert not columns & inside
