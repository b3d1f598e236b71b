"""Telling other systems: one call per alert and receiver, written down first, then made, then recorded."""

from __future__ import annotations

from collections import Counter

import orjson
from sqlalchemy import Connection, Row

from alerts import outbox
from alerts.channels import TransportError, webhook
from gis.database import SERVICE, Database
from gis.queries import load_queries
from gis.settings import Settings

_QUERIES = load_queries(__file__)
_MOST_AT_ONCE = 50


def write_calls(connection: Connection) -> int:
    """Write the calls that are to be made for alerts that went out since; return how many."""
    return connection.execute(_QUERIES["write_calls"]).rowcount


def make_calls(database: Database, settings: Settings) -> Counter[str]:
    """Make the calls that are due; return how many ended in each state. Safe to run twice at once.

    What was cancelled or has ended by the moment of its call is not told.
    """
    counts: Counter[str] = Counter()
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
    links = {
        "cap": f"{settings.base_url}/alerts/{call._mapping['alert_id']}.cap",
        "l_alert": f"{settings.base_url}/alerts/{call._mapping['alert_id']}/l-alert.xml",
        "page": f"{settings.base_url}/alerts/{call._mapping['alert_id']}",
    }
    return orjson.dumps({**content, **times, **links, "headlines": call._mapping["headlines"]})


def _make_call(connection: Connection, call: Row[tuple[object, ...]], settings: Settings) -> str:
    row, retry_s = call._mapping, 0.0
    try:
        state, reply = (
            "accepted",
            webhook.notify(row["url"], row["secret"], write_message(call, settings), row["identifier"]),
        )
    except TransportError as error:
        state, reply = "failed" if error.permanent else "pending", error.reply
        retry_s = outbox.retry_in_s(row["attempts"] + 1)
    values = {"id": row["id"], "state": state, "reply": reply, "retry_s": retry_s}
    connection.execute(_QUERIES["record_call"], values)
    return state
