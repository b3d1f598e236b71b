"""Sending through a real SMTP server that misbehaves as scripted, on the real outbox."""

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.delivery import send_alert
from gis.settings import Settings
from tests.alerts.alert_town import FIRST, MAJOR, SquareTown
from tests.alerts.scripted_smtp import ScriptedServer

Considered = Callable[..., int | None]


def states(town: SquareTown) -> dict[str, str]:
    rows = town.execute("SELECT address, state FROM alerts.delivery ORDER BY id")
    return {row.address.partition("@")[0]: row.state for row in rows}


def make_due(town: SquareTown) -> None:
    town.execute("UPDATE alerts.delivery SET next_attempt_at = now() WHERE state = 'deferred'")


def test_everyone_gets_one_mail_and_the_alert_is_sent(
    town: SquareTown, considered: Considered, send: Callable[..., object], smtp: ScriptedServer
) -> None:
    for number in range(120):
        town.subscribe(f"a{number}@machimori.example")
    alert_id = considered(MAJOR)
    assert send(alert_id) == {"accepted": 120}
    assert len(smtp.accepted) == len(set(smtp.addresses())) == 120
    assert smtp.connections <= 2
    assert town.scalar("SELECT state FROM alerts.alert") == "sent"
    assert town.scalar("SELECT count(*) FROM alerts.attempt WHERE outcome = 'accepted' AND reply = '250 queued'") == 120
    assert send(alert_id) == {}
    assert len(smtp.accepted) == 120


def test_the_mail_in_the_readers_language_arrives_whole(
    town: SquareTown, considered: Considered, send: Callable[..., object], smtp: ScriptedServer
) -> None:
    town.subscribe("easy@machimori.example", language="ja-x-easy", place="うち")
    town.add_site("たかだい公園", 141.2, 38.41)
    send(considered(MAJOR))
    message = email.message_from_bytes(smtp.accepted[0][1], policy=email.policy.default)
    body = message.get_body(("plain",)).get_content()  # type: ignore[attr-defined]
    assert message["Subject"] == "大津波警報（おおつなみけいほう） ひがしまつしまし（東松島市） すぐ 見（み）てください"
    assert "うちから 近（ちか）い にげる 場所（ばしょ）：" in body
    assert "・たかだい公園　1.1 キロメートルぐらい" in body


@pytest.mark.parametrize("address", ["a..b@docomo.ne.jp", ".c@ezweb.ne.jp", "d.@docomo.ne.jp"])
def test_old_carrier_addresses_are_reached(
    town: SquareTown, considered: Considered, send: Callable[..., object], smtp: ScriptedServer, address: str
) -> None:
    town.subscribe(address)
    assert send(considered(MAJOR)) == {"accepted": 1}
    assert smtp.addresses() == [address], "the server reads the quoted form as this address"


def test_a_busy_relay_is_tried_again_and_then_takes_it(
    town: SquareTown, considered: Considered, send: Callable[..., object], smtp: ScriptedServer
) -> None:
    town.subscribe("busy@machimori.example")
    town.subscribe("fine@machimori.example")
    smtp.at_rcpt = lambda address, times: "450 mailbox busy" if "busy" in address and times == 1 else None
    alert_id = considered(MAJOR)
    assert send(alert_id) == {"accepted": 1, "deferred": 1}
    assert states(town) == {"busy": "deferred", "fine": "accepted"}
    assert town.scalar("SELECT state FROM alerts.alert") == "sending"
    assert send(alert_id) == {}, "not before its time"
    make_due(town)
    assert send(alert_id) == {"accepted": 1}
    assert town.scalar("SELECT state FROM alerts.alert") == "sent"
    replies = town.execute("SELECT reply FROM alerts.attempt JOIN alerts.delivery d ON d.id = delivery_id"
                           " WHERE address LIKE 'busy%' ORDER BY alerts.attempt.id")  # fmt: skip
    assert replies == [("450 mailbox busy",), ("250 queued",)]


def test_an_address_that_does_not_exist_bounces_and_is_left_alone(
    town: SquareTown, considered: Considered, send: Callable[..., object], smtp: ScriptedServer
) -> None:
    town.subscribe("nobody@machimori.example")
    smtp.at_rcpt = lambda address, times: "550 no such user"
    alert_id = considered(MAJOR)
    assert send(alert_id) == {"bounced": 1}
    make_due(town)
    assert send(alert_id) == {}
    assert town.scalar("SELECT state FROM alerts.alert") == "sent"
    assert town.scalar("SELECT reply FROM alerts.attempt") == "550 no such user"


def test_a_message_refused_after_its_content_is_recorded_with_the_reason(
    town: SquareTown, considered: Considered, send: Callable[..., object], smtp: ScriptedServer
) -> None:
    town.subscribe("a@machimori.example")
    town.subscribe("b@machimori.example")
    smtp.at_data = lambda address, times: "554 looks like spam" if address.startswith("a@") else None
    send(considered(MAJOR))
    assert states(town) == {"a": "bounced", "b": "accepted"}


def test_a_relay_that_closes_defers_the_rest_and_loses_nothing(
    town: SquareTown, considered: Considered, send: Callable[..., object], smtp: ScriptedServer
) -> None:
    for number in range(130):
        town.subscribe(f"a{number}@machimori.example")
    smtp.at_rcpt = lambda address, times: "421 closing for maintenance" if len(smtp.accepted) >= 10 else None
    alert_id = considered(MAJOR)
    send(alert_id)
    assert set(states(town).values()) == {"accepted", "deferred"}
    smtp.at_rcpt = lambda address, times: None
    make_due(town)
    send(alert_id)
    assert set(states(town).values()) == {"accepted"}
    assert len(smtp.accepted) == len(set(smtp.addresses())) == 130


def test_a_connection_lost_after_the_content_is_tried_again_with_the_same_message_id(
    town: SquareTown, considered: Considered, send: Callable[..., object], smtp: ScriptedServer
) -> None:
    for number in range(5):
        town.subscribe(f"a{number}@machimori.example")
    smtp.at_data = lambda address, times: "drop" if address.startswith("a3") and times == 1 else None
    alert_id = considered(MAJOR)
    send(alert_id)
    assert states(town)["a3"] == "deferred"
    assert "may arrive twice" in town.scalar("SELECT reply FROM alerts.attempt WHERE outcome = 'deferred'")
    make_due(town)
    send(alert_id)
    assert set(states(town).values()) == {"accepted"}
    doubles = [content for address, content in smtp.accepted if address.startswith("a3")]
    assert len(smtp.accepted) == 6 and doubles[0] == doubles[1]


def test_a_relay_that_is_down_loses_nothing(
    town: SquareTown, considered: Considered, send: Callable[..., object], settings: Settings, smtp: ScriptedServer
) -> None:
    for number in range(70):
        town.subscribe(f"a{number}@machimori.example")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = replace(settings, smtp_url=f"smtp://127.0.0.1:{closed.getsockname()[1]}")
        alert_id = considered(MAJOR)
        assert alert_id
        send_alert(town.database, nobody, alert_id, connections=2)
    assert set(states(town).values()) == {"deferred"}
    assert town.scalar("SELECT count(*) FROM alerts.attempt WHERE reply LIKE 'no connection to 127.0.0.1%'") == 70
    make_due(town)
    assert send(alert_id) == {"accepted": 70}


def test_a_local_mailbox_that_does_not_run_is_said_in_the_record(
    town: SquareTown, considered: Considered, settings: Settings
) -> None:
    town.subscribe("a@machimori.example")
    alert_id = considered(MAJOR)
    assert alert_id
    send_alert(town.database, settings, alert_id)
    assert states(town) == {"a": "deferred"}
    assert "The local mailbox does not run" in town.scalar("SELECT reply FROM alerts.attempt")


def test_who_unsubscribes_between_approval_and_sending_gets_nothing(
    town: SquareTown, considered: Considered, send: Callable[..., object], smtp: ScriptedServer
) -> None:
    town.subscribe("a@machimori.example")
    town.subscribe("b@machimori.example")
    alert_id = considered(MAJOR)
    town.execute("UPDATE alerts.subscriber SET state = 'unsubscribed' WHERE email LIKE 'a@%'")
    assert send(alert_id) == {"accepted": 1, "suppressed": 1}
    assert smtp.addresses() == ["b@machimori.example"]


def test_an_unsubscription_in_the_middle_of_a_batch_counts(
    town: SquareTown, considered: Considered, mail_settings: Settings, smtp: ScriptedServer
) -> None:
    for number in range(10):
        town.subscribe(f"a{number}@machimori.example")

    def after_three(address: str, times: int) -> None:
        if len(smtp.accepted) == 3:
            town.execute("UPDATE alerts.subscriber SET state = 'unsubscribed'")

    smtp.at_data = after_three
    alert_id = considered(MAJOR)
    assert alert_id
    send_alert(town.database, mail_settings, alert_id, connections=1)
    assert sorted(states(town).values()) == ["accepted"] * 4 + ["suppressed"] * 6


def test_what_expired_is_not_sent_any_more(
    town: SquareTown, considered: Considered, send: Callable[..., object], smtp: ScriptedServer
) -> None:
    town.subscribe("a@machimori.example")
    alert_id = considered(MAJOR)
    town.execute("ALTER TABLE alerts.alert DISABLE TRIGGER guard_alert")
    town.execute("UPDATE alerts.alert SET sent_at = sent_at - interval '25 hours'")
    assert send(alert_id) == {"expired": 1}
    assert smtp.accepted == []


def test_a_withdrawn_alert_reaches_nobody_any_more(
    town: SquareTown, considered: Considered, send: Callable[..., object], smtp: ScriptedServer
) -> None:
    town.subscribe("a@machimori.example")
    first = considered(MAJOR)
    considered({}, level=0, phase="withdrawn", reported_at=FIRST + timedelta(minutes=1))
    send(first)
    assert smtp.accepted == []
