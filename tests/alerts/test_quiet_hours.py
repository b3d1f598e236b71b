"""Quiet hours hold what is not urgent until the morning; who comes late to an alert gets it once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from alerts.tasks import sweep
from tests.alerts.alert_town import FIRST, MAJOR, SquareTown
from tests.alerts.scripted_smtp import ScriptedServer

Considered = Callable[..., int | None]
Send = Callable[..., object]
ADVISORY = {**MAJOR, "class": "advisory", "class_name": "津波注意報"}


def sleep_now(town: SquareTown) -> None:
    """Give everybody quiet hours that began an hour ago and end in an hour."""
    town.execute(
        "UPDATE alerts.subscriber SET quiet_from = (now() AT TIME ZONE 'Asia/Tokyo' - interval '1 hour')::time,"
        " quiet_until = (now() AT TIME ZONE 'Asia/Tokyo' + interval '1 hour')::time"
    )


@pytest.mark.parametrize(
    ("quiet_from", "quiet_until", "moment", "end"),
    [
        ("22:00", "07:00", "2026-01-10 23:30+09", "2026-01-11 07:00+09"),
        ("22:00", "07:00", "2026-01-11 03:00+09", "2026-01-11 07:00+09"),
        ("22:00", "07:00", "2026-01-11 07:00+09", None),
        ("22:00", "07:00", "2026-01-11 21:59+09", None),
        ("01:00", "06:00", "2026-01-11 05:59+09", "2026-01-11 06:00+09"),
        ("01:00", "06:00", "2026-01-11 00:59+09", None),
        ("05:00", "05:00", "2026-01-11 05:00+09", None),
        (None, None, "2026-01-11 05:00+09", None),
    ],
)
def test_quiet_hours_end_in_the_towns_morning(
    town: SquareTown, quiet_from: str | None, quiet_until: str | None, moment: str, end: str | None
) -> None:
    assert town.scalar(
        "SELECT alerts.quiet_end(CAST(:f AS time), CAST(:u AS time), CAST(:m AS timestamptz))"
        " IS NOT DISTINCT FROM CAST(:e AS timestamptz)",
        f=quiet_from, u=quiet_until, m=moment, e=end,
    )  # fmt: skip


def test_a_warning_of_level_five_wakes_people(
    town: SquareTown, considered: Considered, send: Send, smtp: ScriptedServer
) -> None:
    town.subscribe("a@machimori.example")
    sleep_now(town)
    assert send(considered(MAJOR)) == {"accepted": 1}


def test_a_lesser_message_waits_until_the_morning_and_is_overtaken_by_a_newer_one(
    town: SquareTown, considered: Considered, send: Send, smtp: ScriptedServer
) -> None:
    town.subscribe("a@machimori.example")
    sleep_now(town)
    first = considered(ADVISORY, level=2)
    approve_by_people(town, first)
    assert send(first) == {}
    sweep()
    assert town.execute("SELECT state, is_held FROM alerts.delivery") == [("pending", True)]
    second = considered(MAJOR, level=5, reported_at=FIRST + timedelta(minutes=5))
    send(second)
    assert town.execute("SELECT state FROM alerts.delivery ORDER BY id") == [("suppressed",), ("accepted",)]
    assert len(smtp.accepted) == 1


def test_what_waited_goes_out_in_the_morning(
    town: SquareTown, considered: Considered, send: Send, smtp: ScriptedServer
) -> None:
    town.subscribe("a@machimori.example")
    sleep_now(town)
    alert_id = considered(ADVISORY, level=2)
    approve_by_people(town, alert_id)
    town.execute("UPDATE alerts.delivery SET next_attempt_at = now()")
    assert send(alert_id) == {"accepted": 1}


def test_who_subscribes_while_an_alert_holds_gets_it_once(
    town: SquareTown, considered: Considered, send: Send, smtp: ScriptedServer
) -> None:
    town.subscribe("early@machimori.example")
    alert_id = considered(MAJOR)
    send(alert_id)
    town.execute("UPDATE alerts.subscriber SET updated_at = now() - interval '1 hour'")
    town.subscribe("late@machimori.example")
    town.subscribe("elsewhere@machimori.example", lon=139.0)
    town.subscribe("unconfirmed@machimori.example", state="pending")
    town.execute("UPDATE alerts.subscriber SET updated_at = now() + interval '2 seconds' WHERE email LIKE 'late%'")
    for _ in range(3):
        sweep()
        send(alert_id)
    assert smtp.addresses() == ["early@machimori.example", "late@machimori.example"]


def test_who_subscribes_after_the_all_clear_gets_nothing(
    town: SquareTown, considered: Considered, send: Send, smtp: ScriptedServer
) -> None:
    town.subscribe("early@machimori.example")
    considered(MAJOR)
    cleared = considered(
        {"class": "forecast", "area_name": "宮城県"}, level=1, phase="cleared", reported_at=FIRST + timedelta(minutes=1)
    )
    send(cleared)
    count = len(smtp.accepted)
    town.subscribe("late@machimori.example")
    town.execute("UPDATE alerts.subscriber SET updated_at = now() + interval '2 seconds' WHERE email LIKE 'late%'")
    sweep()
    send(cleared)
    assert len(smtp.accepted) == count


def approve_by_people(town: SquareTown, alert_id: int | None) -> None:
    from alerts.approval import approve, submit

    assert alert_id
    for account, act in (("sato", submit), ("ito", approve)):
        with town.database.begin("dept_disaster", account) as connection:
            act(connection, alert_id, account)
