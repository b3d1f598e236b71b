"""The outbox: order within a thread, leases, several workers, what the sweep finds."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from alerts import outbox
from alerts.handover import Beat, Outcome, settle
from alerts.limits import Pace
from alerts.tasks import sweep
from tests.alerts.alert_town import FIRST, MAJOR, SquareTown
from tests.alerts.scripted_smtp import ScriptedServer

Considered = Callable[..., int | None]


def make_due(town: SquareTown) -> None:
    town.execute("UPDATE alerts.delivery SET next_attempt_at = now() WHERE state = 'deferred'")


def test_the_wait_grows_up_to_a_quarter_of_an_hour() -> None:
    assert [outbox.retry_in_s(attempts) for attempts in (1, 2, 3, 10, 1000)] == [30, 60, 120, 900, 900]


def test_a_person_gets_the_messages_of_a_thread_in_order_and_linked(
    town: SquareTown, considered: Considered, send: Callable[..., object], smtp: ScriptedServer
) -> None:
    for number in range(60):
        town.subscribe(f"a{number}@machimori.example")
    considered(MAJOR)
    second = considered({**MAJOR, "height_text": "１０ｍ"}, reported_at=FIRST + timedelta(minutes=1))
    send(second)
    by_address: dict[str, list[email.message.EmailMessage]] = {}
    for address, content in smtp.accepted:
        by_address.setdefault(address, []).append(email.message_from_bytes(content, policy=email.policy.default))  # type: ignore[arg-type]
    assert len(by_address) == 60
    for first_mail, second_mail in by_address.values():
        assert "続報" not in first_mail["Subject"] and "続報" in second_mail["Subject"]
        assert second_mail["In-Reply-To"] == first_mail["Message-ID"]


def test_who_has_the_newer_message_does_not_get_the_older_one_afterwards(
    town: SquareTown, considered: Considered, send: Callable[..., object], smtp: ScriptedServer
) -> None:
    town.subscribe("a@machimori.example")
    smtp.at_rcpt = lambda address, times: "451 later" if times == 1 else None
    first = considered(MAJOR)
    send(first)
    second = considered({**MAJOR, "height_text": "１０ｍ"}, reported_at=FIRST + timedelta(minutes=1))
    send(second)
    make_due(town)
    send(first)
    assert town.execute("SELECT state FROM alerts.delivery ORDER BY id") == [("suppressed",), ("accepted",)]
    assert len(smtp.accepted) == 1


def test_several_workers_send_each_mail_once(
    town: SquareTown, considered: Considered, send: Callable[..., object], smtp: ScriptedServer
) -> None:
    for number in range(200):
        town.subscribe(f"a{number}@machimori.example")
    alert_id = considered(MAJOR)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(send, [alert_id] * 3))
    assert len(smtp.accepted) == len(set(smtp.addresses())) == 200
    assert town.scalar("SELECT state FROM alerts.alert") == "sent"


def test_what_a_dead_worker_had_claimed_is_sent_when_it_beats_no_more(
    town: SquareTown, considered: Considered, send: Callable[..., object], smtp: ScriptedServer
) -> None:
    for number in range(10):
        town.subscribe(f"a{number}@machimori.example")
    alert_id = considered(MAJOR)
    assert alert_id
    with town.database.begin("machimori_service") as connection:
        dead = outbox.begin_sender(connection, "dead", alert_id, 8)
        claimed = outbox.claim(connection, dead, alert_id, [])
        assert len(claimed) == 10
    in_hand = claimed[3].recipient.delivery_id
    assert send(alert_id) == {}, "it may still live"
    town.execute(
        "UPDATE alerts.sender SET beats_until = now() - interval '1 second', in_hand = ARRAY[CAST(:id AS bigint)]",
        id=in_hand,
    )
    assert send(alert_id) == {"accepted": 10}
    assert len(smtp.accepted) == 10
    assert town.execute("SELECT delivery_id, outcome FROM alerts.attempt WHERE in_doubt") == [(in_hand, "deferred")]
    assert town.execute("SELECT id FROM alerts.delivery WHERE attempts = 2") == [(in_hand,)]
    assert town.scalar("SELECT count(*) FROM alerts.sender") == 0


def test_a_sender_taken_for_dead_hands_nothing_over_any_more_but_its_result_counts(
    town: SquareTown, considered: Considered, send: Callable[..., object], smtp: ScriptedServer
) -> None:
    for number in range(3):
        town.subscribe(f"a{number}@machimori.example")
    alert_id = considered(MAJOR)
    assert alert_id
    with town.database.begin("machimori_service") as connection:
        sender_id = outbox.begin_sender(connection, "cut off", alert_id, 8)
        ids = [claimed.recipient.delivery_id for claimed in outbox.claim(connection, sender_id, alert_id, [])]
    result = Outcome(ids[0], FIRST, "relay:25", "accepted", "250 late")

    async def settle_around() -> dict[int, str]:
        async with town.database.hold("machimori_service") as bare:
            assert await settle(bare, Beat(sender_id, 8, ids[:1]), [], ids[:1], [alert_id], False) == {ids[0]: ""}
            town.execute("UPDATE alerts.sender SET beats_until = now() - interval '1 second'")
            with town.database.begin("machimori_service") as connection:
                assert outbox.free_abandoned(connection, 8) == [alert_id]
            taken = await settle(bare, Beat(sender_id, 8, ids[1:2]), [result], ids[1:2], [alert_id], False)
            assert taken == {ids[1]: "gone"}
            return await settle(bare, Beat(sender_id, 8, []), [result], [], [alert_id], True)

    again = asyncio.run(settle_around())
    assert again == {} and town.scalar("SELECT count(*) FROM alerts.attempt WHERE reply = '250 late'") == 1
    assert send(alert_id) == {"accepted": 2}, "what was accepted is not sent a second time"


def test_a_clock_that_jumped_back_leaves_nothing_waiting_for_hours(
    town: SquareTown, considered: Considered, send: Callable[..., object]
) -> None:
    town.subscribe("a@machimori.example")
    town.subscribe("b@machimori.example")
    alert_id = considered(MAJOR)
    assert alert_id
    with town.database.begin("machimori_service") as connection:
        dead = outbox.begin_sender(connection, "dead", alert_id, 3600)
        outbox.claim(connection, dead, alert_id, [], most=1)
    town.execute("UPDATE alerts.delivery SET next_attempt_at = now() + interval '3 hours' WHERE state = 'pending'")
    sweep()
    assert send(alert_id) == {"accepted": 2}


def test_a_paced_domain_gets_no_more_at_a_time_than_agreed(
    town: SquareTown, considered: Considered, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        town.subscribe(f"a{number}@Docomo.ne.jp")
        town.subscribe(f"b{number}@machimori.example")
    alert_id = considered(MAJOR)
    assert alert_id
    pace = Pace("docomo", ("docomo.ne.jp",), connections=4, per_second=10)
    with town.database.begin("machimori_service") as connection:
        one, two = (outbox.begin_sender(connection, "w", alert_id, 8) for _ in range(2))
        assert len(outbox.claim(connection, one, alert_id, [])) == 30
        assert len(outbox.claim_paced(connection, one, alert_id, [], pace)) == 4
    with town.database.begin("machimori_service") as connection:
        assert outbox.claim_paced(connection, two, alert_id, [], pace) == [], "another worker counts, too"
    town.execute("UPDATE alerts.delivery SET state = 'accepted' WHERE state = 'sending'")
    with town.database.begin("machimori_service") as connection:
        assert len(outbox.claim_paced(connection, two, alert_id, [], pace)) == 4
    town.execute("UPDATE alerts.delivery SET state = 'accepted' WHERE state = 'sending'")
    with town.database.begin("machimori_service") as connection:
        assert len(outbox.claim_paced(connection, two, alert_id, [], pace)) < 4, "ten a second"


def test_paced_and_other_addresses_all_get_their_mail(
    town: SquareTown, considered: Considered, send: Callable[..., object], smtp: ScriptedServer
) -> None:
    for number in range(25):
        town.subscribe(f"a{number}@docomo.ne.jp")
        town.subscribe(f"b{number}@machimori.example")
    assert send(considered(MAJOR)) == {"accepted": 50}
    assert len(set(smtp.addresses())) == 50


def test_the_sweep_comes_back_to_what_was_left_and_expires_what_is_over(
    town: SquareTown, considered: Considered
) -> None:
    town.subscribe("a@machimori.example")
    alert_id = considered(MAJOR)
    for _ in range(2):
        sweep()
    jobs = town.execute("SELECT args->>'alert_id', queueing_lock FROM queue.procrastinate_jobs ORDER BY id")
    assert jobs == [(str(alert_id), None), (str(alert_id), f"alerts.send:{alert_id}")]
    town.execute("ALTER TABLE alerts.alert DISABLE TRIGGER guard_alert")
    town.execute("UPDATE alerts.alert SET expires_at = now() - interval '1 minute'")
    town.execute("ALTER TABLE alerts.alert ENABLE TRIGGER guard_alert")
    sweep()
    assert town.scalar("SELECT state FROM alerts.alert") == "expired"
