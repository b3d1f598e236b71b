"""What waited for the morning goes out as one mail; each message keeps its own record, whatever happens on the way."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from alerts import outbox
from alerts.morning import wake_held
from alerts.resending import count_resendable, resend_failed
from alerts.tasks import sweep
from gis.database import SERVICE
from tests.alerts.alert_town import FIRST, MAJOR, SquareTown
from tests.alerts.scripted_smtp import ScriptedServer
from tests.alerts.test_quiet_hours import ADVISORY, approve_by_people, sleep_now

Considered = Callable[..., int | None]
Send = Callable[..., object]


def hold(town: SquareTown, considered: Considered, incident_fid: int, level: int = 2, **situation: object) -> int:
    """Let a lesser alert of an incident be approved at night."""
    facts = {**ADVISORY, "height_text": f"{level}ｍ"}
    alert_id = considered(facts, level=level, incident_fid=incident_fid, **situation)
    assert alert_id
    if town.scalar("SELECT state FROM alerts.alert WHERE id = :i", i=alert_id) == "draft":
        approve_by_people(town, alert_id)
    return alert_id


def dawn(town: SquareTown) -> None:
    town.execute("UPDATE alerts.delivery SET next_attempt_at = now() WHERE is_held")


def wake(town: SquareTown) -> int:
    with town.database.begin(SERVICE) as connection:
        return wake_held(connection)


def records(town: SquareTown) -> list[tuple[int, str, str]]:
    rows = town.execute("SELECT alert_id, state, reason FROM alerts.delivery ORDER BY alert_id, id")
    return [(row.alert_id, row.state, row.reason) for row in rows]


def test_three_messages_of_a_night_are_one_mail_and_three_records(
    town: SquareTown, considered: Considered, send: Send, smtp: ScriptedServer
) -> None:
    person = town.subscribe("a@machimori.example", place="自宅")
    town.add_place(person, "職場", 141.22, 38.42)
    sleep_now(town)
    town.execute(
        "INSERT INTO alerts.policy VALUES ('VTSE41', 3, 'draft', 'draft')"
        " ON CONFLICT (telegram, level) DO UPDATE SET action = 'draft'"
    )
    first, grave, last = (hold(town, considered, 1), hold(town, considered, 2, level=3), hold(town, considered, 3))
    sweep()
    assert send(grave) == {} and smtp.accepted == []
    dawn(town)
    assert wake(town) == 1
    for alert_id in (first, grave, last):
        send(alert_id)
    (mail,) = smtp.accepted
    message = email.message_from_bytes(mail[1], policy=email.policy.default)
    plain = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "ほか2件" in message["Subject"] and "3件" in plain and "自宅、職場" in plain
    pages = [plain.index(f"/alerts/{alert_id}?") for alert_id in (grave, last, first)]
    assert pages == sorted(pages)  # the gravest first, then the newest
    assert records(town) == [(alert_id, "accepted", "") for alert_id in (first, grave, last)]
    lead = town.scalar("SELECT id FROM alerts.delivery WHERE alert_id = :a", a=grave)
    assert message["Message-ID"].startswith(f"<{grave}.{lead}@")
    assert town.execute("SELECT merged_into FROM alerts.delivery ORDER BY alert_id") == [(lead,), (None,), (lead,)]
    assert town.execute("SELECT outcome, count(*) FROM alerts.attempt GROUP BY 1") == [("accepted", 3)]
    sweep()
    for alert_id in (first, grave, last):
        send(alert_id)
    assert len(smtp.accepted) == 1
    assert {row.state for row in town.execute("SELECT state FROM alerts.alert")} == {"sent"}


def test_what_is_over_cancelled_overtaken_or_no_longer_wanted_falls_out_and_says_why(
    town: SquareTown, considered: Considered, send: Send, smtp: ScriptedServer
) -> None:
    town.subscribe("a@machimori.example")
    sleep_now(town)
    over, kept, cancelled = (hold(town, considered, number) for number in (1, 2, 3))
    update = hold(town, considered, 2, level=3, reported_at=FIRST + timedelta(minutes=5))
    town.execute("UPDATE alerts.alert SET expires_at = now() - interval '1 minute' WHERE id = :i", i=over)
    town.execute("UPDATE alerts.alert SET state = 'cancelled' WHERE id = :i", i=cancelled)
    dawn(town)
    wake(town)
    send(update)
    assert records(town) == [
        (over, "expired", "expired"),
        (kept, "suppressed", "overtaken"),
        (cancelled, "suppressed", "cancelled"),
        (update, "accepted", ""),
    ]
    assert len(smtp.accepted) == 1 and "ほか".encode() not in smtp.accepted[0][1]


def test_a_mail_that_waits_again_is_put_together_anew_without_what_was_cancelled(
    town: SquareTown, considered: Considered, send: Send, smtp: ScriptedServer
) -> None:
    town.subscribe("a@machimori.example")
    sleep_now(town)
    first, second = hold(town, considered, 1), hold(town, considered, 2)
    dawn(town)
    smtp.at_rcpt = lambda address, times: "450 busy" if times == 1 else None
    send(second)
    assert records(town) == [(first, "pending", ""), (second, "deferred", "")]
    assert town.execute("SELECT DISTINCT is_held, merged_into, carries FROM alerts.delivery") == [(True, None, 0)]
    town.execute("UPDATE alerts.alert SET state = 'cancelled' WHERE id = :i", i=second)
    dawn(town)
    send(first)
    assert records(town) == [(first, "accepted", ""), (second, "suppressed", "cancelled")]
    assert len(smtp.accepted) == 1


def test_a_worker_that_dies_with_a_merged_mail_loses_nothing(
    town: SquareTown, considered: Considered, send: Send, smtp: ScriptedServer
) -> None:
    town.subscribe("a@machimori.example")
    sleep_now(town)
    first, second = hold(town, considered, 1), hold(town, considered, 2)
    dawn(town)
    wake(town)
    with town.database.begin(SERVICE) as connection:
        dead = outbox.begin_sender(connection, "dead", second, 8)
        (claimed,) = outbox.claim(connection, dead, second, [])
    assert claimed.carried == (first,)
    assert {state for _, state, _ in records(town)} == {"sending"}
    town.execute("UPDATE alerts.sender SET beats_until = now() - interval '1 s', in_hand = ARRAY[CAST(:i AS bigint)]",
                 i=claimed.recipient.delivery_id)  # fmt: skip
    sweep()
    send(second)
    assert records(town) == [(first, "accepted", ""), (second, "accepted", "")]
    assert len(smtp.accepted) == 1
    assert town.scalar("SELECT count(*) FROM alerts.attempt WHERE in_doubt") == 1
    assert town.execute("SELECT min(attempts), max(attempts) FROM alerts.delivery")[0][0] >= 0


def test_a_message_cancelled_between_the_claim_and_the_handing_over_does_not_go_with_the_mail(
    town: SquareTown, considered: Considered, send: Send, smtp: ScriptedServer
) -> None:
    town.subscribe("a@machimori.example")
    sleep_now(town)
    first, second = hold(town, considered, 1), hold(town, considered, 2)
    dawn(town)
    wake(town)
    # As if somebody had cancelled it at the moment of the claim.
    town.execute(
        "CREATE FUNCTION alerts.cancel_now() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
        " UPDATE alerts.alert SET state = 'cancelled'"
        " WHERE state <> 'cancelled' AND id = (SELECT min(id) FROM alerts.alert);"
        " RETURN NULL; END $$;"
        "CREATE TRIGGER cancel_now AFTER UPDATE OF state ON alerts.delivery FOR EACH ROW"
        " WHEN (NEW.carries > 0 AND NEW.state = 'sending') EXECUTE FUNCTION alerts.cancel_now()"
    )
    send(second)
    assert smtp.accepted == []
    send(second)
    assert records(town) == [(first, "suppressed", "cancelled"), (second, "accepted", "")]
    assert len(smtp.accepted) == 1


def test_a_false_alarm_of_the_night_is_withdrawn_at_once(
    town: SquareTown, considered: Considered, send: Send, smtp: ScriptedServer
) -> None:
    town.subscribe("a@machimori.example")
    sleep_now(town)
    send(considered(MAJOR))
    withdrawn = considered(MAJOR, level=0, phase="withdrawn", reported_at=FIRST + timedelta(minutes=1))
    if town.scalar("SELECT state FROM alerts.alert WHERE id = :i", i=withdrawn) == "draft":
        approve_by_people(town, withdrawn)
    assert send(withdrawn) == {"accepted": 1}
    assert len(smtp.accepted) == 2


def test_a_cancel_reaches_who_got_the_message_in_a_merged_mail_and_refers_to_it(
    town: SquareTown, considered: Considered, send: Send, smtp: ScriptedServer
) -> None:
    town.subscribe("a@machimori.example")
    sleep_now(town)
    first, second = hold(town, considered, 1), hold(town, considered, 2)
    dawn(town)
    send(second)
    town.execute("UPDATE alerts.subscriber SET quiet_from = NULL, quiet_until = NULL")
    answer = hold(town, considered, 1, level=0, phase="withdrawn", reported_at=FIRST + timedelta(minutes=9))
    send(answer)
    lead = town.scalar("SELECT id FROM alerts.delivery WHERE alert_id = :a", a=second)
    message = email.message_from_bytes(smtp.accepted[1][1], policy=email.policy.default)
    assert message["In-Reply-To"].startswith(f"<{second}.{lead}@")
    assert "取り消しです" in message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert town.scalar("SELECT state FROM alerts.alert WHERE id = :a", a=first) == "cancelled"


def test_drills_and_warnings_are_never_in_one_mail(town: SquareTown, considered: Considered) -> None:
    town.subscribe("a@machimori.example", is_drill=True)
    sleep_now(town)
    hold(town, considered, 1)
    hold(town, considered, 2, status="Exercise")
    dawn(town)
    assert wake(town) == 2
    with town.owner.begin() as connection:
        assert connection.execute(text("SELECT sum(carries) FROM alerts.delivery")).scalar_one() == 0


@pytest.mark.parametrize(("kind", "may_again"), [("soft", True), ("hard", False)])
def test_what_came_back_with_a_mail_is_sent_once_more_each_message_by_itself(
    town: SquareTown, considered: Considered, send: Send, smtp: ScriptedServer, kind: str, may_again: bool
) -> None:
    town.subscribe("a@machimori.example")
    sleep_now(town)
    first, second = hold(town, considered, 1), hold(town, considered, 2)
    dawn(town)
    send(second)
    town.execute(
        "WITH d AS (UPDATE alerts.delivery SET state = 'bounced' WHERE carries = 1 RETURNING id, subscriber_id)"
        " INSERT INTO alerts.bounce (delivery_id, subscriber_id, kind, source)"
        " SELECT id, subscriber_id, :kind, 'report' FROM d",
        kind=kind,
    )
    assert records(town) == [(first, "bounced", ""), (second, "bounced", "")]
    smtp.accepted.clear()
    for number, alert_id in enumerate((second, first), 1):  # the one that carried, then the one that was carried
        with town.database.begin("dept_disaster", "ito") as connection:
            assert count_resendable(connection, alert_id) == may_again
            if may_again:
                assert resend_failed(connection, alert_id) == 1
        send(alert_id)
        assert len(smtp.accepted) == (number if may_again else 0)
    assert {state for _, state, _ in records(town)} == {"accepted" if may_again else "bounced"}
    ids = {email.message_from_bytes(mail, policy=email.policy.default)["Message-ID"] for _, mail in smtp.accepted}
    assert len(ids) == len(smtp.accepted)
