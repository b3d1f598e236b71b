"""Two people stand behind every alert that no policy approved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from alerts.approval import approve, discard, submit
from gis.errors import UsageError
from tests.alerts.alert_town import FIRST, MAJOR, QUAKE, SquareTown

Considered = Callable[..., int | None]
WARNING = {**MAJOR, "class": "warning"}


@pytest.fixture
def draft(town: SquareTown, considered: Considered) -> int:
    town.subscribe("a@machimori.example")
    alert_id = considered(WARNING, level=4)
    assert alert_id
    return alert_id


def test_two_people_of_the_disaster_office_send_a_draft(town: SquareTown, draft: int) -> None:
    with town.database.begin("dept_disaster", account="sato") as connection:
        submit(connection, draft, "sato", "from the telegram")
    with town.database.begin("dept_disaster", account="ito") as connection:
        assert approve(connection, draft, "ito") == 1
    row = town.execute("SELECT state, submitted_by, approved_by, expires_at - sent_at AS life FROM alerts.alert")[0]
    assert tuple(row) == ("sending", "sato", "ito", timedelta(hours=96))
    assert town.scalar("SELECT count(*) FROM queue.procrastinate_jobs WHERE task_name = 'alerts.send'") == 1
    assert town.scalar("SELECT account || ': ' || note FROM alerts.alert_step WHERE state = 'submitted'") == (
        "sato: from the telegram"
    )


def test_one_person_cannot_do_both(town: SquareTown, draft: int) -> None:
    with town.database.begin("dept_disaster", account="sato") as connection:
        submit(connection, draft, "sato")
        with pytest.raises(UsageError, match="submitted by sato too"):
            approve(connection, draft, "sato")


def test_nothing_is_approved_that_nobody_submitted(town: SquareTown, draft: int) -> None:
    with town.database.begin("dept_disaster") as connection, pytest.raises(UsageError, match="is draft, not submitted"):
        approve(connection, draft, "ito")


def test_what_was_approved_cannot_be_discarded(town: SquareTown, considered: Considered) -> None:
    alert_id = considered(MAJOR)
    assert alert_id
    with town.database.begin("dept_disaster") as connection, pytest.raises(UsageError, match="is sending"):
        discard(connection, alert_id, "sato")


def test_a_discarded_draft_stays_on_record_with_its_reason(town: SquareTown, draft: int) -> None:
    with town.database.begin("dept_disaster", account="sato") as connection:
        discard(connection, draft, "sato", "not for our coast")
    assert town.scalar("SELECT state FROM alerts.alert") == "discarded"
    assert town.scalar("SELECT note FROM alerts.alert_step WHERE state = 'discarded'") == "not for our coast"


def test_another_department_can_do_nothing_with_alerts(town: SquareTown, draft: int) -> None:
    with pytest.raises(DBAPIError, match="permission denied"), town.database.begin("dept_sewer") as connection:
        submit(connection, draft, "sato")


def test_an_approval_is_refused_when_another_message_went_out_meanwhile(town: SquareTown, draft: int) -> None:
    with town.database.begin("dept_disaster", account="sato") as connection:
        submit(connection, draft, "sato")
    town.execute(
        "INSERT INTO alerts.alert (identifier, incident_fid, kind, cap_status, msg_type, phase, level, event, urgency,"
        " severity, certainty, area_name, area, effective_at, state, sent_at, submitted_by, approved_by)"
        " SELECT 'other', incident_fid, kind, cap_status, 'Alert', phase, level, event, urgency, severity, certainty,"
        " area_name, area, :at, 'sent', now(), 'x', 'y' FROM alerts.alert",
        at=FIRST + timedelta(minutes=1),
    )
    with town.database.begin("dept_disaster") as connection, pytest.raises(UsageError, match="out of date"):
        approve(connection, draft, "ito")


def test_two_people_withdraw_what_two_people_sent(town: SquareTown, considered: Considered) -> None:
    for name in ("got", "waits"):
        town.subscribe(f"{name}@machimori.example")
    first = considered(QUAKE, kind="earthquake", telegram="VXSE53")
    assert first
    _send(town, first)
    town.execute("UPDATE alerts.delivery SET state = 'accepted' WHERE address LIKE 'got%'")
    withdrawal = {"phase": "withdrawn", "level": 5, "reported_at": FIRST + timedelta(minutes=1)}
    cancel = considered({}, kind="earthquake", telegram="VXSE53", **withdrawal)
    assert cancel
    assert _send(town, cancel) == 1
    states = town.execute("SELECT alert_id, address, state FROM alerts.delivery ORDER BY id")
    assert states == [
        (first, "got@machimori.example", "accepted"),
        (first, "waits@machimori.example", "suppressed"),
        (cancel, "got@machimori.example", "pending"),
    ]


def _send(town: SquareTown, alert_id: int) -> int:
    with town.database.begin("dept_disaster", account="sato") as connection:
        submit(connection, alert_id, "sato")
    with town.database.begin("dept_disaster", account="ito") as connection:
        return approve(connection, alert_id, "ito")


def test_a_missing_alert_is_said(town: SquareTown) -> None:
    with town.database.begin("dept_disaster") as connection, pytest.raises(UsageError, match="no alert 4711"):
        submit(connection, 4711, "sato")
