"""Read JMA's XML without trusting it: no DTD, no entities, no network, and a missing field is named by its path."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from lxml import etree

from ingest.reports import Unreadable

JST = timezone(timedelta(hours=9), "JST")
_DECLARED = re.compile(rb"""\s*<\?xml[^>]{0,200}encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})""")


def parse_xml(body: bytes) -> etree._Element:
    """Return the root element.

    Raises
    ------
    Unreadable : no XML, in another encoding than it says, or it carries a DTD. JMA's telegrams and feeds have none, so
        one is an attack (entity bomb, external entity), whatever it declares.
    """
    if not body.strip():
        raise Unreadable("the document is empty")
    if b"\x00" in body:
        raise Unreadable("the document is not UTF-8 XML: it holds NUL bytes")
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise Unreadable("the document carries a DTD (DOCTYPE or ENTITY), which this source never sends")
    declared = _DECLARED.match(body)
    if declared and _is_utf8_in_disguise(declared[1].decode(), body):
        raise Unreadable(f"the document says that it is {declared[1].decode()}, but it is UTF-8")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable(f"the document is not XML: {error}") from error


def _is_utf8_in_disguise(declared: str, body: bytes) -> bool:
    """Whether a body says another encoding than it has: it would be read without a fault, as words nobody wrote."""
    if declared.upper() in ("UTF-8", "UTF8") or body.isascii():
        return False
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def find(element: etree._Element, path: str) -> etree._Element | None:
    """Return the first descendant at `path` (names separated by `/`), in whatever namespace, or None."""
    return element.find("/".join(f"{{*}}{step}" for step in path.split("/")))


def find_all(element: etree._Element, path: str) -> list[etree._Element]:
    """Return all descendants at `path`, in whatever namespace."""
    return list(element.iterfind("/".join(f"{{*}}{step}" for step in path.split("/"))))


def text_of(element: etree._Element, path: str) -> str:
    """Return the text at `path` without surrounding blanks; "" when the element is missing or empty."""
    found = find(element, path)
    return "" if found is None else (found.text or "").strip()


def need(element: etree._Element, path: str) -> str:
    """Return the text at `path`.

    Raises
    ------
    Unreadable : the element is missing or empty; the reason names its full path.
    """
    value = text_of(element, path)
    if not value:
        raise Unreadable(f"{path_of(element)}/{path} is missing or empty")
    return value


def need_element(element: etree._Element, path: str) -> etree._Element:
    """Return the element at `path`, or raise `Unreadable` with its full path."""
    found = find(element, path)
    if found is None:
        raise Unreadable(f"{path_of(element)}/{path} is missing")
    return found


def path_of(element: etree._Element) -> str:
    """Return where an element stands, as local names from the root: `Report/Head`."""
    steps = [element, *element.iterancestors()]
    return "/".join(etree.QName(step).localname for step in reversed(steps))


def parse_time(value: str, element: etree._Element, path: str) -> datetime:
    """Return an ISO 8601 time, read at `path` below `element`, as an aware time in Japan.

    Raises
    ------
    Unreadable : not a time, or one without an offset.
    """
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise Unreadable(f"{path_of(element)}/{path}: {value!r} is no time") from error
    if moment.tzinfo is None:
        raise Unreadable(f"{path_of(element)}/{path}: {value!r} has no offset from UTC")
    return moment.astimezone(JST)


def time_of(element: etree._Element, path: str) -> datetime | None:
    """Return the time at `path`, None when the element is missing or empty."""
    value = text_of(element, path)
    return parse_time(value, element, path) if value else None


def need_time(element: etree._Element, path: str) -> datetime:
    """Return the time at `path`, or raise `Unreadable` with its full path."""
    return parse_time(need(element, path), element, path)
