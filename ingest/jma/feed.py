"""Poll JMA's pull service (PULL型): four Atom feeds, telegrams fetched one by one.

The short feeds hold the last minutes, the long ones the last days; the long ones are asked for on the
first run and after a gap. A feed's validators are kept only when all its telegrams were stored, so that
what failed is found again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import requests

from gis.database import SERVICE, Database
from gis.settings import Settings
from gis.town import Town, load_town
from ingest.documents import finish_document, known_names, store_dead_letter, store_document
from ingest.jma.atom import Entry, parse_feed
from ingest.jma.kinds import KINDS, PREFECTURE_CODES
from ingest.processing import receive
from ingest.reports import Unreadable
from ingest.runs import record_failure, record_success, running_alone
from ingest.summary import RunSummary
from ingest.transport import Answer, TransportError, get

if TYPE_CHECKING:
    from ingest.source import Source

SHORT_FEEDS = ("eqvol.xml", "extra.xml")
LONG_FEEDS = ("eqvol_l.xml", "extra_l.xml")
_GAP = timedelta(minutes=10)
_FEED_DEADLINE_S = 30.0
_TELEGRAM_DEADLINE_S = 15.0
_USER_AGENT = "machimori"


def fetch_feeds(database: Database, settings: Settings, source: Source) -> RunSummary:
    """Poll once. Only one run at a time, on whatever machine; a second one returns at once, empty.

    A feed or telegram that cannot be had is a failure in the summary, and the others go on.
    """
    summary = RunSummary()
    if not settings.jma_feed_url:
        return summary
    with running_alone(database, source.name) as state:
        if state is None:
            return summary
        feeds = LONG_FEEDS if _was_away(state.last_success_at) else SHORT_FEEDS
        validators: dict[str, Any] = dict(state.validators)
        with requests.Session() as session:
            session.headers["User-Agent"] = _USER_AGENT
            for name in feeds:
                url = f"{settings.jma_feed_url}/{name}"
                _fetch_feed(database, settings, source, session, url, validators, summary)
        if summary.failures:
            record_failure(database, source.name, "; ".join(summary.failures), validators)
        else:
            record_success(database, source.name, validators)
    return summary


def _fetch_feed(
    database: Database,
    settings: Settings,
    source: Source,
    session: requests.Session,
    url: str,
    validators: dict[str, Any],
    summary: RunSummary,
) -> None:
    try:
        answer = get(session, url, settings.max_document_bytes, _FEED_DEADLINE_S, _validators_of(validators, url))
        entries, strays = _read_feed(database, source, url, answer)
    except (TransportError, Unreadable) as error:
        summary.failures.append(str(error))
        return
    failures_before = len(summary.failures)
    summary.failures += strays
    wanted = [entry for entry in entries if _may_concern(entry, load_town())]
    summary.skipped += len(entries) - len(wanted)
    with database.begin(SERVICE) as connection:
        known = known_names(connection, source.name, [entry.url for entry in wanted])
    for entry in wanted:
        if entry.url not in known:
            _fetch_telegram(database, settings, source, session, entry, summary)
    if len(summary.failures) == failures_before:
        validators[url] = answer.validators


def _fetch_telegram(
    database: Database,
    settings: Settings,
    source: Source,
    session: requests.Session,
    entry: Entry,
    summary: RunSummary,
) -> None:
    try:
        answer = get(session, entry.url, settings.max_document_bytes, _TELEGRAM_DEADLINE_S)
    except TransportError as error:
        summary.failures.append(str(error))
        return
    if answer.body is not None:
        receive(database, source, "feed", entry.url, answer.body, summary)


def _may_concern(entry: Entry, town: Town) -> bool:
    """Whether a telegram is worth fetching, by what the feed says of it.

    Some sixty offices write warnings, for their own prefecture each; the summary begins with its name. An entry
    without a summary is fetched.
    """
    code = KINDS.get(entry.title)
    is_elsewhere = code in PREFECTURE_CODES and entry.summary and town.prefecture_ja not in entry.summary
    return code is not None and not is_elsewhere


def _read_feed(database: Database, source: Source, url: str, answer: Answer) -> tuple[list[Entry], list[str]]:
    """Return the feed's entries and what is wrong with others; a body that is no feed is kept as a dead letter."""
    if answer.body is None:
        return [], []
    try:
        if answer.body.is_truncated:
            raise Unreadable(f"{url}: the feed is over the limit of size")
        return parse_feed(answer.body.content, url)
    except Unreadable as error:
        with database.begin(SERVICE, account=f"source:{source.name}") as connection:
            stored = store_document(connection, source.name, "feed", url, answer.body)
            finish_document(connection, stored.id)
            store_dead_letter(connection, stored.id, str(error))
        raise Unreadable(f"{url}: {error}") from error


def _validators_of(validators: Mapping[str, Any], url: str) -> dict[str, str]:
    return {str(name): str(value) for name, value in validators.get(url, {}).items()}


def _was_away(last_success_at: datetime | None) -> bool:
    return last_success_at is None or datetime.now(last_success_at.tzinfo) - last_success_at > _GAP
