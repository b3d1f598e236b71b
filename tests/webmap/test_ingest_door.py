"""The push door: who may, once or many times alike, stored before it is answered, whatever is sent."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from gis.database import SERVICE
from ingest.alarms import find_alarms
from ingest.configuration import SourceConfig
from ingest.processing import process_unparsed
from ingest.push_secrets import end_old_secret, make_push_secret
from ingest.pushing import is_signed, sign
from ingest.source import find_source
from ingest.sources import fire_push
from ingest.summary import RunSummary
from webmap import ingest_door

pytestmark = pytest.mark.usefixtures("database")
ADDRESS = "東松島市矢本字大町1-2"


@pytest.fixture(autouse=True)
def _fresh_limits(monkeypatch):
    monkeypatch.setattr(ingest_door, "_limits", ingest_door.Limits())


@pytest.fixture
def secret(settings):
    return make_push_secret(settings, find_source("fire"))


def message(number="R8-1", minutes_ago=1, **changes):
    said_at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    said = {"number": number, "sent_at": said_at.isoformat(timespec="seconds"), "type": "建物火災", "stage": "出動"}
    return said | {"address": ADDRESS, "caller": "佐藤花子 090-1234-5678"} | changes


@pytest.fixture
def push(client, secret):
    def send(said, key="k1", *, path="/ingest/fire", at=0, signed_with=None, signature=None, **headers):
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        timestamp = int(time.time()) + at
        given = signature or "v1=" + sign(signed_with or secret, timestamp, path, key, body)
        all_headers = {
            "Idempotency-Key": key,
            "X-Machimori-Timestamp": str(timestamp),
            "X-Machimori-Signature": given,
            "Content-Type": "application/json",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        return client.post(path, data=body, headers={name: value for name, value in all_headers.items() if value})

    return send


@pytest.fixture
def count(database):
    def query(table):
        with database.begin(SERVICE) as connection:
            return connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()

    return query


def test_a_push_is_an_incident_before_it_is_answered_and_no_word_of_a_person_is_public(push, database, client):
    begun = time.perf_counter()
    answer = push(message())
    assert answer.status_code == 202 and time.perf_counter() - begun < 60
    said = answer.json
    assert said["state"] == "processed" and len(said["reports"]) == 1
    with database.begin(SERVICE) as connection:
        row = connection.execute(text("SELECT i::text AS words, i.* FROM layers.incident i")).one()
        assert connection.execute(text("SELECT id FROM ingest.report")).scalars().all() == said["reports"]
        private = connection.execute(text("SELECT x::text FROM ingest.report_private x")).scalar_one()
    assert (row.kind, row.publication, row.is_personal) == ("fire", "published", True)
    assert not [secret for secret in ("大町", "佐藤", "1234-5678", "12345678") if secret in row.words]
    assert "佐藤花子" in private and ADDRESS in private
    pages = [f"{path}?lang=ja" for path in ("/list", f"/incidents/{row.fid}", "/feeds/incidents.atom")]
    for page, shown in ((page, client.get(page).text) for page in pages):
        assert "火災" in shown, page
        assert not [secret for secret in ("大町", "佐藤", "090") if secret in shown], page


def test_the_same_key_and_body_is_answered_alike_and_another_body_refused(push, count):
    said = message()
    first, second = push(said), push(said)
    assert (first.status_code, first.json) == (second.status_code, second.json)
    other = push(message(number="R8-2"))
    assert other.status_code == 409
    assert count("ingest.document") == count("ingest.report") == count("layers.incident") == 1
    assert push(said, key="k2").json["reports"] == first.json["reports"]


def test_ten_at_once_with_one_key_are_one(app, push, count):
    said, answers = message(), []
    threads = [threading.Thread(target=lambda: answers.append(push(said))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {202}
    assert count("ingest.document") == count("ingest.report") == count("ingest.push") == 1
    assert len(push(said).json["reports"]) == 1


# One database for all: none of them may leave anything behind.
REFUSED = [
    ({"signed_with": "x" * 43}, 401),
    ({"signature": "v1=" + "0" * 64}, 401),
    ({"signature": "é"}, 401),
    ({"X_Machimori_Signature": ""}, 401),
    ({"X_Machimori_Timestamp": ""}, 401),
    ({"X_Machimori_Timestamp": "NaN"}, 401),
    ({"X_Machimori_Timestamp": "1" * 400}, 401),
    ({"at": -301}, 401),
    ({"at": 310}, 401),
    ({"path": "/ingest/nobody"}, 401),
    ({"path": "/ingest/jma"}, 401),
    ({"path": "/ingest/..%2ffire"}, 404),
    ({"key": ""}, 400),
    ({"key": "a b"}, 400),
    ({"key": "x" * 201}, 400),
    ({"Content_Type": "text/plain"}, 415),
    ({"Content_Encoding": "gzip"}, 415),
]


def test_who_may_not_leaves_nothing_behind_and_who_may_is_taken(push, count):
    for changes, status in REFUSED:
        assert push(message(), **changes).status_code == status, changes
    assert count("ingest.document") == 0
    for number, changes in enumerate([{"at": -290}, {"Content_Type": "application/json; charset=utf-8"}]):
        assert push(message(f"R8-{number}"), f"k{number}", **changes).status_code == 202, changes


def test_a_signature_is_of_one_source_one_key_and_one_body(push, secret):
    body = json.dumps(message()).encode()
    now = int(time.time())
    good = "v1=" + sign(secret, now, "/ingest/fire", "k1", body)
    assert push(body, key="k2", signature=good, X_Machimori_Timestamp=str(now)).status_code == 401
    assert push(body + b" ", signature=good, X_Machimori_Timestamp=str(now)).status_code == 401
    assert push(body, signature=good, X_Machimori_Timestamp=str(now + 1)).status_code == 401
    assert push(body, signature=good.upper().replace("V1", "v1"), X_Machimori_Timestamp=str(now)).status_code == 202


def test_without_a_secret_nothing_is_signed_rightly():
    body = b"{}"
    for known in ("", "nobody knows this secret, so that an unknown source costs the same time"):
        assert not is_signed([], 1, "/ingest/x", "k", body, sign(known, 1, "/ingest/x", "k", body))


def test_two_secrets_hold_while_the_sender_changes_over(push, settings, secret):
    newer = make_push_secret(settings, find_source("fire"))
    assert push(message("R8-1"), "a").status_code == push(message("R8-2"), "b", signed_with=newer).status_code == 202
    end_old_secret(settings, find_source("fire"))
    assert push(message("R8-3"), "c").status_code == 401
    assert push(message("R8-3"), "c", signed_with=newer).status_code == 202


def test_a_body_that_cannot_be_read_is_kept_and_refused_with_its_reason(push, count):
    bodies = {
        b"[" * 500_000: "deeper",
        b'{"lon": 1e999}': "too large",
        b'{"a": 1, "a": 2}': "twice",
        b'{"a": NaN}': "NaN",
        b"<html>": "no JSON",
    }
    for number, (body, reason) in enumerate(bodies.items()):
        answer = push(body, f"k{number}")
        assert answer.status_code == 400 and reason in answer.json["rejected"][0]["reason"]
        assert push(body, f"k{number}").json == answer.json
    assert count("ingest.document") == count("ingest.dead_letter") == len(bodies) and count("ingest.report") == 0


def test_of_several_messages_the_good_ones_are_taken_and_the_wrong_one_named(push):
    answer = push({"messages": [message(), message("R8-2", sent_at="soon")]})
    assert answer.status_code == 202 and len(answer.json["reports"]) == 1
    assert answer.json["rejected"][0]["pointer"] == "/messages/1/sent_at"


def test_a_body_over_the_limit_is_refused_before_it_is_read(client, count):
    class Gigabyte:
        read_bytes = 0

        def read(self, size=-1):
            Gigabyte.read_bytes += 65_536 if size < 0 else size
            return b"x" * (65_536 if size < 0 else size)

        def readline(self, size=-1):
            return self.read(size)

    def send(**environ):
        environ |= {"wsgi.input": Gigabyte(), "CONTENT_TYPE": "application/json"}
        return client.post("/ingest/fire", environ_overrides=environ)

    assert send(CONTENT_LENGTH="1000000000").status_code == 413 and Gigabyte.read_bytes == 0
    endless = send(**{"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""})
    assert endless.status_code == 413 and Gigabyte.read_bytes <= 2_000_000
    assert count("ingest.document") == 0


def test_too_many_are_told_when_to_come_again_and_bad_signatures_hold_up_nobody_else(push, monkeypatch):
    for _number in range(61):
        refused = push(message(), signed_with="x" * 43)
    assert refused.status_code == 429 and 1 <= int(refused.headers["Retry-After"]) <= 61
    assert push(message()).status_code == 202
    monkeypatch.setattr(ingest_door, "PER_MINUTE", 1)
    ingest_door._limits = ingest_door.Limits()
    assert [push(message(), "again").status_code for _ in range(2)] == [202, 429]


def test_only_named_addresses_may_push_when_some_are_named(push, monkeypatch, settings):
    config = SourceConfig("fire", "fire_push", "消防", None, {"addresses": ["192.0.2.0/24"]})
    monkeypatch.setattr(ingest_door, "find_source", lambda name: fire_push.make_source(config))
    assert push(message()).status_code == 403
    monkeypatch.setattr(
        ingest_door,
        "find_source",
        lambda name: fire_push.make_source(
            SourceConfig("fire", "fire_push", "消防", None, {"addresses": ["127.0.0.0/8"]})
        ),
    )
    assert push(message()).status_code == 202


def test_what_the_door_has_no_time_for_is_stored_and_worked_on_later(push, monkeypatch, database, count):
    monkeypatch.setattr(ingest_door, "_SLOTS", threading.BoundedSemaphore(1))
    ingest_door._SLOTS.acquire()
    said = message()
    answer = push(said)
    assert answer.status_code == 202 and answer.json["state"] == "stored" and count("ingest.report") == 0
    with database.begin(SERVICE) as connection:
        jobs = "SELECT count(*) FROM queue.procrastinate_jobs WHERE task_name = 'ingest.take_pushed'"
        assert connection.execute(text(jobs)).scalar_one() == 1
    ingest_door._SLOTS.release()
    assert len(push(said).json["reports"]) == 1


def test_what_dies_between_storing_and_parsing_is_not_lost_and_the_sender_need_not_know(
    push, monkeypatch, database, count
):
    def die(*args):
        raise OSError("killed")

    said = message()
    with monkeypatch.context() as patched:
        patched.setattr("ingest.pushing.process_document", die)
        answer = push(said)
    assert answer.status_code == 202 and answer.json["state"] == "stored" and count("ingest.document") == 1
    process_unparsed(database, RunSummary())
    assert count("ingest.report") == 1
    assert push(said).json["state"] == "processed" and count("ingest.report") == 1


def test_without_a_database_the_sender_is_told_to_send_again(push, monkeypatch):
    def down(*args, **kwargs):
        raise OperationalError("SELECT", {}, OSError("gone"))

    monkeypatch.setattr(ingest_door, "store_pushed", down)
    answer = push(message())
    assert answer.status_code == 503 and answer.headers["Retry-After"]


def test_a_clock_in_the_future_is_brought_back_and_the_end_still_ends(push, database, settings):
    push(message(minutes_ago=-60 * 24 * 365), "a")
    push(message(minutes_ago=-60 * 24 * 364, stage="鎮火"), "b")
    with database.begin(SERVICE) as connection:
        assert connection.execute(text("SELECT state FROM layers.incident")).scalar_one() == "resolved"
        assert connection.execute(text("SELECT bool_and(reported_at <= now()) FROM ingest.report")).scalar_one()
        alarms = find_alarms(connection, settings, datetime.now(UTC))
    assert [(alarm.source, alarm.cause) for alarm in alarms] == [("fire", "future")]


def test_no_department_and_no_citizen_reads_the_keys(database, push):
    push(message())
    for role in ("citizen", "dept_planning", "dept_disaster"):
        with database.begin(role) as connection:
            query = text("SELECT has_table_privilege('ingest.push', 'SELECT')")
            try:
                assert not connection.execute(query).scalar_one()
            except Exception as refused:  # the schema itself is closed
                assert "permission denied" in str(refused)
