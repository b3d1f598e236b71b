"""Citizens' reports on their way in: limits, the reporter's own data, and a document that goes the way of all others.

The document holds what happened and where; contact, photos and whence it came stand apart (`ingest.citizen_report`,
`ingest.citizen_photo`), for moderators only, and end after `CitizenPolicy.days`. Every function runs as the service.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection

from gis.database import sent_together
from gis.jobs import enqueue
from gis.queries import load_queries
from ingest.citizen_policy import CitizenPolicy
from ingest.citizen_words import RefusedReportError
from ingest.documents import Body, store_document
from layers.attachment_files import CleanFile

SOURCE_NAME = "citizen"
_QUERIES = load_queries(__file__)
_MAIL = re.compile(r"[^\s@<>\"(),:;\\\[\]]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")
_BATCH = 500


@dataclass(frozen=True)
class CitizenReport:
    """What a citizen tells.

    Attributes
    ----------
    kind : one of `CitizenPolicy.kinds`. place_text : quarter or description, "" when there is a position.
    lon, lat : degrees, JGD2011, None without a position; accuracy_m : radius, metres.
    happened_at, sent_at : aware. contact : mail address, "" for none.
    """

    kind: str
    text: str
    happened_at: datetime
    sent_at: datetime
    language: str
    place_text: str = ""
    lon: float | None = None
    lat: float | None = None
    accuracy_m: float | None = None
    contact: str = ""
    photos: tuple[CleanFile, ...] = ()


@dataclass(frozen=True)
class Sender:
    """Whence a report came, as keys (`citizen_forms.Keys`)."""

    network_key: str
    device_key: str
    text_key: str
    contact_key: str
    is_proven: bool


@dataclass(frozen=True)
class Taken:
    """What became of a report that was sent.

    Attributes
    ----------
    is_new : False when the same form was sent before; nothing was written then.
    has_photos_put_off : so many reports came that its photos were not taken; they can be added later.
    """

    is_new: bool
    has_photos_put_off: bool = False


def check_contact(address: str) -> str:
    """Return a mail address as it is kept, "" for none.

    Raises
    ------
    RefusedReportError : it is none.
    """
    trimmed = address.strip()
    if trimmed and (len(trimmed) > 254 or not _MAIL.fullmatch(trimmed)):
        raise RefusedReportError("contact")
    return trimmed


def take_report(
    connection: Connection, reference: str, report: CitizenReport, sender: Sender, policy: CitizenPolicy
) -> Taken:
    """Store a report and write the job that works on it, in the caller's transaction.

    When many come no job of its own is written: `ingest.take_up`, which takes up every minute what is stored and not
    worked on, does them one after the other. So receipts go first, and a storm holds one place of the workers, not all.

    Raises
    ------
    RefusedReportError : a limit or a block stands against its sender.
    """
    keys = {"network_key": sender.network_key, "device_key": sender.device_key}
    with sent_together(connection) as driver:
        driver.execute(_QUERIES.driver_sql("hold_senders"), keys)
        counts = _count(driver, sender, policy, reference)
    if counts.is_known:
        return Taken(is_new=False)
    _refuse_beyond(counts, sender, policy)
    values = {**keys, "text_key": sender.text_key, "contact_key": sender.contact_key, "is_proven": sender.is_proven}
    values |= {name: getattr(report, name) for name in ("kind", "language", "contact")}
    name, body = _document(reference, 1, "issue", report.sent_at, _content(report))
    values |= {"reference": reference, "source": SOURCE_NAME, "name": name}
    values |= {"sha256": body.sha256, "byte_size": body.byte_size, "body": body.content}
    with sent_together(connection) as driver:
        stored = _one(driver, "store_report", values)
    if stored is None:
        return Taken(is_new=False)
    is_storm = counts.last_minute >= policy.town_photos_per_minute
    if not is_storm:
        _store_photos(connection, stored.report_id, report.photos)
    if counts.last_minute < policy.town_jobs_per_minute:
        _write_job(connection, reference, stored.document_id)
    return Taken(is_new=True, has_photos_put_off=is_storm and bool(report.photos))


def is_stormy(connection: Connection, policy: CitizenPolicy) -> bool:
    """Whether so many reports came in the last minute that photos have to wait."""
    return bool(connection.execute(_QUERIES["town_last_minute"]).scalar_one() >= policy.town_photos_per_minute)


def add_to_report(
    connection: Connection,
    reference: str,
    text: str,
    photos: Sequence[CleanFile],
    sent_at: datetime,
    policy: CitizenPolicy,
) -> None:
    """Add words or photos to a report; both go the way of the report.

    Raises
    ------
    RefusedReportError : it was withdrawn, or has enough of them.
    """
    found = _hold(connection, reference)
    if found.parts > policy.additions or found.photos + len(photos) > policy.most_photos:
        raise RefusedReportError("additions")
    _store_photos(connection, found.id, photos)
    if text or photos:
        part = connection.execute(_QUERIES["count_part"], {"id": found.id}).scalar_one()
        content = {"kind": found.kind, "language": found.language, "text": text}
        _store_part(connection, reference, part, "correct", sent_at, content)


def withdraw_report(connection: Connection, reference: str, sent_at: datetime) -> None:
    """Take a report back: its incident is withdrawn, contact and photos go at once. Twice is no error."""
    found = _hold(connection, reference, may_be_withdrawn=True)
    if found.is_withdrawn:
        return
    part = connection.execute(_QUERIES["withdraw"], {"id": found.id}).scalar_one()
    published = connection.execute(_QUERIES["erase_withdrawn"], {"id": found.id}).scalars()
    _erase_attachments(connection, [attachment for attachment in published if attachment is not None])
    content = {"kind": found.kind, "language": found.language, "text": ""}
    _store_part(connection, reference, part, "withdraw", sent_at, content)


def stop_mails(connection: Connection, reference: str) -> bool:
    """Send no more answers and forget the address; False when there is no such report."""
    return connection.execute(_QUERIES["stop_mails"], {"reference": reference}).first() is not None


def forget_citizen_reports(connection: Connection, before: datetime) -> tuple[int, int]:
    """Erase contacts, photos (published ones too) and whence reports came, of those sent before a time.

    One batch per call; call again, in a new transaction, until nothing is left. The reports themselves follow the
    retention of their incidents.

    Returns
    -------
    How many reports, and how many photos, were erased.
    """
    row = connection.execute(_QUERIES["forget"], {"before": before, "most": _BATCH}).one()
    _erase_attachments(connection, row.attachments)
    return int(row.reports), int(row.photos)


def check_limits(connection: Connection, sender: Sender, policy: CitizenPolicy) -> None:
    """Refuse a sender who sends too much or is shut out; `take_report` asks again, one at a time.

    Raises
    ------
    RefusedReportError : see `take_report`.
    """
    with sent_together(connection) as driver:
        counts = _count(driver, sender, policy, "")
    _refuse_beyond(counts, sender, policy)


def _count(driver: psycopg.Connection[Any], sender: Sender, policy: CitizenPolicy, reference: str) -> Any:
    """Return what came of late: from the sender, in the town, and whether this very report did."""
    values = {name: getattr(sender, name) for name in ("network_key", "device_key", "contact_key", "text_key")}
    values |= {"repeat_hours": policy.repeat_hours, "reference": reference}
    return _one(driver, "counts", values)


def _one(driver: psycopg.Connection[Any], query: str, values: dict[str, Any]) -> Any:
    with driver.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(_QUERIES.driver_sql(query), values).fetchone()


def _refuse_beyond(counts: Any, sender: Sender, policy: CitizenPolicy) -> None:
    most = policy.network_per_hour if sender.is_proven else policy.network_per_hour_unproven
    if counts.is_blocked:
        raise RefusedReportError("blocked", is_for_now=True)
    if counts.is_repeated:
        raise RefusedReportError("repeated")
    if counts.network >= most or counts.device >= policy.device_per_hour:
        raise RefusedReportError("many", is_for_now=True)
    if counts.contact >= policy.contact_per_day:
        raise RefusedReportError("many_contact")


def _hold(connection: Connection, reference: str, may_be_withdrawn: bool = False) -> Any:
    found = connection.execute(_QUERIES["hold_report"], {"reference": reference}).first()
    if found is None or (found.is_withdrawn and not may_be_withdrawn):
        raise RefusedReportError("withdrawn")
    return found


def _store_photos(connection: Connection, report_id: int, photos: Sequence[CleanFile]) -> None:
    for photo in photos:
        names = ("media_type", "sha256", "width", "height", "body", "thumbnail")
        connection.execute(
            _QUERIES["store_photo"], {name: getattr(photo, name) for name in names} | {"report_id": report_id}
        )


def _content(report: CitizenReport) -> dict[str, Any]:
    names = ("kind", "text", "language", "place_text", "lon", "lat", "accuracy_m")
    return {name: getattr(report, name) for name in names} | {"happened_at": report.happened_at.isoformat()}


def _store_part(
    connection: Connection, reference: str, part: int, action: str, sent_at: datetime, content: dict[str, Any]
) -> None:
    """Store a document of the source and write the job that parses it."""
    name, body = _document(reference, part, action, sent_at, content)
    stored = store_document(connection, SOURCE_NAME, "push", name, body, is_private=True)
    _write_job(connection, reference, stored.id)


def _document(reference: str, part: int, action: str, sent_at: datetime, content: dict[str, Any]) -> tuple[str, Body]:
    """Return name and body of the document that a part of a report goes its way as."""
    said = {"reference": reference, "part": part, "action": action, "sent_at": sent_at.isoformat(), **content}
    body = orjson.dumps(said, option=orjson.OPT_INDENT_2)
    return f"{reference}:{part}", Body(body, hashlib.sha256(body).hexdigest(), len(body))


def _write_job(connection: Connection, reference: str, document_id: int) -> None:
    enqueue(connection, "ingest.take_citizen_report", lock=f"citizen:{reference}", document_id=document_id)


def _erase_attachments(connection: Connection, attachments: Sequence[int]) -> None:
    if attachments:
        connection.execute(_QUERIES["erase_attachments"], {"attachments": list(attachments)})
