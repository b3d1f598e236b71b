"""What came back, put to work: a delivery that bounced after all, an address given up, a person who wants no more."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection

from alerts.limits import load_limits
from alerts.return_path import ReturnAddresses
from alerts.returns import Return, read_return
from gis.queries import load_queries

_QUERIES = load_queries(__file__)


def suspend_refusers(connection: Connection) -> int:
    """Suspend the addresses that refused enough alerts in a row for good; return how many."""
    parameters = {"hard_refusals": load_limits().hard_refusals}
    return connection.execute(_QUERIES["suspend_refusers"], parameters).rowcount


def take_return(connection: Connection, raw: bytes, addresses: ReturnAddresses, domain: str) -> str:
    """Do what one message of the bounce mailbox asks for; return what it was. Twice is as once.

    A report counts only with the delivery's own marked address in it, or when it names that delivery's Message-ID and
    its address: somebody who guesses numbers can silence nobody. What is not understood is kept for people.
    """
    answer = read_return(raw, addresses, domain)
    if answer.what == "notice":
        return "notice"
    reason = _apply(connection, answer)
    if not reason:
        return answer.what
    values = {
        "sha256": hashlib.sha256(raw).hexdigest(),
        "reason": reason,
        "head": raw[:2000].decode("utf-8", "replace"),
    }
    connection.execute(_QUERIES["keep_unread"], {**values, "head": values["head"].replace("\0", "")})
    return "unknown"


def _apply(connection: Connection, answer: Return) -> str:
    """Apply an answer; return why it could not be, or ""."""
    if answer.what == "unknown":
        return "not understood"
    if answer.delivery_id is None:
        return "names no delivery"
    row = connection.execute(_QUERIES["find_delivery"], {"delivery_id": answer.delivery_id}).first()
    if row is None:
        return "names a delivery that there is not"
    if not answer.is_genuine and answer.address != row.address.lower():
        return "names a delivery of another address"
    kind = answer.kind if answer.what == "bounce" else answer.what
    connection.execute(
        _QUERIES["note_bounce"],
        {
            "delivery_id": row.id,
            "subscriber_id": row.subscriber_id,
            "kind": kind if kind in ("hard", "policy", "complaint", "unsubscribe") else "soft",
            "status": answer.status,
            "words": answer.words,
        },
    )
    if answer.what == "bounce":
        words = {"delivery_id": row.id, "reporter": answer.reporter, "words": answer.words}
        connection.execute(_QUERIES["mark_bounced"], words)
        suspend_refusers(connection)
    else:
        connection.execute(_QUERIES["end_subscription"], {"subscriber_id": row.subscriber_id})
    return ""
