"""Notices of dispatches in a feed (RSS 2.0, RSS 1.0, Atom): words become type, stage, time and place by rule. Pure.

Entries are edited in place, and vanish when it is over or when the feed is full: what vanished says nothing, so an
event without a last word ends by itself (`valid_until`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime

from lxml import etree

from gis.town import Town
from ingest.fire.dispatch import Dispatch, Service, read_number, report_of
from ingest.fire.position import read_place
from ingest.fire.words import Stage, find_stage, find_type, plain
from ingest.jma.xml import JST, find_all, parse_xml, text_of
from ingest.mail.html import html_to_text
from ingest.mail.places import find_place, from_town_on
from ingest.mail.times import Occurred, find_occurred
from ingest.mail.words import find_status
from ingest.reports import Place, Rejected, Report, Unreadable

_NUMBER = re.compile(r"(?:出動|災害|指令|事案|覚知)(?:番号|No\.?|第)\s?[::]?\s?([A-Za-z0-9][\w-]{0,40})")
_BEGAN = re.compile(r"^\s?(?:ころ|頃|ごろ)?[、,に]?.{0,12}?(?:発生|出火|覚知|出動|入電|通報)")
_MOST_LETTERS = 4000


@dataclass(frozen=True)
class _Entry:
    guid: str
    title: str
    text: str
    said_at: datetime
    place: Place | None


def read_notices(body: bytes, town: Town, service: Service, source: str) -> list[Report | Rejected]:
    """Return a report for each entry of a feed, or why it is none.

    Raises
    ------
    Unreadable : no feed (an HTML error page, say), or a DTD.
    """
    root = parse_xml(body)
    elements = [*find_all(root, "channel/item"), *find_all(root, "item"), *find_all(root, "entry")]
    if not elements and etree.QName(root).localname not in ("rss", "RDF", "feed"):
        raise Unreadable("the document is no feed")
    read: list[tuple[_Entry, Dispatch]] = []
    rejected: list[Report | Rejected] = []
    for number, element in enumerate(elements, 1):
        try:
            entry = _entry(element)
            read.append((entry, _dispatch(entry, town)))
        except ValueError as error:
            rejected.append(Rejected(f"entry {number}", str(error)))
    dispatches = [dispatch for _, dispatch in read]
    reports = [_report(entry, dispatch, dispatches, town, service, source) for entry, dispatch in read]
    return [*{report.source_id: report for report in reports}.values(), *rejected]


def _report(
    entry: _Entry, dispatch: Dispatch, others: Sequence[Dispatch], town: Town, service: Service, source: str
) -> Report:
    """Return the report; a last word without a number belongs to what began before it, in this feed or earlier."""
    begun = None if dispatch.number else _begun(dispatch, others)
    own, stage = _key(entry.guid), dispatch.stage.code if dispatch.stage else ""
    named = replace(dispatch, number=dispatch.number or begun or own, identity=stage)
    report = report_of(named, town, service, source)
    seeks = not dispatch.number and begun is None and _is_last_word(dispatch.stage)
    identity = f"{source}:{dispatch.status}:{own}:{entry.said_at.timestamp():.0f}:{named.identity}"
    return replace(report, source_id=identity, seeks_event=seeks)


def _begun(dispatch: Dispatch, others: Sequence[Dispatch]) -> str | None:
    """Return the number of the newest dispatch of this feed that a last word may be about: same type, same place."""
    if not _is_last_word(dispatch.stage):
        return None
    found = [
        other
        for other in others
        if (other.type, other.address, other.status) == (dispatch.type, dispatch.address, dispatch.status)
        and other.address
        and other.said_at <= dispatch.said_at
        and not _is_last_word(other.stage)
    ]
    newest = max(found, key=lambda other: other.said_at, default=None)
    return (newest.number or str(newest.details["key"])) if newest else None


def _is_last_word(stage: Stage | None) -> bool:
    return stage is not None and (stage.is_over or stage.withdraws)


def _dispatch(entry: _Entry, town: Town) -> Dispatch:
    said = f"{entry.title}\n{entry.text}"
    kind = find_type(entry.title) or find_type(entry.text)
    if kind is None:
        raise ValueError("it names nothing that the fire service goes out for (data/fire_words.toml)")
    # The title tells the present, the words may tell the whole life.
    stage = find_stage(entry.title) or find_stage(entry.text)
    occurred = find_occurred(said, entry.said_at)
    number = _NUMBER.search(said)
    place = find_place(said, occurred.end if occurred else -1, entry.title)
    return Dispatch(
        number=(read_number(number[1]) or "") if number else "",
        type=kind,
        stage=stage,
        said_at=entry.said_at,
        status=find_status(entry.title, entry.text),
        called_at=_called_at(said, occurred, stage),
        address=from_town_on(place, town.name_ja),
        place=entry.place,
        original=said.strip(),
        details={"key": _key(entry.guid)},
    )


def _called_at(said: str, occurred: Occurred | None, stage: Stage | None) -> datetime | None:
    """Return when it began; in a last word only a time that is said to be the beginning's."""
    if occurred is None or occurred.precision not in ("minute", "hour"):
        return None
    return occurred.at if not _is_last_word(stage) or _BEGAN.match(said, occurred.end) else None


def _entry(element: etree._Element) -> _Entry:
    title = _words(text_of(element, "title"))
    parts = (text_of(element, name) for name in ("description", "summary", "content", "encoded"))
    text = "\n".join(_words(part) for part in parts if part)[:_MOST_LETTERS]
    guid = text_of(element, "guid") or text_of(element, "id") or text_of(element, "link") or title
    if not title and not text:
        raise ValueError("it says nothing")
    return _Entry(guid, title[:_MOST_LETTERS], text, _said_at(element), _place(element, text))


def _words(written: str) -> str:
    written = written[: 5 * _MOST_LETTERS]
    return plain(html_to_text(written) if "<" in written else written)


def _said_at(element: etree._Element) -> datetime:
    for name in ("updated", "pubDate", "date", "published"):
        written = text_of(element, name)
        if written:
            try:
                moment = parsedate_to_datetime(written) if "," in written else datetime.fromisoformat(written)
            except ValueError as error:
                raise ValueError(f"{name}: {written[:40]!r} is no time") from error
            # RFC 5322 writes -0000 for a time without a zone; here it is the town's.
            return moment if moment.tzinfo else moment.replace(tzinfo=JST)
    raise ValueError("it has no time")


def _place(element: etree._Element, text: str) -> Place | None:
    lat, _, lon = text_of(element, "point").partition(" ")  # GeoRSS: WGS 84, latitude first
    lat, lon = lat or text_of(element, "lat"), lon or text_of(element, "long")
    return read_place(lon.strip(), lat.strip(), "WGS84", text=text[:200]) if lat and lon else None


def _key(guid: str) -> str:
    return f"entry-{hashlib.sha256(guid.encode()).hexdigest()[:16]}"
