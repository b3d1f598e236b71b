import hashlib
import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from gis.database import SERVICE
from ingest import processing
from ingest.documents import EVIDENCE_BYTES, read_body, store_document
from ingest.jma.xml import JST
from ingest.processing import process_document, process_unparsed
from ingest.summary import RunSummary
from tests.ingest.telegrams import forecast, telegram

WARNING = telegram("VTSE41", forecast("53"))


def test_a_body_is_kept_exactly_as_it_came(receive_jma, rows):
    receive_jma(WARNING)
    (document,) = rows("SELECT * FROM ingest.document")
    assert bytes(document["body"]) == WARNING
    assert document["sha256"] == hashlib.sha256(WARNING).hexdigest()
    assert document["parsed_at"] is not None


def test_the_same_body_again_does_nothing(receive_jma, rows):
    assert receive_jma(WARNING).new == 1
    again = receive_jma(WARNING)
    assert (again.documents, again.new, again.unchanged) == (1, 0, 1)
    assert len(rows("SELECT 1 FROM ingest.situation")) == 1
    assert len(rows("SELECT 1 FROM queue.procrastinate_jobs")) == 1


def test_the_same_message_in_another_wrapping_changes_nothing(receive_jma, rows):
    receive_jma(WARNING)
    again = receive_jma(WARNING.replace(b"</Report>", b"\n</Report>"))
    assert (again.new, again.changed) == (1, 0)
    assert len(rows("SELECT 1 FROM ingest.situation")) == 1


def test_the_same_message_with_another_content_replaces_it(receive_jma, rows):
    receive_jma(WARNING)
    again = receive_jma(telegram("VTSE41", forecast("62")))
    assert again.changed == 1
    assert len(rows("SELECT 1 FROM ingest.report")) == 1
    assert rows("SELECT level FROM layers.incident") == [{"level": 2}]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<Report", "not XML"),
        (telegram("VTSE41", forecast(), title="緊急でない速報", status="試験"), "緊急でない速報"),
        (
            telegram("VTSE41", forecast()).replace(b"<EventID>", b"<X>").replace(b"</EventID>", b"</X>"),
            "Report/Head/EventID",
        ),
        (b'<!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>', "DTD"),
    ],
)
def test_what_does_not_parse_is_kept_with_its_reason_and_the_others_go_on(receive_jma, rows, body, reason):
    summary = receive_jma(body, WARNING)
    ((name, said),) = summary.dead_letters
    assert name == "0.xml"
    assert reason in said
    assert rows("SELECT reason FROM ingest.dead_letter") == [{"reason": said}]
    assert len(rows("SELECT 1 FROM layers.incident")) == 1


def test_what_did_not_parse_is_named_again_when_it_comes_again(receive_jma, rows):
    first, again = receive_jma(b"<broken"), receive_jma(b"<broken")
    assert (again.new, again.dead_letters) == (0, first.dead_letters)
    assert len(rows("SELECT 1 FROM ingest.dead_letter")) == 1


def test_a_hole_in_the_parser_is_a_dead_letter_too(receive_jma, rows, monkeypatch):
    monkeypatch.setattr("ingest.jma.record.parse_telegram", lambda body: 1 // 0)
    ((_, reason),) = receive_jma(WARNING).dead_letters
    assert "ZeroDivisionError" in reason
    assert len(rows("SELECT 1 FROM ingest.document WHERE parsed_at IS NOT NULL")) == 1


def test_a_body_over_the_limit_leaves_its_start_its_size_and_its_hash(receive_jma, rows):
    body = b"<Report>" + b"x" * 200_000
    ((_, reason),) = receive_jma(body, limit=100_000).dead_letters
    assert "over the limit: 200008 bytes" in reason
    (document,) = rows("SELECT * FROM ingest.document")
    assert bytes(document["body"]) == body[: len(document["body"])]
    assert len(document["body"]) <= EVIDENCE_BYTES
    assert document["sha256"] == hashlib.sha256(body).hexdigest()
    assert document["is_truncated"]


def test_two_hundred_megabytes_pass_through_without_being_held():
    chunk = b"x" * 1_000_000
    body = read_body((chunk for _ in range(200)), 20_000_000)
    assert body.byte_size == 200_000_000
    assert len(body.content) == EVIDENCE_BYTES


def test_on_the_network_reading_stops_at_the_limit():
    sent = []

    def drip():
        for _ in range(100):
            sent.append(1)
            yield b"x" * 1000

    body = read_body(drip(), 10_000, reads_on=False)
    assert body.is_truncated
    assert len(sent) == 11


def test_what_a_crash_left_between_storing_and_parsing_is_taken_up(database, rows):
    with database.begin(SERVICE) as connection:
        store_document(connection, "jma", "replay", "left.xml", read_body([WARNING], 1_000_000))
    assert rows("SELECT 1 FROM ingest.report") == []
    summary = RunSummary()
    process_unparsed(database, summary)
    assert summary.changed == 1
    assert len(rows("SELECT 1 FROM layers.incident")) == 1


def test_a_crash_in_the_middle_leaves_nothing_half_done(database, receive_jma, rows, monkeypatch):
    def fail(*args):
        raise RuntimeError("the power went")

    with monkeypatch.context() as patch:
        patch.setattr(processing, "fold_event", fail)
        with pytest.raises(RuntimeError):
            receive_jma(WARNING)
    assert rows("SELECT 1 FROM ingest.report") == []
    assert len(rows("SELECT 1 FROM ingest.document WHERE parsed_at IS NULL")) == 1
    receive_jma(WARNING)
    assert len(rows("SELECT 1 FROM layers.incident")) == 1


def test_two_workers_on_one_document_do_it_once(database, rows):
    with database.begin(SERVICE) as connection:
        document_id = store_document(connection, "jma", "replay", "a.xml", read_body([WARNING], 1_000_000)).id
    threads = [threading.Thread(target=process_document, args=(database, document_id)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows("SELECT 1 FROM ingest.situation")) == 1


def test_two_workers_on_one_event_make_one_incident(database, rows):
    bodies = [telegram("VTSE41", forecast("52"), minute=minute) for minute in range(8)]
    ids = []
    for body in bodies:
        with database.begin(SERVICE) as connection:
            ids.append(store_document(connection, "jma", "replay", "a.xml", read_body([body], 1_000_000)).id)
    threads = [threading.Thread(target=process_document, args=(database, number)) for number in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (incident,) = rows("SELECT * FROM layers.incident")
    assert incident["reported_at"] == datetime(2031, 5, 1, 10, 7, tzinfo=JST)
    assert len(rows("SELECT 1 FROM ingest.report WHERE incident_fid IS NOT NULL")) == 8


@pytest.mark.parametrize(
    ("origin", "age", "is_fresh"),
    [
        ("feed", timedelta(minutes=5), True),
        ("feed", timedelta(minutes=61), False),
        ("feed", timedelta(minutes=-11), False),
        ("push", timedelta(minutes=61), False),
        ("replay", timedelta(days=5000), True),
    ],
)
def test_what_comes_too_late_sends_nothing_by_itself(receive_jma, rows, origin, age, is_fresh):
    begin = (datetime.now(JST) - age).replace(microsecond=0)
    receive_jma(telegram("VTSE41", forecast("53"), begin=begin), origin=origin)
    assert rows("SELECT is_fresh FROM ingest.situation") == [{"is_fresh": is_fresh}]


def test_a_drill_document_that_says_it_is_real_is_refused(receive_jma, rows):
    ((_, reason),) = receive_jma(WARNING, origin="drill").dead_letters
    assert "drill" in reason
    assert rows("SELECT 1 FROM layers.incident") == []


def test_the_service_and_no_one_else_writes(database):
    with database.begin("citizen") as connection, pytest.raises(Exception, match="permission denied"):
        connection.execute(text("SELECT 1 FROM ingest.document"))
