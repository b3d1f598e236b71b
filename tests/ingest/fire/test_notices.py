"""Notices of dispatches in a feed: their words, edits in place, and entries that vanish."""

import pytest

from gis.town import load_town
from ingest.fire.dispatch import Service, fold_dispatch
from ingest.fire.notices import read_notices
from ingest.folding import timeline
from ingest.reports import Rejected, Unreadable

TOWN = load_town()
WORDS = "11月22日10時15分ころ、東松島市矢本字大町地内で建物火災が発生し、消防車が出動しています。"
OVER = "東松島市矢本字大町地内で発生した建物火災は、11時2分鎮火しました。"


def item(title="建物火災", text=WORDS, at="Sun, 22 Nov 2026 10:18:00 +0900", guid="1", more=""):
    return (
        f"<item><title>{title}</title><description>{text}</description>"
        f"<guid>{guid}</guid><pubDate>{at}</pubDate>{more}</item>"
    )


def over(**changes):
    return item(
        **{"title": "建物火災（鎮火）", "text": OVER, "at": "Sun, 22 Nov 2026 11:05:00 +0900", "guid": "2"} | changes
    )


def read(*items):
    body = f"<rss version='2.0'><channel><title>災害案内</title>{''.join(items)}</channel></rss>"
    return read_notices(body.encode(), TOWN, Service(), "n")


def test_words_become_type_stage_time_and_place():
    (report,) = read(item())
    assert (report.kind, report.facts["category"], report.facts["stage"]) == ("fire", "建物火災", "dispatched")
    assert report.facts["occurred_at"] == "2026-11-22T10:15:00+09:00"
    assert report.private.place_text == "東松島市矢本字大町地内" and WORDS in report.private.original
    assert "大町" not in report.headline + report.text


def test_a_last_word_belongs_to_what_began_before_it_in_the_feed():
    reports = read(over(), item(), item(text=WORDS.replace("大町", "河戸"), guid="3"))
    assert reports[0].event_key == reports[1].event_key != reports[2].event_key
    assert timeline(reports[:2], fold_dispatch)[-1].state == "resolved"


def test_a_last_word_alone_looks_for_its_event():
    (report,) = read(over())
    assert report.seeks_event and "occurred_at" not in report.facts
    (report,) = read(item())
    assert not report.seeks_event


def test_an_entry_with_a_number_is_the_same_event_as_through_every_other_door():
    (report,) = read(item(title="建物火災 出動番号：8-1"))
    assert report.event_key == "dispatch:fire:Actual:8-1" and not report.seeks_event


def test_an_entry_that_is_edited_in_place_goes_on_with_the_event():
    (before,), (after,) = read(item()), read(item(title="建物火災　鎮火"))
    assert before.event_key == after.event_key and before.source_id != after.source_id
    for order in ([before, after], [after, before]):
        assert timeline(order, fold_dispatch)[-1].state == "resolved"


def test_an_entry_that_vanishes_ends_nothing_by_itself_but_does_not_last_for_ever():
    assert read() == []
    (report,) = read(item())
    assert report.facts["valid_until"] == "2026-11-23T10:18:00+09:00"


def test_the_same_feed_again_says_the_same():
    assert read(item(), over()) == read(item(), over())


def test_atom_and_rdf_and_positions_are_read():
    atom = (
        "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:g='http://www.georss.org/georss'><entry><id>x</id>"
        "<title>林野火災</title><summary type='html'>&lt;p&gt;出動中&lt;/p&gt;</summary>"
        "<updated>2026-11-22T01:18:00Z</updated><g:point>38.42 141.21</g:point></entry></feed>"
    )
    (report,) = read_notices(atom.encode(), TOWN, Service(), "n")
    assert (report.private.place.lon, report.facts["stage"]) == (141.21, "dispatched")
    rdf = (
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'"
        " xmlns:dc='http://purl.org/dc/elements/1.1/'><item><title>車両火災</title><link>http://x/1</link>"
        "<dc:date>2026-11-22T10:18:00+09:00</dc:date></item></rdf:RDF>"
    )
    (report,) = read_notices(rdf.encode(), TOWN, Service(), "n")
    assert report.facts["category"] == "車両火災"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (item(title="秋の火災予防運動", text="火の用心"), "nothing that the fire service"),
        (item(at="soon"), "no time"),
        (item(title="", text=""), "nothing"),
        ("<item><title>建物火災</title></item>", "no time"),
    ],
)
def test_an_entry_that_is_no_dispatch_is_rejected_with_its_reason(entry, reason):
    _good, bad = read(entry, item(guid="9"))
    assert isinstance(bad, Rejected) and bad.record == "entry 1" and reason in bad.reason


@pytest.mark.parametrize("body", [b"<html><body>503</body></html>", b"", b"<rss>", b"<!DOCTYPE r><rss/>"])
def test_what_is_no_feed_is_unreadable(body):
    with pytest.raises(Unreadable):
        read_notices(body, TOWN, Service(), "n")


def test_a_drill_is_a_drill():
    (report,) = read(item(title="【訓練】建物火災"))
    assert report.status == "Exercise"


def test_a_hostile_entry_holds_no_worker():
    read(item(title="建物火災", text="11月22日10時15分、東松島市" + "市町村" * 50_000))
