"""Whatever a polled source does: nothing lost, nothing doubled, the reason shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ingest.configuration import SourceConfig
from ingest.schedule import Schedule
from ingest.source import Source
from ingest.sources import cap_feed, fire_rss, geo_feed
from tests.ingest import feed_server as other_side
from tests.ingest.cap.test_message import SQUARE, cap

LIMIT = 50_000
BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
ROADS = {
    "id": "properties.id", "reported_at": "properties.updated", "headline": "properties.title", "kind": "traffic",
    "lists": "current",
}  # fmt: skip
NOTICES = {"id": "guid", "reported_at": "pubDate", "headline": "title", "kind": "traffic", "lists": "current"}


def _geojson(title: str, at: datetime) -> bytes:
    properties = {"id": "r1", "title": title, "updated": at.isoformat()}
    feature = {
        "type": "Feature", "properties": properties, "geometry": {"type": "Point", "coordinates": [141.21, 38.42]}
    }  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": [feature]}, ensure_ascii=False).encode()


def _georss(title: str, at: datetime) -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?><rss xmlns:georss="http://www.georss.org/georss"><channel><item>
      <guid>9</guid><title>{title}</title><pubDate>{at:%a, %d %b %Y %H:%M:%S} +0000</pubDate>
      <georss:point>38.42 141.21</georss:point></item></channel></rss>""".encode()


def _fires(title: str, at: datetime) -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id>
      <title>建物火災 {title}</title><updated>{at.isoformat()}</updated>
      <summary>東松島市矢本字大町地内で発生</summary></entry></feed>""".encode()


def _cap(title: str, at: datetime) -> bytes:
    body = cap(SQUARE).decode().replace("2026-11-20T15:00:00+09:00", at.isoformat())
    return (
        body.replace("2026-11-20T18:00:00+09:00", (at + timedelta(hours=9)).isoformat())
        .replace("大雨です", title)
        .encode()
    )


@dataclass(frozen=True)
class Kind:
    """A kind of polled source: what makes it, and a body of it that says a title at a time."""

    make: Callable[[SourceConfig], Source]
    body: Callable[[str, datetime], bytes]
    options: dict[str, Any]


KINDS = {
    "cap_feed": Kind(cap_feed.make_source, _cap, {"kind": "weather"}),
    "geojson": Kind(geo_feed.make_source, _geojson, {"map": ROADS}),
    "georss": Kind(geo_feed.make_source, _georss, {"map": NOTICES}),
    "fire_rss": Kind(fire_rss.make_source, _fires, {}),
}


def _down(handler: Any) -> None:
    handler.send_error(503)


def _bodies_that_are_no_feed(good: bytes) -> dict[str, bytes]:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">'.encode() for n in range(9)
    )
    return {
        "half of it": good[: len(good) // 2],
        "another encoding": good.decode().encode("cp932") if good[:1] == b"{" else good.decode().encode("utf-16"),
        "an error page": "<!DOCTYPE html><html><p>混み合っています<br></html>".encode(),
        "nothing": b"",
        "an entity bomb": bomb + b"]><feed>&j;</feed>",
        "too much": good + b" " * LIMIT,
    }


@pytest.mark.parametrize("name", KINDS)
def test_whatever_the_other_side_does_nothing_is_lost_or_doubled_and_the_reason_stands_there(
    name, database, owner, settings, feed_server, monkeypatch, rows
):
    kind, sent_bytes = KINDS[name], []
    options = kind.options | {"url": f"{feed_server.base}/feed"}
    source = kind.make(SourceConfig("polled", name, "隣の役所", Schedule(60), options))
    monkeypatch.setattr("ingest.processing.find_source", lambda _: source)
    monkeypatch.setattr("ingest.polling._DEADLINE_S", 1.5)
    limited = replace(settings, max_document_bytes=LIMIT)

    def poll():
        return source.fetch(database, limited, source)

    def stands():
        return rows("SELECT event_key, headline, state, reported_at, level FROM layers.incident")

    def flood(handler):
        """Announce a thousand megabytes and begin to send them."""
        handler.send_response(200)
        handler.send_header("Content-Length", str(10**9))
        handler.end_headers()
        with suppress(OSError):
            for _ in range(10**9 // 65_536):
                sent_bytes.append(handler.wfile.write(b" " * 65_536))

    def go_away(handler):
        with owner.begin() as connection:
            ours = "usename = 'machimori_app' AND datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}"))
        body = kind.body("二度目", BEGAN + timedelta(minutes=1))
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    feed_server.pages["/feed"] = good = kind.body("一度目", BEGAN)
    assert poll().changed == 1 and len(stands()) == 1
    assert poll().documents == 0 and feed_server.asked("/feed")[-1] == 304
    first = stands()
    for fault in (_down, other_side.drip, other_side.drip_headers, other_side.cut_off, other_side.redirect):
        feed_server.misbehaviour["/feed"] = fault
        assert poll().failures, fault
        assert feed_server.base in rows("SELECT last_error FROM ingest.source")[0]["last_error"], fault
        assert stands() == first, fault
    feed_server.misbehaviour["/feed"] = flood
    told = poll()
    assert told.failures or "over the limit" in told.dead_letters[0][1]
    assert sum(filter(None, sent_bytes)) < 30_000_000 and stands() == first, "read no further than the limit"
    feed_server.misbehaviour.clear()
    for what, body in _bodies_that_are_no_feed(good).items():
        feed_server.pages["/feed"] = body
        told = poll()
        assert told.failures or told.dead_letters, what
        assert told.failures or rows("SELECT reason FROM ingest.dead_letter ORDER BY document_id DESC")[0]["reason"], (
            what
        )
        assert stands() == first and told.changed == 0, what
    feed_server.misbehaviour["/feed"] = go_away
    with pytest.raises(DBAPIError):
        poll()
    feed_server.misbehaviour.clear()
    feed_server.pages["/feed"] = kind.body("二度目", BEGAN + timedelta(minutes=1))
    poll()
    assert poll().changed == 0
    assert len(stands()) == 1 and stands()[0]["reported_at"] > first[0]["reported_at"]
    feed_server.pages["/feed"] = good
    poll()
    feed_server.pages["/feed"] = kind.body("一度目とは違う", BEGAN)
    poll()
    (standing,) = stands()
    assert standing["reported_at"] >= BEGAN + timedelta(minutes=1) and standing["state"] in ("open", "updated")
    assert rows("SELECT 1 FROM ingest.document WHERE parsed_at IS NULL") == []
    assert rows("SELECT source_id FROM ingest.report GROUP BY source_id HAVING count(*) > 1") == []


def _wrongly_encoded(good: bytes) -> dict[str, bytes]:
    words = good.decode()
    if words.startswith("{"):
        return {encoding: words.encode(encoding) for encoding in ("cp932", "euc-jp", "utf-16")}
    said = 'encoding="UTF-8"'
    assert said in words
    return {
        "cp932 that says it is UTF-8": words.encode("cp932"),
        "EUC-JP that says nothing": words.replace(said, "").encode("euc-jp"),
        "UTF-16 that says it is UTF-8": words.encode("utf-16"),
        # Each byte is a character there: nothing would fail, and the public would read å»ºç\x89©.
        "UTF-8 that says it is Latin-1": words.replace(said, 'encoding="ISO-8859-1"').encode(),
        "UTF-8 that says it is Shift_JIS": words.replace(said, 'encoding="Shift_JIS"').encode(),
    }


@pytest.mark.parametrize("name", KINDS)
def test_a_feed_in_the_wrong_encoding_changes_nothing_and_says_why(
    name, database, settings, feed_server, monkeypatch, rows
):
    kind = KINDS[name]
    options = kind.options | {"url": f"{feed_server.base}/feed"}
    source = kind.make(SourceConfig("polled", name, "隣の役所", Schedule(60), options))
    monkeypatch.setattr("ingest.processing.find_source", lambda _: source)
    for what, body in _wrongly_encoded(kind.body("大雨です 矢本", BEGAN)).items():
        feed_server.pages["/feed"] = body
        told = source.fetch(database, settings, source)
        assert told.failures or told.dead_letters, what
        assert told.changed == 0 and rows("SELECT headline FROM layers.incident") == [], what
    feed_server.pages["/feed"] = kind.body("大雨です 矢本", BEGAN)
    assert source.fetch(database, settings, source).changed == 1


@pytest.mark.parametrize("name", KINDS)
def test_what_a_clock_in_the_future_said_sends_nothing_by_itself(
    name, database, settings, feed_server, monkeypatch, rows
):
    kind = KINDS[name]
    source = kind.make(
        SourceConfig("polled", name, "隣の役所", Schedule(60), kind.options | {"url": f"{feed_server.base}/feed"})
    )
    monkeypatch.setattr("ingest.processing.find_source", lambda _: source)
    feed_server.pages["/feed"] = kind.body("明日", datetime.now(UTC).replace(microsecond=0) + timedelta(days=1))
    assert source.fetch(database, settings, source).changed == 1
    (told,) = rows("SELECT is_fresh, reported_at > now() AS is_ahead FROM ingest.situation")
    assert (told["is_fresh"], told["is_ahead"]) in ((False, True), (True, False)), "marked, or of when it came"
