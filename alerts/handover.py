"""The two looks at the database around each single message: may it still go out, and what became of it.

They run once per message, so they use a bare connection (`Database.hold`): each statement commits by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
    state : of the delivery and of the attempt: `accepted`, `deferred`, `bounced` or `failed`.
    reply : the relay's own words.
    retry_in_s : seconds until a deferred message is tried again.
    """

    delivery_id: int
    started_at: datetime
    relay: str
    state: str
    reply: str
    retry_in_s: float = 0


def verdict(connection: psycopg.Connection[Any], delivery_id: int, newer_ids: Sequence[int]) -> str:
    """Return "" when a claimed message may go out now, else the state that ends it (`suppressed`, `expired`).

    Suppressed: the alert was cancelled, the person unsubscribed, or has a newer message of the thread already.

    Parameters
    ----------
    newer_ids : the alerts of the thread after this message's.
    """
    parameters = {"delivery_id": delivery_id, "newer_ids": list(newer_ids), "retry_hours": RETRY_HOURS}
    row = connection.execute(_QUERIES.sql("verdict"), parameters, prepare=True).fetchone()
    if row is None:
        raise LookupError(f"delivery {delivery_id} is gone")
    return str(row[0])


def withhold(connection: psycopg.Connection[Any], delivery_id: int, state: str) -> None:
    """End a claimed message that must not go out."""
    connection.execute(_QUERIES.sql("withhold"), {"delivery_id": delivery_id, "state": state})


def finish(connection: psycopg.Connection[Any], outcome: Outcome) -> None:
    """Record an attempt and the state it leaves the delivery in; committed on return."""
    connection.execute(_QUERIES.sql("finish"), vars(outcome), prepare=True)
