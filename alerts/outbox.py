"""The delivery table as an outbox: claim batches, defer, close, expire, and find what was left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from alerts.letter import Recipient
from alerts.texts import AlertText
from gis.queries import load_queries

_QUERIES = load_queries(__file__)
BATCH_SIZE = 50
# What a dead worker held is free again after the lease. A living one hands messages over for SENDING_S at most and
# releases the rest, so that even a relay that lets every command of the last message time out ends within the lease.
LEASE_S = 300
SENDING_S = 60
_FIRST_RETRY_S = 30
_LONGEST_RETRY_S = 900


@dataclass(frozen=True)
class Claimed:
    """One leased delivery."""

    alert_id: int
    language: str
    attempts: int
    recipient: Recipient


def retry_in_s(attempts: int) -> float:
    """Return how long a message waits after its n-th failed attempt, in seconds: 30, 60, 120 … 900."""
    return min(_LONGEST_RETRY_S, _FIRST_RETRY_S * 2.0 ** min(attempts - 1, 20))


def thread_alerts(connection: Connection, alert_id: int) -> list[int]:
    """Return the ids of all approved alerts of this one's thread, oldest first."""
    return list(connection.execute(_QUERIES["thread_alerts"], {"alert_id": alert_id}).scalars())


def claim(connection: Connection, alert_id: int, older_ids: Sequence[int]) -> list[Claimed]:
    """Lease up to `BATCH_SIZE` due deliveries of one alert for `LEASE_S`; other workers skip them.

    Parameters
    ----------
    older_ids : the alerts of the thread before this one; a person still to get one of them waits.
    """
    parameters = {"alert_id": alert_id, "older_ids": list(older_ids), "batch_size": BATCH_SIZE, "lease_s": LEASE_S}
    return [_claimed(row) for row in connection.execute(_QUERIES["claim"], parameters)]


def _claimed(row: Row[Any]) -> Claimed:
    earlier = [(alert_id, delivery_id) for alert_id, delivery_id in row.earlier]
    recipient = Recipient(row.id, row.address, row.token, row.place_names, row.nearest_sites, earlier)
    return Claimed(row.alert_id, row.language, row.attempts, recipient)


def release(connection: Connection, delivery_ids: Sequence[int]) -> None:
    """Give back what was claimed and not tried."""
    connection.execute(_QUERIES["release"], {"delivery_ids": list(delivery_ids)})


def defer_all(connection: Connection, alert_id: int, claimed_ids: Sequence[int], relay: str, reply: str) -> None:
    """Let everything due of an alert wait, because the relay takes nothing now."""
    parameters = {
        "alert_id": alert_id,
        "claimed_ids": list(claimed_ids),
        "relay": relay,
        "reply": reply,
        "first_s": _FIRST_RETRY_S,
        "longest_s": _LONGEST_RETRY_S,
    }
    connection.execute(_QUERIES["defer_all"], parameters)


def close_alert(connection: Connection, alert_id: int) -> bool:
    """Mark an alert as sent when its last delivery is done; return whether this was the moment."""
    return connection.execute(_QUERIES["close_alert"], {"alert_id": alert_id}).rowcount > 0


def expire_alerts(connection: Connection) -> int:
    """Mark the alerts whose time is over; return how many."""
    return connection.execute(_QUERIES["expire_alerts"]).rowcount


def alerts_to_send(connection: Connection) -> list[int]:
    """Return the alerts that have due deliveries nobody is working on."""
    return list(connection.execute(_QUERIES["alerts_to_send"]).scalars())


def read_letter(connection: Connection, alert_id: int, language: str) -> tuple[AlertText, datetime]:
    """Return the frozen words of an alert in one language, and when it was sent."""
    row = connection.execute(_QUERIES["read_letter"], {"alert_id": alert_id, "language": language}).one()
    words = AlertText(row.language, row.event, row.headline, row.description, row.instruction)
    return words, row.sent_at
