"""What is pushed: whose signature it bears, stored before anything else, worked on, and answered twice alike.

The signature is HMAC-SHA-256 (RFC 2104, FIPS 180-4), in hexadecimal digits, over

    <timestamp> LF <path> LF <idempotency key> LF <body>

with the timestamp in seconds since 1970 (UTC) and the path `/ingest/<source>`: a body that was overheard cannot be
given to another source, under another key, or after five minutes.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam
from sqlalchemy.dialects.postgresql import JSONB

from gis.database import SERVICE, Database
from gis.errors import UsageError
from gis.jobs import enqueue
from gis.queries import load_queries
from gis.town import load_town
from ingest.documents import Body, store_document
from ingest.guarding import guard_report
from ingest.processing import process_document
from ingest.reports import Report, Unreadable
from ingest.source import Source

WINDOW_S = 300
KEPT_DAYS = 7
PER_MINUTE = 1200
_NOBODY = "nobody knows this secret, so that an unknown source costs the same time"

_QUERIES = load_queries(__file__)


class OtherBodyError(Exception):
    """The idempotency key was used for another body."""


@dataclass(frozen=True)
class Pushed:
    """A body that is stored.

    Attributes
    ----------
    status, answer : what was answered before, None when it was not worked on yet.
    """

    source: str
    key: str
    document_id: int
    status: int | None
    answer: Mapping[str, Any] | None


def sign(secret: str, timestamp: int, path: str, key: str, body: bytes) -> str:
    """Return the signature of a request.

    Examples
    --------
    >>> sign("secret", 1795000000, "/ingest/fire", "k1", b"{}")[:16]
    'f2547059ee440a96'
    """
    signed = f"{timestamp}\n{path}\n{key}\n".encode() + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def is_signed(secrets: Sequence[str], timestamp: int, path: str, key: str, body: bytes, signature: str) -> bool:
    """Whether one of the secrets made the signature; takes the same time whichever, and without any."""
    found = False
    for secret in secrets or (_NOBODY,):
        expected = sign(secret, timestamp, path, key, body)
        found |= hmac.compare_digest(expected.encode(), signature.lower().encode("utf-8", "replace")) and bool(secrets)
    return found


def check_push_options(name: str, options: Mapping[str, Any]) -> None:
    """Check what the sources file says about the door of a source: `secrets`, `addresses`, `per_minute`.

    Raises
    ------
    UsageError : an option is wrong.
    """
    secrets = options.get("secrets", [])
    if not isinstance(secrets, list) or len(secrets) > 2 or not all(_is_strong(secret) for secret in secrets):
        raise UsageError(
            f"Source {name}: secrets are not one or two texts of at least 32 characters.",
            f"Leave them out and run: ./machimori ingest secret {name}",
        )
    try:
        addresses = [ipaddress.ip_network(address) for address in options.get("addresses", [])]
    except (TypeError, ValueError) as error:
        raise UsageError(f"Source {name}: addresses: {error}.", 'Write addresses = ["192.0.2.0/24"].') from error
    per_minute = options.get("per_minute", PER_MINUTE)
    if isinstance(per_minute, bool) or not isinstance(per_minute, int) or per_minute < 1:
        raise UsageError(f"Source {name}: per_minute is no number from 1 on.", "Write e.g. per_minute = 1200.")
    if "addresses" in options and not addresses:
        raise UsageError(f"Source {name}: addresses is empty, so nobody may push.", "Leave it out, or name some.")


def is_allowed(source: Source, address: str) -> bool:
    """Whether a source may be pushed from an address (`addresses` in the sources file; everywhere when it has none)."""
    networks = source.options.get("addresses")
    if not networks:
        return True
    try:
        sender = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(sender in ipaddress.ip_network(network) for network in networks)


def store_pushed(connection: Connection, source: Source, key: str, body: Body, is_later: bool) -> Pushed:
    """Store a body under its idempotency key; the same one again finds what is there. Role: service. Commit at once.

    Parameters
    ----------
    is_later : a job shall work on it.

    Raises
    ------
    OtherBodyError : the key belongs to another body.
    """
    stored = store_document(connection, source.name, "push", f"push {key}", body, source.is_private)
    values = {"source": source.name, "key": key, "document_id": stored.id}
    connection.execute(_QUERIES["know_source"], values)
    connection.execute(_QUERIES["hold_key"], values)
    row = connection.execute(_QUERIES["held_key"], values).one()
    if row.document_id != stored.id:
        raise OtherBodyError(key)
    if is_later and not stored.is_parsed:
        enqueue(connection, "ingest.take_pushed", document_id=stored.id)
    return Pushed(source.name, key, stored.id, row.status, row.answer)


def work_on(database: Database, source: Source, pushed: Pushed, body: bytes) -> tuple[int, Mapping[str, Any]]:
    """Work on a stored body, unless that is done, and return status and answer; kept, so that it never changes."""
    if pushed.status is not None and pushed.answer is not None:
        return pushed.status, pushed.answer
    process_document(database, pushed.document_id)
    with database.begin(SERVICE) as connection:
        status, answer = _answer(connection, source, pushed, body)
        values = {"source": source.name, "key": pushed.key, "status": status, "answer": answer}
        statement = _QUERIES["keep_answer"].bindparams(bindparam("answer", type_=JSONB))
        row = connection.execute(statement, values).one()
        return row.status, row.answer


def forget_pushes(connection: Connection) -> int:
    """Forget the keys of more than a week ago; the documents stay. Role: service."""
    return connection.execute(_QUERIES["forget"], {"days": KEPT_DAYS}).rowcount


def _answer(connection: Connection, source: Source, pushed: Pushed, body: bytes) -> tuple[int, dict[str, Any]]:
    """Say what became of a document: a report that was known before counts like a new one."""
    rejected = [
        {"pointer": row.record, "reason": row.reason}
        for row in connection.execute(_QUERIES["rejections"], {"document_id": pushed.document_id})
    ]
    ids = connection.execute(_QUERIES["reports"], {"source": source.name, "source_ids": _source_ids(source, body)})
    reports = list(ids.scalars())
    answer: dict[str, Any] = {"document": pushed.document_id, "state": "processed", "reports": reports}
    if rejected:
        answer["rejected"] = rejected
    return (202 if reports or not rejected else 400), answer


def _source_ids(source: Source, body: bytes) -> list[str]:
    try:
        records = source.parse(body, load_town())
    except Unreadable:
        return []
    return [guard_report(source, record).source_id for record in records if isinstance(record, Report)]


def _is_strong(secret: Any) -> bool:
    return isinstance(secret, str) and len(secret) >= 32
