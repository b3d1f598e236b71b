"""Feeds of any kind by configuration alone: GeoJSON and GeoRSS, mapped in TOML."""

import json

import pytest

from gis.errors import UsageError
from gis.town import load_town
from ingest.configuration import SourceConfig
from ingest.documents import read_body
from ingest.processing import Outcome, process_unparsed, receive
from ingest.reports import Rejected, Unreadable
from ingest.schedule import Schedule
from ingest.sources.geo_feed import make_source
from ingest.summary import RunSummary

TOWN = load_town()
ROADS = {
    "id": "properties.id",
    "reported_at": "properties.updated",
    "headline": "properties.title",
    "kind": "traffic",
    "level_path": "properties.state",
    "levels": {"通行止": 2, "開通": 0},
    "over_path": "properties.state",
    "over_values": ["開通"],
}
RSS = """<rss xmlns:georss="http://www.georss.org/georss" xmlns:gml="http://www.opengis.net/gml"
  xmlns:geo="http://www.w3.org/2003/01/geo/wgs84_pos#"><channel><item><guid>9</guid><title>工事</title>
  <pubDate>Fri, 20 Nov 2026 15:00:00 +0900</pubDate>{}</item></channel></rss>"""
RSS_MAP = {"id": "guid", "reported_at": "pubDate", "headline": "title"}


def _source(**mapping):
    options = {"url": "http://x/", "map": mapping or ROADS}
    return make_source(SourceConfig("roads", "geo_feed", "道路課", Schedule(300), options))


def _road(state="通行止", updated="2026-11-20T15:00:00+09:00", number="r1", geometry=None, **changes):
    properties = {"id": number, "title": "県道247号", "state": state, "updated": updated} | changes
    geometry = geometry or {"type": "Point", "coordinates": [141.21, 38.42]}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def _collection(*features):
    return json.dumps({"type": "FeatureCollection", "features": list(features)}).encode()


@pytest.fixture
def receive_roads(database, monkeypatch):
    """Receive collections as such a source."""
    monkeypatch.setattr("ingest.processing.find_source", lambda name: _source())

    def take(*bodies):
        summary = RunSummary()
        for body in bodies:
            receive(database, _source(), "feed", "roads", read_body([body], 1_000_000), summary)
        return summary

    return take


def test_a_feature_is_a_report_as_the_mapping_says():
    (report,) = _source().parse(_collection(_road()), TOWN)
    assert (report.kind, report.headline, report.facts["level"]) == ("traffic", "県道247号", 2)
    assert (report.facts["lon"], report.facts["lat"]) == (141.21, 38.42)
    assert report.reported_at.isoformat() == "2026-11-20T15:00:00+09:00" and report.concerns_town


@pytest.mark.parametrize(
    "written",
    ["2026-11-20T06:00:00Z", "2026-11-20 15:00", 1795154400, 1795154400000, "Fri, 20 Nov 2026 15:00:00 +0900"],
)
def test_times_are_read_in_every_usual_form(written):
    (report,) = _source().parse(_collection(_road(updated=written)), TOWN)
    assert report.reported_at.isoformat() == "2026-11-20T15:00:00+09:00"


@pytest.mark.parametrize(
    ("geometry", "is_ours"),
    [
        ({"type": "LineString", "coordinates": [[141.20, 38.42], [141.22, 38.42]]}, True),
        ({"type": "Point", "coordinates": [139.7, 35.7]}, False),
    ],
)
def test_only_what_meets_the_town_concerns_it(geometry, is_ours):
    (report,) = _source().parse(_collection(_road(geometry=geometry)), TOWN)
    assert report.concerns_town is is_ours


@pytest.mark.parametrize(
    ("feature", "reason"),
    [
        (_road(number=""), "nothing tells"),
        (_road(updated="yesterday"), "no time"),
        (_road(updated=None), "missing"),
        (_road(geometry={"type": "Point", "coordinates": [38.42, 141.21]}), "wrong order"),
        (_road(geometry={"type": "Blob"}), "not read"),
        ("nothing", "nothing tells"),
    ],
)
def test_a_bad_feature_is_rejected_by_name_and_the_others_go_on(feature, reason):
    records = _source().parse(_collection(feature, _road()), TOWN)
    assert isinstance(records[0], Rejected) and reason in records[0].reason
    assert records[1].headline == "県道247号"


@pytest.mark.parametrize("body", [b"", b"{}", b"[" * 100_000, b"<html/>", b'{"type":"FeatureCollection"}', b"\xff{"])
def test_what_is_no_feed_says_why(body):
    with pytest.raises(Unreadable):
        _source().parse(body, TOWN)


@pytest.mark.parametrize(
    "position",
    [
        "<georss:point>38.42 141.21</georss:point>",
        "<geo:lat>38.42</geo:lat><geo:long>141.21</geo:long>",
        "<georss:where><gml:Point><gml:pos>38.42 141.21</gml:pos></gml:Point></georss:where>",
    ],
)
def test_every_georss_gives_the_same_point(position):
    (report,) = _source(**RSS_MAP).parse(RSS.format(position).encode(), TOWN)
    assert (report.facts["lon"], report.facts["lat"], report.headline) == (141.21, 38.42, "工事")


def test_a_georss_polygon_is_an_area():
    box = "<georss:polygon>38.4 141.2 38.4 141.3 38.5 141.3 38.4 141.2</georss:polygon>"
    (report,) = _source(**RSS_MAP).parse(RSS.format(box).encode(), TOWN)
    assert report.facts["area"]["type"] == "Polygon"


def test_a_feed_about_persons_gives_place_and_words_to_moderators_only():
    source = _source(**ROADS, is_private=True, public_text="事案がありました")
    (report,) = source.parse(_collection(_road()), TOWN)
    assert source.is_private and report.private.place.lon == 141.21
    assert "247" not in report.headline + report.text + str(report.facts) and "141.2" not in str(report.facts)


def test_a_change_updates_and_the_end_resolves_the_incident_and_nothing_doubles(receive_roads, rows):
    body = _collection(_road())
    receive_roads(body, body)
    later = _collection(_road(state="開通", updated="2026-11-20T18:00:00+09:00"))
    receive_roads(later, later)
    assert [(row["state"], row["level"]) for row in rows("SELECT state, level FROM layers.incident")] == [
        ("resolved", 0)
    ]
    assert len(rows("SELECT id FROM ingest.report")) == 2
    # Though the feed is anybody's: an accident is about persons, and its words end with those of the report.
    assert rows("SELECT DISTINCT is_private FROM ingest.document") == [{"is_private": True}]


def test_an_older_state_never_overwrites_a_newer_one(receive_roads, rows):
    receive_roads(_collection(_road(state="開通", updated="2026-11-20T18:00:00+09:00")), _collection(_road()))
    assert [row["state"] for row in rows("SELECT state FROM layers.incident")] == ["resolved"]


@pytest.mark.parametrize(
    ("mapping", "named"),
    [
        ({"id": "a", "reported_at": "b"}, "headline"),
        ({**ROADS, "colour": "x"}, "colour"),
        ({**ROADS, "levels": {"a": 9}}, "levels"),
        ({**ROADS, "kinds": "x"}, "kinds"),
        ({**ROADS, "lists": "all"}, "lists"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused_by_name(mapping, named):
    with pytest.raises(UsageError, match=named):
        _source(**mapping)


@pytest.fixture
def see(database, monkeypatch, rows):
    """Poll a list of what is current: the bodies one after the other; return the state of each road."""
    source = _source(**ROADS, lists="current")
    monkeypatch.setattr("ingest.processing.find_source", lambda name: source)

    def take(*bodies, limit=1_000_000):
        for body in bodies:
            receive(database, source, "feed", "roads", read_body([body], limit), RunSummary())
        found = rows("SELECT substr(event_key, 11) AS road, state FROM layers.incident ORDER BY 1")
        return {row["road"]: row["state"] for row in found}

    return take


def test_what_is_gone_from_a_list_of_what_is_current_is_over_and_what_is_back_is_open_again(see, rows):
    both, one = _collection(_road(), _road(number="r2")), _collection(_road(number="r2"))
    assert see(both, one) == {"r1": "resolved", "r2": "open"}
    new = "reported_at > now() - interval '1 hour' AS is_new"
    told = rows(f"SELECT facts, phase, {new} FROM ingest.situation ORDER BY id DESC")[0]
    assert (told["facts"]["vanished"], told["is_new"], told["phase"]) == (True, True, "cleared")
    assert see(one, one) == {"r1": "resolved", "r2": "open"} and len(rows("SELECT 1 FROM ingest.report")) == 3
    assert see(both)["r1"] == "updated", "the very same bytes as before, and the road's own time is older than its end"
    assert see(both, one, both) == {"r1": "updated", "r2": "open"}
    changed = _collection(_road(updated="2026-11-20T15:30:00+09:00", title="県道247号片側"), _road(number="r2"))
    see(changed)
    assert rows("SELECT headline FROM layers.incident WHERE event_key = 'geo:roads:r1'") == [
        {"headline": "県道247号片側"}
    ]
    count = len(rows("SELECT 1 FROM ingest.report"))
    see(both, changed, changed)
    assert len(rows("SELECT 1 FROM ingest.report WHERE facts->>'vanished' = 'true'")) == 2
    assert len(rows("SELECT 1 FROM ingest.report")) == count + 2
    assert rows("SELECT 1 FROM ingest.document WHERE parsed_at IS NULL") == []


@pytest.mark.parametrize(
    "nothing",
    [
        _collection(),
        b"<html>busy</html>",
        b"",
        _collection(_road(number="r2"), _road(number="")),
        _collection(_road(number="r1", updated="yesterday"), _road(number="r2")),
        _collection(_road(number="r2"))[:-9],
        b'{"type":"FeatureCollection","links":[{"rel":"next","href":"?page=2"}],"features":[{"id":"x","properties":{}}]}',
        b'{"type":"FeatureCollection","numberMatched":2,"features":[' + json.dumps(_road(number="r2")).encode() + b"]}",
    ],
)
def test_a_list_that_is_empty_broken_or_a_part_ends_nothing(see, nothing):
    assert see(_collection(_road()), nothing)["r1"] == "open"


def test_a_list_that_was_cut_at_the_limit_and_one_that_was_read_late_end_nothing(see, database, monkeypatch, rows):
    whole = _collection(_road(), _road(number="r2"))
    see(whole)
    assert see(_collection(_road(number="r2")) + b" " * 1000, limit=900) == {"r1": "open", "r2": "open"}
    monkeypatch.setattr("ingest.processing.process_document", lambda *_: Outcome())  # the worker dies after storing
    see(_collection(_road(number="r2")))
    monkeypatch.undo()
    monkeypatch.setattr("ingest.processing.find_source", lambda name: _source(**ROADS, lists="current"))
    assert see(_collection(_road(), _road(number="r3"))) == {"r1": "open", "r2": "resolved", "r3": "open"}
    process_unparsed(database, RunSummary())
    found = rows("SELECT event_key, state FROM layers.incident ORDER BY 1")
    assert [row["state"] for row in found] == ["open", "resolved", "open"], "the older list was read last"


def test_of_a_feed_of_the_latest_nothing_follows_from_what_is_gone(receive_roads, rows):
    receive_roads(_collection(_road()), _collection(_road(number="r2")))
    assert {row["state"] for row in rows("SELECT state FROM layers.incident")} == {"open"}
