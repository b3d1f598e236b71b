"""Ask a source's URL for what is new: a document, or a feed (Atom, RSS) that leads to documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import requests
from lxml import etree

from gis.database import SERVICE, Database
from gis.settings import Settings
from ingest.documents import known_names
from ingest.jma.xml import find_all, parse_xml, text_of
from ingest.processing import receive
from ingest.reports import Unreadable
from ingest.runs import record_failure, record_success, running_alone
from ingest.summary import RunSummary
from ingest.transport import TransportError, get

if TYPE_CHECKING:
    from ingest.source import Source

_DEADLINE_S = 30.0
_ATOM = "{http://www.w3.org/2005/Atom}feed"
# What a feed may lead to in one run; the rest follows in the next.
_MOST_DOCUMENTS = 500


@dataclass(frozen=True)
class _Run:
    database: Database
    settings: Settings
    source: Source
    session: requests.Session
    summary: RunSummary


def poll_document(database: Database, settings: Settings, source: Source) -> RunSummary:
    """Poll `source.options["url"]` once for a document that is itself what is wanted (see `poll_feed`)."""
    return _poll_once(database, settings, source, is_index=False)


def poll_feed(database: Database, settings: Settings, source: Source) -> RunSummary:
    """Poll `source.options["url"]` once, and what it leads to when it is a feed.

    Only one run at a time; a second one returns at once, empty. What cannot be had is a failure in the summary, and the
    rest goes on. A feed's validators are kept only when all that it leads to was stored, so that what failed is found
    again.
    """
    return _poll_once(database, settings, source, is_index=True)


def _poll_once(database: Database, settings: Settings, source: Source, *, is_index: bool) -> RunSummary:
    summary, url = RunSummary(), str(source.options["url"])
    with running_alone(database, source.name) as state:
        if state is None:
            return summary
        validators: dict[str, Any] = dict(state.validators)
        with requests.Session() as session:
            session.headers["User-Agent"] = "machimori"
            _poll(_Run(database, settings, source, session, summary), url, validators, is_index)
        if summary.failures:
            record_failure(database, source.name, "; ".join(summary.failures), validators)
        else:
            record_success(database, source.name, validators)
    return summary


def _poll(run: _Run, url: str, validators: dict[str, Any], is_index: bool) -> None:
    try:
        answer = get(run.session, url, run.settings.max_document_bytes, _DEADLINE_S, _validators_of(validators, url))
    except TransportError as error:
        run.summary.failures.append(str(error))
        return
    if answer.body is None:
        return
    try:
        links = feed_links(answer.body.content, url) if is_index and not answer.body.is_truncated else None
    except Unreadable as error:
        run.summary.failures.append(f"{url}: {error}")
        return
    if links is None:
        receive(run.database, run.source, "feed", url, answer.body, run.summary)
    else:
        _follow(run, url, links)
    if not run.summary.failures:
        validators[url] = answer.validators


def _follow(run: _Run, url: str, links: list[str]) -> None:
    hosts = {urlsplit(url).netloc, *map(str, run.source.options.get("hosts", ()))}
    with run.database.begin(SERVICE) as connection:
        known = known_names(connection, run.source.name, links)
    new = [link for link in links if link not in known]
    if len(new) > _MOST_DOCUMENTS:
        run.summary.failures.append(f"{url}: {len(new)} new documents; {_MOST_DOCUMENTS} are fetched now")
    for link in new[:_MOST_DOCUMENTS]:
        if urlsplit(link).scheme not in ("http", "https") or urlsplit(link).netloc not in hosts:
            run.summary.failures.append(f"{url}: an entry points to another host: {link}")
            continue
        try:
            answer = get(run.session, link, run.settings.max_document_bytes, _DEADLINE_S)
        except TransportError as error:
            run.summary.failures.append(str(error))
            continue
        if answer.body is not None:
            receive(run.database, run.source, "feed", link, answer.body, run.summary)


def feed_links(body: bytes, url: str) -> list[str] | None:
    """Return what a feed leads to, oldest last as written; None when the document is itself what is wanted.

    Raises
    ------
    Unreadable : no XML (an HTML error page with status 200, say), or a DTD.
    """
    root = parse_xml(body)
    if root.tag == _ATOM:
        return [urljoin(url, link) for entry in find_all(root, "entry") if (link := _atom_link(entry))]
    if etree.QName(root).localname in ("rss", "RDF"):
        items = [*find_all(root, "channel/item"), *find_all(root, "item")]
        return [urljoin(url, link) for item in items if (link := text_of(item, "link"))]
    return None


def _atom_link(entry: etree._Element) -> str:
    """Prefer the link that says that it is CAP, else the first that is no page for people."""
    links = find_all(entry, "link")
    for link in links:
        if "cap" in (link.get("type") or ""):
            return str(link.get("href") or "")
    for link in links:
        if link.get("rel") in (None, "alternate", "enclosure") and link.get("type") != "text/html":
            return str(link.get("href") or "")
    return text_of(entry, "id")


def _validators_of(validators: Mapping[str, Any], url: str) -> dict[str, str]:
    return {str(name): str(value) for name, value in validators.get(url, {}).items()}
