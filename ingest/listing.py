"""Feeds that list what is current: what is no longer on the list is over, and what is on it again is open again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection, RowMapping

from gis.queries import load_queries
from ingest.documents import Document, Stored, forget_parsing
from ingest.incidents import lock_event
from ingest.reports import Rejected, Report
from ingest.source import Source

_QUERIES = load_queries(__file__)
_LEAST = timedelta(microseconds=1)


def read_again(connection: Connection, source: Source, stored: Stored) -> Stored:
    """Let a list wait for its parser again that was read before the last one: closed, open, and closed once more."""
    if source.lists_all is None or not stored.is_parsed or stored.reason is not None:
        return stored
    values = {"source": source.name, "document": stored.id}
    if connection.execute(_QUERIES["is_last_list"], values).scalar() or not forget_parsing(connection, stored.id):
        return stored
    return replace(stored, is_parsed=False)


def follow_list(
    connection: Connection, source: Source, document: Document, rejected: Iterable[Rejected], reports: Sequence[Report]
) -> list[Report]:
    """Return the reports of a document, and with them what its list says by what is missing. Role: service.

    An incident of this source that is open and not listed gets a last report of ours (`facts.vanished`). Nothing is
    missing from a document that is no whole list (`Source.lists_all`), that holds a record of which nobody knows what
    it is about, or that was seen before one that is worked on already. What is back on the list is told anew, at the
    time when it was seen: its own time may be older than its end.
    """
    if source.lists_all is None:
        return list(reports)
    lock_event(connection, f"list:{source.name}")
    values = {"source": source.name, "document": document.id, "seen_at": document.last_seen_at}
    if connection.execute(_QUERIES["note_list"], values).first() is None:
        return list(reports)
    known = [record.event_key for record in rejected]
    listed = sorted({*(report.event_key for report in reports), *known})
    told = _tell_again(connection, source, document, reports, listed)
    if not all(known) or not source.lists_all(document.body):
        return told
    rows = connection.execute(_QUERIES["unlisted"], {"source": source.name, "listed": listed}).mappings()
    return [*told, *(_end(row, document) for row in rows)]


def _tell_again(
    connection: Connection, source: Source, document: Document, reports: Sequence[Report], listed: Sequence[str]
) -> list[Report]:
    rows = connection.execute(_QUERIES["ours"], {"source": source.name, "listed": listed}).mappings()
    ours = {row["event_key"]: row for row in rows}
    newest = {report.event_key: report for report in sorted(reports, key=lambda report: report.order)}
    told = [report for report in reports if report.event_key not in ours]
    for key, last in ours.items():
        report = newest.get(key)
        if report is None or last["source_id"].startswith(f"{report.source_id}@again:"):
            continue
        again = replace(
            report,
            source_id=f"{report.source_id}@again:{document.last_seen_at.isoformat()}",
            reported_at=max(document.last_seen_at, last["reported_at"] + _LEAST),
            facts={**report.facts, "vanished": False},
        )
        told.append(again)
    return told


def _end(last: RowMapping, document: Document) -> Report:
    seen_at = document.last_seen_at
    return Report(
        source_id=f"{last['event_key']}@gone:{seen_at.isoformat()}",
        telegram=last["telegram"],
        kind=last["kind"],
        status=last["status"],
        action="issue",
        event_key=last["event_key"],
        serial=None,
        reported_at=max(seen_at, last["reported_at"] + _LEAST),
        controlled_at=seen_at,
        office=last["office"],
        headline=last["headline"],
        text="",
        facts={"is_over": True, "vanished": True},
        concerns_town=True,
    )
