"""The look at the database around each message: may it go out, and what became of the one before.

One statement serves all connections of a sender (`alerts.ledger` groups them), on a bare connection that commits by
itself: when it returns, the results are durable and only then does the next content leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import psycopg

from gis.queries import load_queries

_QUERIES = load_queries(__file__)
# A warning that could not be handed over for a day is no warning any more.
RETRY_HOURS = 24


@dataclass(frozen=True)
class Outcome:
    """What became of one attempt.

    Attributes
    ----------
    state : of the delivery and of the attempt: `accepted`, `deferred`, `bounced`, `failed`, or `suppressed` (nobody is
        left to have it).
    reason : of what is suppressed (`alerts.delivery.reason`); else "".
    reply : the relay's own words.
    retry_in_s : seconds until a deferred message is tried again.
    kind, status : of a refusal for good (see `alerts.refusals`), for the record of the address; else "".
    in_doubt : the content was handed over and no answer came; it may arrive twice.
    """

    delivery_id: int
    started_at: datetime
    relay: str
    state: str
    reply: str
    retry_in_s: float = 0
    in_doubt: bool = False
    kind: str = ""
    status: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Beat:
    """A sender's sign of life.

    Attributes
    ----------
    alive_s : how long it counts as alive from now on.
    in_hand : every delivery that is on one of its connections once the beat is recorded.
    """

    sender_id: int
    alive_s: float
    in_hand: list[int]


async def settle(
    connection: psycopg.AsyncConnection[Any],
    beat: Beat,
    outcomes: Sequence[Outcome],
    next_ids: Sequence[int],
    thread_ids: Sequence[int],
    is_repeated: bool,
) -> dict[int, str]:
    """Record outcomes, beat, and return the verdict on each of the next messages: "" = it may go out now.

    Other verdicts: `suppressed` (cancelled, unsubscribed, or the person has a newer message of the thread),
    `expired`, `pending` (something that its mail carries must not go out any more) and `gone` (another sender has it,
    because this one was taken for dead).

    Parameters
    ----------
    thread_ids : all alerts of the thread.
    is_repeated : the same call may have been committed before its connection broke; attempts are not noted twice.
    """
    parameters = {
        "sender_id": beat.sender_id,
        "beat_s": beat.alive_s,
        "in_hand": _array(beat.in_hand),
        "outcomes": orjson.dumps(outcomes).decode(),
        "next_ids": _array(next_ids),
        "thread_ids": _array(thread_ids),
        "retry_hours": RETRY_HOURS,
        "is_repeated": is_repeated,
    }
    cursor = await connection.execute(_QUERIES.sql("settle"), parameters, prepare=True)
    verdicts: dict[int, str] = dict(await cursor.fetchall())
    return {delivery_id: verdicts.get(delivery_id, "gone") for delivery_id in next_ids}


async def withhold(connection: psycopg.AsyncConnection[Any], sender_id: int, verdicts: Mapping[int, str]) -> None:
    """End claimed messages that must not go out, or give them back: delivery id → state."""
    parameters = {"sender_id": sender_id, "ids": list(verdicts), "states": list(verdicts.values())}
    await connection.execute(_QUERIES.sql("withhold"), parameters)


def _array(numbers: Iterable[int]) -> str:
    # psycopg's own way to write a list takes a microsecond for each number, which is much around each message.
    return f"{{{','.join(map(str, numbers))}}}"
