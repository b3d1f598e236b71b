"""CAP of another office becomes incidents of the town: alert, update, cancel, and what is not for us."""

from dataclasses import replace

import pytest

from gis.errors import UsageError
from gis.town import load_town
from ingest.configuration import SourceConfig
from ingest.documents import read_body
from ingest.processing import receive
from ingest.reports import Unreadable
from ingest.schedule import Schedule
from ingest.sources.cap_feed import make_source
from ingest.summary import RunSummary
from tests.ingest.cap.test_message import cap

TOWN = load_town()


def _source(**options):
    defaults = {
        "url": "http://x/cap.atom",
        "kind": "weather",
        "kinds": {"津波": "tsunami"},
        "geocodes": {"JIS": ["04214"]},
    }
    return make_source(SourceConfig("pref", "cap_feed", "宮城県", Schedule(60), defaults | options))


def _parse(body, **options):
    return _source(**options).parse(body, TOWN)


@pytest.fixture
def receive_cap(database, monkeypatch):
    """Receive messages as such a source."""
    source = _source()
    monkeypatch.setattr("ingest.processing.find_source", lambda name: source)

    def take(*bodies):
        summary = RunSummary()
        for body in bodies:
            receive(database, source, "feed", "cap", read_body([body], 1_000_000), summary)
        return summary

    return take


def test_a_warning_is_a_report_with_level_area_and_end():
    (report,) = _parse(cap())
    assert (report.kind, report.facts["level"], report.facts["category"]) == ("weather", 4, "大雨警報")
    assert report.facts["valid_until"] == "2026-11-20T18:00:00+09:00"
    assert report.facts["area"]["type"] == "Polygon" and report.concerns_town
    assert report.text == "危険です。\n避難してください。" and report.office == "宮城県"


def test_the_event_names_the_kind():
    (report,) = _parse(cap().replace("大雨警報".encode(), "津波警報".encode()))
    assert report.kind == "tsunami"


@pytest.mark.parametrize(
    ("area", "is_ours"),
    [
        ("<geocode><valueName>JIS</valueName><value>04214</value></geocode>", True),
        ("<geocode><valueName>JIS</valueName><value>04202</value></geocode>", False),
        ("<polygon>35,139 35,140 36,140 35,139</polygon>", False),
        ("", False),
    ],
)
def test_only_what_is_for_the_town_concerns_it(area, is_ours):
    (report,) = _parse(cap(area))
    assert report.concerns_town is is_ours


def test_an_exercise_stays_an_exercise():
    (report,) = _parse(cap(status="Exercise"))
    assert report.status == "Exercise" and ":Exercise:" in report.event_key


@pytest.mark.parametrize("scope", ["Restricted", "Private"])
def test_what_is_not_for_the_public_is_refused(scope):
    with pytest.raises(Unreadable, match="not for the public"):
        _parse(cap(scope=scope))


def test_an_acknowledgement_tells_nothing():
    assert _parse(cap(msg_type="Ack")) == []


def test_an_update_changes_and_a_cancel_withdraws_the_incident(receive_cap, rows):
    first = "<references>pref@example.jp,a1,2026-11-20T15:00:00+09:00</references>"
    second = "<references>pref@example.jp,a2,2026-11-20T15:10:00+09:00</references>"
    update = cap(identifier="a2", msg_type="Update", head=first).replace(
        b"T15:00:00+09:00</sent>", b"T15:10:00+09:00</sent>"
    )
    update = update.replace(b"Severe", b"Extreme")
    # A third message names only the second one: the chain is followed to the event.
    cancel = cap(identifier="a3", msg_type="Cancel", head=second).replace(
        b"T15:00:00+09:00</sent>", b"T15:20:00+09:00</sent>"
    )
    receive_cap(cap(), update)
    assert [(row["level"], row["state"]) for row in rows("SELECT level, state FROM layers.incident")] == [
        (5, "updated")
    ]
    receive_cap(cancel)
    assert [row["state"] for row in rows("SELECT state FROM layers.incident")] == ["cancelled"]


def test_an_update_that_comes_before_its_original_is_not_overwritten(receive_cap, rows):
    head = "<references>pref@example.jp,a1,2026-11-20T15:00:00+09:00</references>"
    update = cap(identifier="a2", msg_type="Update", head=head).replace(
        b"T15:00:00+09:00</sent>", b"T15:10:00+09:00</sent>"
    )
    receive_cap(update.replace(b"Severe", b"Minor"), cap())
    assert [row["level"] for row in rows("SELECT level FROM layers.incident")] == [2]


def test_the_drawn_area_is_the_incident_on_the_map(receive_cap, rows):
    receive_cap(cap())
    (row,) = rows("SELECT ST_XMin(geom) AS west, ST_YMax(geom) AS north, publication FROM layers.incident")
    assert (row["west"], row["north"], row["publication"]) == (141.20, 38.42, "published")


def test_a_feed_leads_to_its_messages_once(database, settings, feed_server, monkeypatch, rows):
    feed_server.put_telegram("1.cap", cap())
    feed_server.put_telegram("2.cap", cap(identifier="b1"))
    feed_server.put_feed("cap.atom", ("one", "1.cap"), ("two", "2.cap"))
    source = _source(url=f"{feed_server.base}/feed/cap.atom")
    monkeypatch.setattr("ingest.processing.find_source", lambda name: source)
    assert source.fetch(database, settings, source).new == 2
    again = source.fetch(database, settings, source)
    assert (again.new, again.failures) == (0, [])
    assert feed_server.asked("/data/1.cap") == [200] and feed_server.asked("/feed/cap.atom")[-1] == 304
    assert len(rows("SELECT fid FROM layers.incident")) == 2


def test_a_message_that_cannot_be_had_is_asked_for_again(database, settings, feed_server, monkeypatch, rows):
    feed_server.put_feed("cap.atom", ("one", "1.cap"))
    source = _source(url=f"{feed_server.base}/feed/cap.atom")
    monkeypatch.setattr("ingest.processing.find_source", lambda name: source)
    assert "404" in source.fetch(database, settings, source).failures[0]
    feed_server.put_telegram("1.cap", cap())
    assert source.fetch(database, settings, source).new == 1


def test_an_error_page_in_place_of_the_feed_is_a_failure(database, settings, feed_server):
    feed_server.pages["/feed/cap.atom"] = b"<html><p>sorry<br></html>"
    source = _source(url=f"{feed_server.base}/feed/cap.atom")
    assert source.fetch(database, settings, source).failures


def test_another_host_is_not_followed(database, settings, feed_server):
    feed_server.put_feed("cap.atom", ("one", "1.cap"), host="http://192.0.2.1")
    source = _source(url=f"{feed_server.base}/feed/cap.atom")
    assert "another host" in source.fetch(database, settings, source).failures[0]


def test_a_wrong_option_is_named():
    with pytest.raises(UsageError, match="kinds"):
        _source(kinds=["weather"])


def test_the_options_are_never_printed():
    assert "192.0.2.9" not in repr(replace(_source(url="http://user:secret@192.0.2.9/")))
