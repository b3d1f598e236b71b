"""Telling other systems of every message: JSON with links to its documents, signed, once for each receiver.

One call per alert and receiver is written down first, then made, then recorded; the key against doubles is the same
in every repetition.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter

import orjson
import requests
from sqlalchemy import Connection, Row

from alerts import outbox
from alerts.channels import TransportError
from alerts.channels.outgoing import Outlet, publications
from gis.database import SERVICE, Database
from gis.queries import load_queries
from gis.settings import Settings

_QUERIES = load_queries(__file__)
_MOST_AT_ONCE = 50
_TIMEOUT_S = 15
_MOST_REPLY = 300


def tell(database: Database, settings: Settings) -> Counter[str]:
    """Make the calls that are due; return how many ended in each state. Safe to run twice at once.

    What was cancelled or has ended by the moment of its call is not told.
    """
    counts: Counter[str] = Counter()
    with database.begin(SERVICE) as connection:
        connection.execute(_QUERIES["write_calls"])
    for _ in range(_MOST_AT_ONCE):
        with database.begin(SERVICE) as connection:
            connection.execute(_QUERIES["drop_overtaken"])
            # The row stays locked during the call, so no other worker makes it, and a worker that dies lets it go.
            call = connection.execute(_QUERIES["next_call"]).first()
            if call is None:
                break
            counts[_make_call(connection, call, settings)] += 1
    return counts


def write_message(call: Row[tuple[object, ...]], settings: Settings) -> bytes:
    """Return what a receiver is told, as JSON."""
    fields = ("identifier", "cap_status", "msg_type", "phase", "level", "kind", "event", "area_name", "area_code")
    content = {name: call._mapping[name] for name in fields}
    times = {name: call._mapping[name].isoformat() for name in ("sent_at", "expires_at")}
    address = f"{settings.base_url}/alerts/{call._mapping['alert_id']}"
    links = {found.name.replace("-", "_"): f"{address}{found.suffix}" for found in publications()}
    headlines = call._mapping["headlines"]
    return orjson.dumps({**content, **times, **links, "page": address, "headlines": headlines})


def notify(url: str, secret: str, message: bytes, key: str) -> str:
    """POST one message (JSON); return the other side's status line.

    The header `X-Machimori-Signature: sha256=<hex>` is the HMAC-SHA-256 of the body under the receiver's own secret;
    `Idempotency-Key` is the same in every repetition, so the receiver can drop what it has already. Redirects are not
    followed: what is signed for one address goes to no other.

    Raises
    ------
    TransportError : no connection, or an answer that is not 2xx; permanent for 4xx except 408, 425 and 429.
    """
    signature = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": key,
        "X-Machimori-Signature": f"sha256={signature}",
    }
    try:
        reply = requests.post(url, data=message, headers=headers, timeout=_TIMEOUT_S, allow_redirects=False)
    except requests.RequestException as error:
        raise TransportError(str(error)[:_MOST_REPLY]) from error
    words = f"{reply.status_code} {reply.reason}"[:_MOST_REPLY]
    if not 200 <= reply.status_code < 300:
        is_permanent = 300 <= reply.status_code < 500 and reply.status_code not in (408, 425, 429)
        raise TransportError(words, permanent=is_permanent)
    return words


def count(connection: Connection, alert_id: int) -> int:
    """Return how many systems take an alert; a drill only those that take drills."""
    return int(connection.execute(_QUERIES["count"], {"alert_id": alert_id}).scalar_one())


def _make_call(connection: Connection, call: Row[tuple[object, ...]], settings: Settings) -> str:
    row, retry_s = call._mapping, 0.0
    try:
        state, reply = (
            "accepted",
            notify(row["url"], row["secret"], write_message(call, settings), row["identifier"]),
        )
    except TransportError as error:
        state, reply = "failed" if error.permanent else "pending", error.reply
        retry_s = outbox.retry_in_s(row["attempts"] + 1)
    values = {"id": row["id"], "state": state, "reply": reply, "retry_s": retry_s}
    connection.execute(_QUERIES["record_call"], values)
    return state


CHANNEL = Outlet(
    name="webhook",
    titles={
        "ja": "他システム（webhook）",
        "ja-x-easy": "ほかの システム（webhook）",
        "en": "other systems (webhook)",
    },
    tell=tell,
    count=count,
)
