"""One mail as bytes to its subject, words and time (RFC 5322, MIME); attachments are left where they are."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from ingest.mail.charsets import decode
from ingest.mail.html import html_to_text
from ingest.reports import Unreadable

# Notices of police have a few thousand characters and a handful of parts.
_MOST_CHARACTERS = 50_000
_MOST_PARTS = 200
# A sender's clock may be wrong so much before the time at our own mail server is believed instead.
_CLOCK_TOLERANCE = timedelta(minutes=10)
# How a header stands in front of the words of a forwarded mail.
_MARK = "x-machimori-exercise"


@dataclass(frozen=True)
class Mail:
    """What matters of a mail.

    Attributes
    ----------
    senders : addresses of From, lower case. sent_at : aware. authentication : Authentication-Results, newest first.
    is_exercise : it was sent in by a drill of ours.
    """

    message_id: str
    subject: str
    text: str
    sent_at: datetime
    senders: tuple[str, ...]
    authentication: tuple[str, ...]
    is_exercise: bool = False


def read_mail(body: bytes) -> Mail:
    """Read a mail.

    Raises
    ------
    Unreadable : it has no date, no words, or is built to hurt.
    """
    try:
        message = email.message_from_bytes(body, policy=email.policy.compat32)
        text = _text_of(message)
    except (RecursionError, MessageError) as error:
        raise Unreadable(f"the mail's structure cannot be read: {type(error).__name__}") from error
    headers = _headers(message)
    if not text.strip() and not headers("subject"):
        raise Unreadable("the mail has no words")
    return Mail(
        message_id="".join(headers("message-id")[:1]).strip(),
        subject=re.sub(r"\s+", " ", decode_words("".join(headers("subject")[:1]))).strip(),
        text=text,
        sent_at=_sent_at(headers("date"), headers("received")),
        senders=tuple(address.lower() for _, address in getaddresses(headers("from")) if address),
        authentication=tuple(re.sub(r"\s+", " ", value).strip() for value in headers("authentication-results")),
        is_exercise=bool(headers(_MARK)),
    )


def mark_exercise(body: bytes) -> bytes:
    """Return a mail as part of a drill."""
    return b"X-Machimori-Exercise: yes\r\n" + body


def decode_words(header: str) -> str:
    """Decode encoded words (RFC 2047), also those that break a character in two, and raw bytes in any charset."""
    try:
        parts = decode_header(re.sub(r"\r?\n(?=[ \t])", "", header))
    except HeaderParseError:
        return header
    words = []
    for part, charset in parts:
        if isinstance(part, str):
            part = part.encode("utf-8", "surrogateescape")
        elif charset is None:
            # Between encoded words; the library speaks raw-unicode-escape there.
            part = part.decode("raw-unicode-escape").encode("utf-8", "surrogateescape")
        words.append(decode(part, charset))
    return "".join(words)


class _headers:
    """The raw values of a header by its name in lower case, topmost first."""

    def __init__(self, message: Message) -> None:
        self.items = [(name.lower(), str(value)) for name, value in message.raw_items()]

    def __call__(self, name: str) -> list[str]:
        return [value for key, value in self.items if key == name]


def _text_of(message: Message) -> str:
    """Join the words of all parts that are to be read; of alternatives take the plain one if it has words."""
    for count, _ in enumerate(message.walk(), 1):
        if count > _MOST_PARTS:
            raise Unreadable(f"the mail has more than {_MOST_PARTS} parts")
    text = _words(message)
    if len(text) > _MOST_CHARACTERS:
        raise Unreadable(f"the mail's text is longer than {_MOST_CHARACTERS} characters")
    return re.sub(r"\r\n?", "\n", text).replace("\0", "")


def _words(part: Message) -> str:
    children = part.get_payload()
    if part.is_multipart() and isinstance(children, list):
        inner = [child for child in children if isinstance(child, Message)]
        if part.get_content_type() == "multipart/alternative":
            return next(filter(str.strip, map(_words, sorted(inner, key=_is_html))), "")
        words = [_words(child) for child in inner]
        if part.get_content_type() == "message/rfc822":
            words = [_forwarded_subject(child) + said for child, said in zip(inner, words, strict=True)]
        return "\n\n".join(filter(str.strip, words))
    if part.get_content_disposition() == "attachment" or part.get_content_maintype() != "text":
        return ""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    text = decode(payload, part.get_content_charset())
    return html_to_text(text) if _is_html(part) else text


def _is_html(part: Message) -> bool:
    return part.get_content_type() == "text/html"


def _forwarded_subject(message: Message) -> str:
    subject = decode_words("".join(_headers(message)("subject")[:1])).strip()
    return f"{subject}\n" if subject else ""


def _sent_at(dates: list[str], received: list[str]) -> datetime:
    sent = next(filter(None, map(_date, dates)), None)
    arrived = next(filter(None, (_date(value.rpartition(";")[2]) for value in received)), None)
    if sent is None and arrived is None:
        raise Unreadable("the mail has no date")
    if sent is None or (arrived and sent > arrived + _CLOCK_TOLERANCE):
        sent = arrived
    assert sent is not None  # noqa: S101 - one of both is there
    return sent


def _date(value: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(value)
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
        found.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found
