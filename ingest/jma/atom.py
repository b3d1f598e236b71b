"""JMA's Atom feeds: which telegrams there are (RFC 4287)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from lxml import etree

from ingest.jma.xml import find, find_all, need, need_time, parse_xml, text_of
from ingest.reports import Unreadable

NAMESPACE = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True)
class Entry:
    """One telegram in a feed; `title` is its Control/Title, `url` where it is kept, `summary` the headline."""

    title: str
    url: str
    updated_at: datetime
    summary: str = ""


def parse_feed(body: bytes, feed_url: str) -> tuple[list[Entry], list[str]]:
    """Return the entries, oldest first, and what is wrong with those that are left out.

    An entry that is not complete is left out, and one that points to another host, where we do not go.

    Raises
    ------
    Unreadable : not an Atom feed (an HTML error page with status 200, say).
    """
    root = parse_xml(body)
    if root.tag != f"{{{NAMESPACE}}}feed":
        raise Unreadable(f"the document is no Atom feed: its root is {etree.QName(root).localname}")
    entries: list[Entry] = []
    problems: list[str] = []
    for element in find_all(root, "entry"):
        try:
            entries.append(_entry(element, feed_url))
        except Unreadable as problem:
            problems.append(f"{feed_url}: {problem}")
    return sorted(entries, key=lambda entry: entry.updated_at), problems


def _entry(element: etree._Element, feed_url: str) -> Entry:
    link = find(element, "link")
    target = link.get("href") if link is not None else None
    url = urljoin(feed_url, target or need(element, "id"))
    if urlsplit(url)[:2] != urlsplit(feed_url)[:2]:
        raise Unreadable(f"an entry points to another host: {url}")
    return Entry(need(element, "title"), url, need_time(element, "updated"), text_of(element, "content"))
