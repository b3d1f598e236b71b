"""Other systems are told of every alert once, signed, in order, and again until they answer."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from alerts.tasks import tell_outlets
from tests.alerts.alert_town import FIRST, MAJOR, SquareTown

Considered = Callable[..., int | None]


class Receiver:
    """A real web server that answers with the statuses it was given, then with 204."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.calls: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.calls.append((dict(self.headers), body))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
                self.end_headers()

            def log_message(self, *words: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/alerts"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver(town: SquareTown) -> Iterator[Receiver]:
    receiver = Receiver()
    town.execute(
        "INSERT INTO alerts.webhook (url, secret, created_at) VALUES (:url, 'shared', now() - interval '1 hour')",
        url=receiver.url,
    )
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


def test_an_alert_is_told_once_and_signed(considered: Considered, receiver: Receiver) -> None:
    considered(MAJOR)
    for _ in range(3):
        tell_outlets()
    ((headers, body),) = receiver.calls
    expected = hmac.new(b"shared", body, hashlib.sha256).hexdigest()
    assert headers["X-Machimori-Signature"] == f"sha256={expected}"
    content = json.loads(body)
    assert headers["Idempotency-Key"] == content["identifier"]
    assert content["level"] == 5 and content["headlines"]["ja"] and content["cap"].endswith(".cap")
    assert content["l_alert"].endswith("/l-alert.xml")


def test_a_receiver_that_is_down_is_told_later_with_the_same_key_and_in_order(
    town: SquareTown, considered: Considered, receiver: Receiver
) -> None:
    receiver.statuses = [503]
    considered(MAJOR)
    considered({**MAJOR, "height_text": "１０ｍ"}, reported_at=FIRST + timedelta(minutes=1))
    tell_outlets()
    assert len(receiver.calls) == 1, "the newer one waits for the older one"
    town.execute("UPDATE alerts.webhook_call SET next_attempt_at = now()")
    tell_outlets()
    keys = [headers["Idempotency-Key"] for headers, _ in receiver.calls]
    assert keys[0] == keys[1] != keys[2] and len(keys) == 3
    assert town.execute("SELECT DISTINCT state FROM alerts.webhook_call") == [("accepted",)]


@pytest.mark.parametrize("overtaken", ["state = 'cancelled'", "expires_at = sent_at + interval '1 second'"])
def test_what_was_cancelled_or_has_ended_by_the_moment_of_the_call_is_not_told(
    town: SquareTown, considered: Considered, receiver: Receiver, overtaken: str
) -> None:
    receiver.statuses = [503]
    first = considered(MAJOR)
    considered({**MAJOR, "height_text": "１０ｍ"}, reported_at=FIRST + timedelta(minutes=1))
    tell_outlets()
    with town.owner.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql(f"UPDATE alerts.alert SET sent_at = now() - interval '1 minute' WHERE id = {first}")
        connection.exec_driver_sql(f"UPDATE alerts.alert SET {overtaken} WHERE id = {first}")
    town.execute("UPDATE alerts.webhook_call SET next_attempt_at = now()")
    tell_outlets()
    states = [state for (state,) in town.execute("SELECT state FROM alerts.webhook_call ORDER BY alert_id")]
    assert states == ["expired", "accepted"]
    keys = [headers["Idempotency-Key"] for headers, _ in receiver.calls]
    assert len(keys) == 2 and keys[0] != keys[1], "the second call is the newer message"


@pytest.mark.parametrize("status", [302, 401, 410])
def test_a_refusal_for_good_is_recorded_and_not_repeated(
    town: SquareTown, considered: Considered, receiver: Receiver, status: int
) -> None:
    receiver.statuses = [status]
    considered(MAJOR)
    tell_outlets()
    tell_outlets()
    assert len(receiver.calls) == 1
    assert town.scalar("SELECT state FROM alerts.webhook_call") == "failed"


def test_a_drill_is_not_told_to_who_does_not_take_drills(
    town: SquareTown, considered: Considered, receiver: Receiver
) -> None:
    considered(MAJOR, status="Exercise")
    tell_outlets()
    assert receiver.calls == []
    town.execute("UPDATE alerts.webhook SET takes_drills = true")
    tell_outlets()
    assert len(receiver.calls) <= 1 and all(json.loads(b)["cap_status"] == "Exercise" for _, b in receiver.calls)
