"""From a stored document to reports, incidents and the jobs that follow, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

import structlog
from sqlalchemy import Connection

from gis.database import SERVICE, Database
from gis.town import load_town
from ingest.bulk import Loaded, load_new
from ingest.documents import (
    Body,
    Document,
    Origin,
    finish_document,
    forget_parsing,
    make_private,
    store_dead_letter,
    store_document,
    take_document,
    unparsed_documents,
)
from ingest.gazetteer import load_gazetteer
from ingest.guarding import guard_report, speaks_of_persons
from ingest.incidents import fold_event, lock_event
from ingest.listing import follow_list, read_again
from ingest.placing import find_place, place_report
from ingest.reports import Rejected, Report, Unreadable, store_reports
from ingest.seeking import adopt_withdrawal, followed_event, seek_event, seek_follow_up
from ingest.source import Source, find_source
from ingest.summary import RunSummary
from ingest.veil import log_veiled, place_of, veiled

# What comes in later than this, or says that it was written in the future, sends nothing by itself.
_STALE_AFTER = timedelta(minutes=60)
_CLOCK_TOLERANCE = timedelta(minutes=10)

# From so many records on, what tells of the past is loaded set by set.
BULK_FROM = 200
# After so many documents that were left it is looked again what has been left meanwhile.
_AT_ONCE = 20

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of a document: changed reports, touched incidents, or the reason why it is a dead letter.

    Attributes
    ----------
    elsewhere : of the changed, those that say nothing about this town.
    rejected : records that did not parse, while others did.
    """

    changed: int = 0
    elsewhere: int = 0
    rejected: int = 0
    incidents: frozenset[int] = frozenset()
    reason: str | None = None


def receive(database: Database, source: Source, origin: Origin, name: str, body: Body, summary: RunSummary) -> None:
    """Store a body raw (committed), then work on it unless that is done already; count it in `summary`."""
    with veiled(source), database.begin(SERVICE, account=_account(source)) as connection:
        stored = store_document(connection, source.name, origin, name, body, source.is_private)
        stored = read_again(connection, source, stored)
    summary.documents += 1
    if stored.is_parsed:
        _count(summary, name, Outcome(reason=stored.reason))
        return
    summary.new += 1
    _count(summary, name, process_document(database, stored.id))


def process_unparsed(
    database: Database,
    summary: RunSummary,
    rest: Callable[[], None] = lambda: None,
    is_time_up: Callable[[], bool] = lambda: False,
) -> bool:
    """Take up what a crash or a storm left between storing and parsing; return whether the time was up before all.

    A document that fails by a bug stays unparsed and does not keep the others back; the bug is raised at the end.
    What was left meanwhile is looked for after every few: a telegram does not wait behind a storm of reports.

    Parameters
    ----------
    rest : called after each document; may wait, to leave the machine to others.
    is_time_up : asked before each document but the first: then nothing more is begun.
    """
    bugs: dict[int, Exception] = {}
    begun, is_up = 0, False
    while not is_up and (waiting := _some_unparsed(database, bugs)):
        for document_id in waiting:
            is_up = begun > 0 and is_time_up()
            if is_up:
                break
            begun += 1
            try:
                outcome = process_document(database, document_id)
            except Exception as bug:
                bugs[document_id] = bug
            else:
                summary.documents += 1
                summary.new += 1
                _count(summary, f"document {document_id}", outcome)
            rest()
    if bugs:
        raise ExceptionGroup(f"{len(bugs)} of {begun} stored documents could not be worked on", [*bugs.values()])
    return is_up


def _some_unparsed(database: Database, apart_from: Collection[int]) -> list[int]:
    with database.begin(SERVICE) as connection:
        return unparsed_documents(connection, apart_from, _AT_ONCE)


def retry_document(database: Database, document_id: int) -> Outcome:
    """Parse a document once more; what it said that is known already changes nothing.

    Its dead letters go, and come back if the fault is still there. Should the process die in between, the document
    waits like any other that was stored and not parsed.
    """
    with database.begin(SERVICE) as connection:
        forget_parsing(connection, document_id)
    return process_document(database, document_id)


def process_document(database: Database, document_id: int) -> Outcome:
    """Parse one stored document and write all that follows from it; nothing when another worker did it meanwhile."""
    with database.begin(SERVICE) as connection:
        document = take_document(connection, document_id)
        if document is None:
            return Outcome()
        source = find_source(document.source)
        connection.exec_driver_sql(
            "SELECT set_config('machimori.account', %s, true), set_config('machimori.reason', %s, true)",
            # Every department reads why something changed, and the name of a mail may be its subject.
            (_account(source), f"document {document_id}" if source.is_private else document.name),
        )
        finish_document(connection, document_id)
        with veiled(source):
            return _work_on(connection, source, document)


def _work_on(connection: Connection, source: Source, document: Document) -> Outcome:
    """Parse a document that is taken, and write what follows."""
    try:
        records = _parse(source, document)
    except Unreadable as error:
        store_dead_letter(connection, document.id, str(error))
        return Outcome(reason=str(error))
    rejected = [record for record in records if isinstance(record, Rejected)]
    for record in rejected:
        store_dead_letter(connection, document.id, record.reason, record.record)
    said = [record for record in records if isinstance(record, Report)]
    if not source.is_private and any(speaks_of_persons(source, kind) for kind in {report.kind for report in said}):
        make_private(connection, document.id)
    finish = _finisher(connection, source, document, said)
    loaded = Loaded(0, 0, frozenset(), said)
    if source.is_past:
        # One lock for all: a table has more events than PostgreSQL has room for locks.
        lock_event(connection, f"source:{source.name}")
        if len(said) >= BULK_FROM and source.lists_all is None:
            loaded = load_new(connection, source, document.id, said, finish)
    reports = [_find_event(connection, source, finish(report)) for report in loaded.left]
    told = follow_list(connection, source, document, rejected, reports)
    return replace(_store(connection, source, document, told, loaded), rejected=len(rejected))


def _store(
    connection: Connection, source: Source, document: Document, reports: Sequence[Report], loaded: Loaded
) -> Outcome:
    """Write reports, besides those that were loaded already, and what follows from them."""
    if not source.is_past:
        for event_key in sorted({report.event_key for report in reports}):
            lock_event(connection, event_key)
    changed = store_reports(connection, source.name, document.id, reports, source.is_past)
    if source.seeks_events:
        for report in changed:
            if report.action == "issue":
                adopt_withdrawal(connection, source.name, report)
    fids = {
        fold_event(connection, source, report, not source.is_past and _is_fresh(document.origin, report.reported_at))
        for report in changed
    }
    return Outcome(
        changed=loaded.reports + len(changed),
        elsewhere=loaded.elsewhere + sum(not report.concerns_town for report in changed),
        incidents=loaded.incidents | {fid for fid in fids if fid is not None},
    )


def _finisher(
    connection: Connection, source: Source, document: Document, said: Sequence[Report]
) -> Callable[[Report], Report]:
    """Return what makes of a parsed report one that may be stored: it names nobody in public, and has its place."""
    find = None
    if any(report.private.place_text for report in said):
        gazetteer, town = load_gazetteer(connection), load_town()
        find = cache(lambda words: find_place(words, gazetteer, town))  # a table names the same quarters over and over

    def finish(report: Report) -> Report:
        guarded = guard_report(source, report)
        if not source.trusts_clock:
            guarded = _not_after(guarded, document.received_at)
        return place_report(guarded, find) if find else guarded

    return finish


def _find_event(connection: Connection, source: Source, report: Report) -> Report:
    """Give a report that speaks of an event without naming it the key of that event, if there is one."""
    key = followed_event(connection, source.name, report) if report.follows else None
    if key is None and report.seeks_event:
        key = seek_event(connection, source.name, report)
    elif key is None and source.seeks_events and report.action == "issue":
        key = seek_follow_up(connection, source.name, report)
    return replace(report, event_key=key) if key else report


def _parse(source: Source, document: Document) -> Sequence[Report | Rejected]:
    if document.is_truncated:
        raise Unreadable(f"the document is over the limit: {document.byte_size} bytes were sent; its start is kept")
    try:
        records = source.parse(document.body, load_town())
    except Unreadable:
        raise
    except Exception as bug:
        # Input from outside must not stop the rest, not even when it finds a hole in the parser.
        if source.is_private:
            log_veiled("parser failed", source, bug, document=document.id)
            raise Unreadable(f"the parser of {source.name} failed: {place_of(bug)}") from None
        _log.exception("parser failed", source=source.name, document=document.id)
        raise Unreadable(f"the parser of {source.name} failed: {type(bug).__name__}: {bug}") from bug
    if document.origin == "drill" and any(
        isinstance(record, Report) and record.status == "Actual" for record in records
    ):
        raise Unreadable("a drill document holds a report that says it is real (通常)")
    return records


def _not_after(report: Report, received_at: datetime) -> Report:
    """Bring a report of a clock that is ahead back to when it came: later words must still come after it."""
    return replace(report, reported_at=min(report.reported_at, received_at))


def _is_fresh(origin: Origin, reported_at: datetime) -> bool:
    if origin in ("replay", "drill"):
        return True
    age = datetime.now(reported_at.tzinfo) - reported_at
    return -_CLOCK_TOLERANCE <= age <= _STALE_AFTER


def _account(source: Source) -> str:
    return f"source:{source.name}"


def _count(summary: RunSummary, name: str, outcome: Outcome) -> None:
    summary.changed += outcome.changed
    summary.elsewhere += outcome.elsewhere
    summary.rejected += outcome.rejected
    summary.incidents |= outcome.incidents
    if outcome.reason is not None:
        summary.dead_letters.append((name, outcome.reason))
