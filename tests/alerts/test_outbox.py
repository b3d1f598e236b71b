"""The outbox: order within a thread, leases, several workers, what the sweep finds."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import sleep

import pytest

from alerts import outbox
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


def test_what_a_dead_worker_had_claimed_is_sent_after_its_lease(
    town: SquareTown, considered: Considered, send: Callable[..., object], smtp: ScriptedServer
) -> None:
    for number in range(10):
        town.subscribe(f"a{number}@machimori.example")
    alert_id = considered(MAJOR)
    assert alert_id
    with town.database.begin("machimori_service") as connection:
        assert len(outbox.claim(connection, alert_id, [])) == 10
    assert send(alert_id) == {}
    town.execute("UPDATE alerts.delivery SET leased_until = now() - interval '1 second'")
    assert send(alert_id) == {"accepted": 10}
    assert len(smtp.accepted) == 10


def test_a_slow_relay_makes_a_worker_give_the_rest_of_its_batch_back_in_time(
    town: SquareTown,
    considered: Considered,
    send: Callable[..., object],
    smtp: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(5):
        town.subscribe(f"a{number}@machimori.example")
    monkeypatch.setattr(outbox, "SENDING_S", 0.05)

    def slow(address: str, times: int) -> None:
        sleep(0.1)

    smtp.at_data = slow
    alert_id = considered(MAJOR)
    assert send(alert_id) == {"accepted": 5}
    assert town.execute("SELECT DISTINCT attempts FROM alerts.delivery") == [(1,)]


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
