"""CAP of every version, from whoever wrote it."""

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from ingest.cap.message import NAMESPACES, parse_message
from ingest.reports import Unreadable

AREA = "<area><areaDesc>東松島市</areaDesc>{}</area>"
SQUARE = "<polygon>38.40,141.20 38.40,141.22 38.42,141.22 38.42,141.20 38.40,141.20</polygon>"


def cap(area=SQUARE, version=2, head="", info="", msg_type="Alert", status="Actual", scope="Public", identifier="a1"):
    """A message of our own in one of the three versions."""
    block = f"""<info><language>ja-JP</language><category>Met</category>
      <event>大雨警報</event><urgency>Immediate</urgency>
      <severity>Severe</severity><certainty>Likely</certainty><expires>2026-11-20T18:00:00+09:00</expires>
      <senderName>宮城県</senderName><headline>大雨です</headline><description>危険です。</description>
      <instruction>避難してください。</instruction>{info}{AREA.format(area)}</info>"""
    return f"""<?xml version="1.0" encoding="UTF-8"?><alert xmlns="{NAMESPACES[version]}">
      <identifier>{identifier}</identifier>
      <sender>pref@example.jp</sender><sent>2026-11-20T15:00:00+09:00</sent><status>{status}</status>
      <msgType>{msg_type}</msgType><scope>{scope}</scope>{head}{block}</alert>""".encode()


@pytest.mark.parametrize("version", [0, 1, 2])
def test_every_version_is_read(version):
    message = parse_message(cap(version=version))
    assert (message.identifier, message.sender, message.status) == ("a1", "pref@example.jp", "Actual")
    assert message.infos[0].event == "大雨警報" and message.area_text == "東松島市"
    assert message.infos[0].expires_at.isoformat() == "2026-11-20T18:00:00+09:00"


def test_a_polygon_is_latitude_first():
    assert parse_message(cap()).area.bounds == (141.20, 38.40, 141.22, 38.42)


def test_a_circle_covers_its_radius_in_kilometres():
    area = parse_message(cap("<circle>38.42,141.21 2</circle>")).area
    from pyproj import Geod

    lon, lat, _ = Geod(ellps="WGS84").fwd(141.21, 38.42, 33, 2000)
    assert area.covers(shapely.Point(lon, lat).buffer(1e-9))
    lon, lat, _ = Geod(ellps="WGS84").fwd(141.21, 38.42, 33, 2010)
    assert not area.covers(shapely.Point(lon, lat))


def test_several_shapes_are_their_union():
    assert parse_message(cap(SQUARE + "<circle>38.5,141.3 1</circle>")).area.geom_type == "MultiPolygon"


def test_an_open_ring_is_closed_and_a_bow_tie_made_whole():
    assert parse_message(cap("<polygon>38.40,141.20 38.40,141.22 38.42,141.22</polygon>")).area.area > 0
    bow = "<polygon>38.40,141.20 38.42,141.22 38.40,141.22 38.42,141.20 38.40,141.20</polygon>"
    assert parse_message(cap(bow)).area.is_valid


@pytest.mark.parametrize(
    ("area", "reason"),
    [
        ("<polygon>38.4,141.2 38.5,141.3</polygon>", "at least four"),
        ("<polygon>141.2,38.4 141.3,38.4 141.3,38.5 141.2,38.4</polygon>", "wrong order"),
        ("<polygon>38.4 141.2 38.5 141.3</polygon>", "no position"),
        ("<polygon>nan,141.2 38.4,141.3 38.5,141.3 nan,141.2</polygon>", "beyond the earth"),
        ("<circle>38.4,141.2</circle>", "no radius"),
        ("<circle>38.4,141.2 -3</circle>", "is none"),
    ],
)
def test_an_area_that_does_not_hold_makes_the_message_unreadable(area, reason):
    with pytest.raises(Unreadable, match=reason):
        parse_message(cap(area))


def test_geocodes_of_both_writings_are_read():
    new = cap("<geocode><valueName>JIS</valueName><value>04214</value></geocode>")
    old = cap("<geocode>JIS=04214</geocode>", version=0)
    assert parse_message(new).geocodes == parse_message(old).geocodes == (("JIS", "04214"),)


def test_the_block_in_japanese_is_chosen():
    english = "</info><info><language>en</language><event>Heavy rain</event>"
    message = parse_message(cap(info=english))
    assert message.info().language == "ja-JP" and message.info(("en",)).event == "Heavy rain"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Service unavailable</body></html>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><alert>&a;</alert>',
        cap()[:200],
        cap(identifier="a b"),
        cap().replace(b"<sent>2026-11-20T15:00:00+09:00", b"<sent>yesterday"),
        cap(head="<references>only,two</references>"),
    ],
)
def test_what_is_no_message_says_why(body):
    with pytest.raises(Unreadable):
        parse_message(body)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body):
    with pytest.raises(Unreadable):
        parse_message(body)


def test_the_messages_of_the_standard_are_read(samples):
    paths = sorted((samples / "cap").glob("*.xml"))
    assert len(paths) == 5
    for path in paths:
        assert parse_message(path.read_bytes()).infos or parse_message(path.read_bytes()).msg_type == "Cancel"
