"""Every body exactly as received, stored before anything looks at it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from gis.queries import load_queries

Origin = Literal["feed", "replay", "push", "drill"]

# What is kept of a body over the limit: enough to see what it was.
EVIDENCE_BYTES = 65_536

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class Body:
    """A received body, or its beginning when it was over the limit.

    Attributes
    ----------
    sha256, byte_size : of all that was read.
    """

    content: bytes
    sha256: str
    byte_size: int
    is_truncated: bool = False


@dataclass(frozen=True)
class Stored:
    """What storing a body found.

    Attributes
    ----------
    is_parsed : it was here before, and its parsing is done.
    reason : why that made it a dead letter, None if it did not.
    """

    id: int
    is_parsed: bool
    reason: str | None


@dataclass(frozen=True)
class Document:
    """A row of `ingest.document` that waits for its parser."""

    id: int
    source: str
    origin: Origin
    name: str
    body: bytes
    byte_size: int
    is_truncated: bool
    received_at: datetime
    last_seen_at: datetime


def read_body(chunks: Iterable[bytes], limit_bytes: int, reads_on: bool = True) -> Body:
    """Take a body in chunks without ever holding more than the limit.

    Parameters
    ----------
    limit_bytes : over this only the first `EVIDENCE_BYTES` are kept.
    reads_on : go through the rest for its hash and size (a file), or stop there (the network).
    """
    digest, content, byte_size = hashlib.sha256(), bytearray(), 0
    for chunk in chunks:
        digest.update(chunk)
        byte_size += len(chunk)
        if byte_size <= limit_bytes:
            content += chunk
        elif not reads_on:
            content = (content + chunk)[:EVIDENCE_BYTES]
            break
        elif len(content) > EVIDENCE_BYTES:
            del content[EVIDENCE_BYTES:]
        elif len(content) < EVIDENCE_BYTES:
            content += chunk[: EVIDENCE_BYTES - len(content)]
    return Body(bytes(content), digest.hexdigest(), byte_size, byte_size > limit_bytes)


def store_document(
    connection: Connection, source: str, origin: Origin, name: str, body: Body, is_private: bool = False
) -> Stored:
    """Store a body; the same one again only notes that it was seen. Role: service. Commit before parsing.

    Parameters
    ----------
    is_private : it speaks of persons; only moderators may look at it.
    """
    row = connection.execute(
        _QUERIES["store_document"],
        {
            "source": source,
            "origin": origin,
            "name": name,
            "sha256": body.sha256,
            "byte_size": body.byte_size,
            "body": body.content,
            "is_truncated": body.is_truncated,
            "is_private": is_private,
        },
    ).one()
    return Stored(*row)


def take_document(connection: Connection, document_id: int) -> Document | None:
    """Lock an unparsed document for this transaction; None when another worker has done it meanwhile."""
    row = connection.execute(_QUERIES["take_document"], {"id": document_id}).first()
    return Document(*row) if row else None


def finish_document(connection: Connection, document_id: int) -> None:
    """Note that a document is parsed."""
    connection.execute(_QUERIES["finish_document"], {"id": document_id})


def make_private(connection: Connection, document_id: int) -> None:
    """Note that a document speaks of persons: only moderators may look at it, and its body ends with its reports."""
    connection.execute(_QUERIES["make_private"], {"id": document_id})


def store_dead_letter(connection: Connection, document_id: int, reason: str, record: str = "") -> None:
    """Keep why a document (or one record of it) did not parse; the document itself stays."""
    connection.execute(_QUERIES["store_dead_letter"], {"id": document_id, "record": record, "reason": reason})


def forget_parsing(connection: Connection, document_id: int) -> bool:
    """Make a parsed document wait for its parser again; False when it is erased, unknown or waits anyway."""
    if connection.execute(_QUERIES["forget_parsing"], {"id": document_id}).first() is None:
        return False
    connection.execute(_QUERIES["forget_dead_letters"], {"id": document_id})
    return True


def unparsed_documents(connection: Connection, apart_from: Collection[int], most: int) -> list[int]:
    """Return the first of what a crash left between storing and parsing, citizens' reports after all others."""
    values = {"apart_from": list(apart_from), "most": most}
    return list(connection.execute(_QUERIES["unparsed_documents"], values).scalars())


def known_names(connection: Connection, source: str, names: Iterable[str]) -> set[str]:
    """Return those names that need no second fetch.

    A name whose body was unreadable is asked for again for an hour: the server may have answered
    with an error page in place of the telegram.
    """
    return set(connection.execute(_QUERIES["known_names"], {"source": source, "names": list(names)}).scalars())
