"""The rules that hold whatever the code above does: written into the database, tried against it."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

ALERT = text(
    "INSERT INTO alerts.alert (identifier, kind, cap_status, msg_type, phase, level, event, urgency, severity,"
    " certainty, area_name, area, effective_at, state, sent_at, submitted_by, approved_by)"
    " VALUES (:identifier, 'tsunami', :status, 'Alert', 'issued', 5, 'tsunami.major_warning', 'Immediate', 'Extreme',"
    " 'Likely', 'デモ', ST_GeomFromText('MULTIPOLYGON(((141 38, 141.3 38, 141.3 38.5, 141 38)))', 6668), now(),"
    " :state, CASE WHEN :state <> 'draft' THEN now() END, :submitted_by, :approved_by) RETURNING id"
)
SUBSCRIBER = text(
    "INSERT INTO alerts.subscriber (email, language, kinds, state, is_drill, token)"
    " VALUES (:email, 'ja', '{tsunami}', :state, :is_drill, :email) RETURNING id"
)


def make_alert(connection: Connection, status: str = "Actual", state: str = "draft") -> int:
    people = (None, None) if state == "draft" else ("sato", "ito")
    values = {"identifier": f"{status}-{state}", "status": status, "state": state}
    return connection.execute(ALERT, values | {"submitted_by": people[0], "approved_by": people[1]}).scalar_one()


def deliver(connection: Connection, alert_id: int, **subscriber: object) -> None:
    values = {"email": "a@machimori.example", "state": "confirmed", "is_drill": False} | subscriber
    subscriber_id = connection.execute(SUBSCRIBER, values).scalar_one()
    connection.execute(
        text(
            "INSERT INTO alerts.delivery (alert_id, subscriber_id, address, language)"
            " VALUES (:a, :s, 'a@machimori.example', 'ja')"
        ),
        {"a": alert_id, "s": subscriber_id},
    )


def test_a_drill_cannot_become_live(owner: Engine) -> None:
    with owner.begin() as connection:
        alert_id = make_alert(connection, "Exercise")
        with pytest.raises(IntegrityError, match="drill cannot become live"):
            connection.execute(text("UPDATE alerts.alert SET cap_status = 'Actual' WHERE id = :i"), {"i": alert_id})


def test_one_person_cannot_submit_and_approve(owner: Engine) -> None:
    with owner.begin() as connection, pytest.raises(IntegrityError, match="two_people"):
        values = {"identifier": "x", "status": "Actual", "state": "approved"}
        connection.execute(ALERT, values | {"submitted_by": "sato", "approved_by": "sato"})


@pytest.mark.parametrize("people", [(None, "sato"), ("sato", None)])
def test_an_approved_alert_names_both_people(owner: Engine, people: tuple[str | None, str | None]) -> None:
    with owner.begin() as connection, pytest.raises(IntegrityError, match="frozen_when_approved"):
        values = {"identifier": "x", "status": "Actual", "state": "approved"}
        connection.execute(ALERT, values | {"submitted_by": people[0], "approved_by": people[1]})


@pytest.mark.parametrize("change", ["level = 1", "area = ST_Multi(ST_Buffer(area, 0.1))", "area_name = 'x'"])
def test_what_was_approved_is_frozen(owner: Engine, change: str) -> None:
    with owner.begin() as connection:
        alert_id = make_alert(connection, state="approved")
        with pytest.raises(IntegrityError, match="frozen"):
            connection.execute(text(f"UPDATE alerts.alert SET {change} WHERE id = :i"), {"i": alert_id})


def test_the_text_of_an_approved_alert_is_frozen(owner: Engine) -> None:
    insert = text("INSERT INTO alerts.alert_text VALUES (:i, 'ja', '大津波警報', 'a', 'b', 'c')")
    with owner.begin() as connection:
        alert_id = make_alert(connection)
        connection.execute(insert, {"i": alert_id})
    with owner.begin() as connection:
        alert_id = make_alert(connection, state="approved")
        with pytest.raises(IntegrityError, match="frozen"):
            connection.execute(insert, {"i": alert_id})


@pytest.mark.parametrize("target", ["approved", "sent", "sending"])
def test_a_draft_cannot_skip_the_two_people(owner: Engine, target: str) -> None:
    with owner.begin() as connection:
        alert_id = make_alert(connection)
        with pytest.raises(IntegrityError):
            connection.execute(
                text(
                    "UPDATE alerts.alert SET state = :s, sent_at = now(), submitted_by = 'a', approved_by = 'b'"
                    " WHERE id = :i"
                ),
                {"s": target, "i": alert_id},
            )


def test_every_step_is_written_down(owner: Engine) -> None:
    with owner.begin() as connection:
        alert_id = make_alert(connection)
        connection.execute(text("UPDATE alerts.alert SET state = 'submitted' WHERE id = :i"), {"i": alert_id})
        steps = connection.execute(text("SELECT state, account FROM alerts.alert_step ORDER BY id")).all()
        assert [tuple(step) for step in steps] == [("draft", "postgres"), ("submitted", "postgres")]


@pytest.mark.parametrize("status", ["Exercise", "Test"])
def test_a_drill_reaches_nobody_outside_the_drill_list(owner: Engine, status: str) -> None:
    with owner.begin() as connection:
        alert_id = make_alert(connection, status, "approved")
        deliver(connection, alert_id, email="on-the-list@machimori.example", is_drill=True)
        with pytest.raises(IntegrityError, match="not on the drill list"):
            deliver(connection, alert_id)


@pytest.mark.parametrize("state", ["pending", "unsubscribed", "suspended"])
def test_nobody_gets_a_mail_who_did_not_confirm_it(owner: Engine, state: str) -> None:
    with owner.begin() as connection, pytest.raises(IntegrityError, match="not confirmed"):
        deliver(connection, make_alert(connection, state="approved"), state=state)


def test_a_draft_is_delivered_to_nobody(owner: Engine) -> None:
    with owner.begin() as connection, pytest.raises(IntegrityError, match="not approved"):
        deliver(connection, make_alert(connection))
