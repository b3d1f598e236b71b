"""The delivery table as an outbox: senders that beat, claims, deferring, closing, expiring, and what was left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row

from alerts.letter import Recipient
from alerts.limits import Pace, load_limits
from alerts.texts import AlertText
from gis.queries import load_queries

_QUERIES = load_queries(__file__)
BATCH_SIZE = 300
# With more than so many messages before each sender, one more worker joins in.
SHARE = 5000
_FIRST_RETRY_S = 30
LONGEST_RETRY_S = 900


@dataclass(frozen=True)
class Claimed:
    """One delivery that a sender holds.

    Attributes
    ----------
    carried : other alerts whose messages to the same person its mail carries.
    """

    alert_id: int
    language: str
    attempts: int
    recipient: Recipient
    carried: Sequence[int] = ()


def retry_in_s(attempts: int) -> float:
    """Return how long a message waits after its n-th failed attempt, in seconds: 30, 60, 120 … 900."""
    return min(LONGEST_RETRY_S, _FIRST_RETRY_S * 2.0 ** min(attempts - 1, 20))


def begin_sender(connection: Connection, worker: str, alert_id: int, beat_s: float) -> int:
    """Register a sender of an alert's thread that counts as alive for `beat_s` seconds; return its id."""
    values = {"worker": worker, "alert_id": alert_id, "beat_s": beat_s}
    return int(connection.execute(_QUERIES["begin_sender"], values).scalar_one())


def end_sender(connection: Connection, sender_id: int) -> None:
    """Take a sender off; whatever it still holds goes back into the queue."""
    _end(connection, sender_id, 0)


def free_abandoned(connection: Connection, beat_s: float) -> list[int]:
    """Give back what dead senders held; return the alerts concerned.

    What a dead sender had on its connections may have been handed over: it is sent again, and noted as in doubt.
    """
    return _end(connection, None, beat_s)


def _end(connection: Connection, sender_id: int | None, beat_s: float) -> list[int]:
    # Two statements: the second must see what the sender claimed until the first had locked it out.
    rows = connection.execute(_QUERIES["end_senders"], {"sender_id": sender_id, "beat_s": beat_s}).scalars()
    in_hand = [delivery_id for row in rows for delivery_id in row]
    return list(connection.execute(_QUERIES["free_orphans"], {"in_hand": in_hand}).scalars())


def thread_alerts(connection: Connection, alert_id: int) -> list[int]:
    """Return the ids of all approved alerts of this one's thread, oldest first."""
    return list(connection.execute(_QUERIES["thread_alerts"], {"alert_id": alert_id}).scalars())


def align_paces(connection: Connection, alert_ids: Sequence[int]) -> None:
    """Put what is still to be sent of some alerts under the limits that hold now."""
    values = {"alert_ids": list(alert_ids), "paces": orjson.dumps(load_limits().pace_of).decode()}
    connection.execute(_QUERIES["align_paces"], values)


def plan_claims(connection: Connection) -> None:
    """Make the claims of this transaction read only what they take; see the statement."""
    connection.execute(_QUERIES["plan_claims"])


def claim(
    connection: Connection,
    sender_id: int,
    alert_id: int,
    older_ids: Sequence[int],
    most: int = BATCH_SIZE,
    channel: str = "mail",
    pace: str = "",
) -> list[Claimed]:
    """Take due deliveries of one alert for a sender, those under no limit or those under one; other senders skip them.

    Parameters
    ----------
    older_ids : the alerts of the thread before this one; a person still to get one of them waits.
    most : at most so many.
    """
    parameters = {
        "sender_id": sender_id,
        "alert_id": alert_id,
        "older_ids": list(older_ids),
        "channel": channel,
        "pace": pace,
        "most": most,
    }
    return [_claimed(row) for row in connection.execute(_QUERIES["claim"], parameters).all()]


def claim_paced(
    connection: Connection, sender_id: int, alert_id: int, older_ids: Sequence[int], pace: Pace
) -> list[Claimed]:
    """Take as many deliveries under a limit as may be on their way now, over all workers together."""
    room = {"name": pace.name, "per_second": pace.per_second}
    if connection.execute(_QUERIES["lock_pace"], {"name": pace.name}).first() is None:
        connection.execute(_QUERIES["add_pace"], {"name": pace.name})
        connection.execute(_QUERIES["lock_pace"], {"name": pace.name})
    most = connection.execute(_QUERIES["read_room"], {**room, "connections": pace.connections}).scalar_one()
    if most == 0:
        return []
    claimed = claim(connection, sender_id, alert_id, older_ids, most, pace=pace.name)
    connection.execute(_QUERIES["use_room"], {**room, "messages": len(claimed)})
    return claimed


def due_paces(connection: Connection, alert_id: int) -> set[str]:
    """Return the names of the limits that have something due of an alert."""
    values = {"alert_id": alert_id, "names": [pace.name for pace in load_limits().paces]}
    return set(connection.execute(_QUERIES["due_paces"], values).scalars())


def _claimed(row: Row[Any]) -> Claimed:
    delivery_id, alert_id, address, language, place_names, nearest_sites, attempts, token, earlier, carried = tuple(row)
    pairs = [(earlier_alert, earlier_delivery) for earlier_alert, earlier_delivery in earlier or ()]
    names = list(dict.fromkeys([*place_names, *(name for _, others in carried or () for name in others)]))
    recipient = Recipient(delivery_id, address, token, names, orjson.loads(nearest_sites), pairs)
    return Claimed(alert_id, language, attempts, recipient, tuple(other for other, _ in carried or ()))


def release(connection: Connection, sender_id: int, delivery_ids: Sequence[int]) -> None:
    """Give back what was claimed and not tried."""
    connection.execute(_QUERIES["release"], {"sender_id": sender_id, "delivery_ids": list(delivery_ids)})


def defer_all(connection: Connection, alert_id: int, claimed_ids: Sequence[int], relay: str, reply: str) -> None:
    """Let everything due of an alert wait, because the relay takes nothing now."""
    parameters = {
        "alert_id": alert_id,
        "claimed_ids": list(claimed_ids),
        "relay": relay,
        "reply": reply,
        "first_s": _FIRST_RETRY_S,
        "longest_s": LONGEST_RETRY_S,
    }
    connection.execute(_QUERIES["defer_all"], parameters)


def close_alert(connection: Connection, alert_id: int) -> bool:
    """Mark an alert as sent when its last delivery is done; return whether this was the moment."""
    return connection.execute(_QUERIES["close_alert"], {"alert_id": alert_id}).rowcount > 0


def expire_alerts(connection: Connection) -> int:
    """Mark the alerts whose time is over; return how many."""
    return connection.execute(_QUERIES["expire_alerts"]).rowcount


def mend_clock(connection: Connection) -> int:
    """Make due what a clock that jumped back would let wait for longer than any pause of ours; return how many."""
    return connection.execute(_QUERIES["mend_clock"], {"longest_s": LONGEST_RETRY_S + 60}).rowcount


def alerts_to_send(connection: Connection) -> list[int]:
    """Return the alerts that have due deliveries nobody is working on, or more than their senders should have."""
    return list(connection.execute(_QUERIES["alerts_to_send"], {"share": SHARE}).scalars())


def read_letter(connection: Connection, alert_id: int, language: str) -> tuple[AlertText, datetime, str]:
    """Return the frozen words of an alert in one language, when it was sent, and its CAP msgType."""
    row = connection.execute(_QUERIES["read_letter"], {"alert_id": alert_id, "language": language}).one()
    words = AlertText(row.language, row.event, row.headline, row.description, row.instruction)
    return words, row.sent_at, row.msg_type
