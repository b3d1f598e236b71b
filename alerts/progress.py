"""How far a message is, in numbers: by channel and mail domain, how fast, until when, and what failed why.

No address leaves this module whole. Role: `machimori_service` or `dept_disaster`.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from alerts.refusals import read_refusal
from alerts.report import count_in_doubt
from alerts.resending import count_resendable
from gis.queries import load_queries

_QUERIES = load_queries(__file__)
_ADDRESS = re.compile(r"([^\s<>@:,;\"'(])[^\s<>@:,;\"'(]*(@[^\s<>@:,;\"')]+)")
_CODE = re.compile(r"\b[245](\d\d|\.\d+\.\d+)\b")
# A domain with fewer addresses is shown among the others.
FEWEST_OF_A_DOMAIN = 5


@dataclass(frozen=True)
class Progress:
    """Where the sending of one alert stands.

    Attributes
    ----------
    counts : messages, accepted, open, held (quiet hours), failed, first_at, last_at, read_at.
    domains : channel, domain ("" = the small ones together), messages, accepted, open, failed, suppressed.
    reasons : deliveries that have not arrived by the kind of refusal (`alerts.refusals`), or `connection`.
    per_second : messages accepted, over the last minute.
    ends_at : when the open ones are out at this rate; None when nothing is open or nothing moves.
    in_doubt : how many may have arrived twice.
    resendable : how many may be tried once more.
    """

    counts: Row[Any]
    domains: list[Row[Any]]
    reasons: dict[str, int]
    per_second: float
    ends_at: datetime | None
    in_doubt: int
    resendable: int


def read_progress(connection: Connection, alert_id: int) -> Progress:
    """Read how far an alert is; all zero before it is approved."""
    values = {"alert_id": alert_id, "fewest": FEWEST_OF_A_DOMAIN}
    counts = connection.execute(_QUERIES["read_progress"], values).one()
    reasons = Counter[str]()
    for reply, messages in connection.execute(_QUERIES["count_replies"], values):
        reasons[reason(reply)] += messages
    per_second = counts.in_last_minute / 60
    is_moving = counts.open > 0 and per_second > 0
    return Progress(
        counts,
        list(connection.execute(_QUERIES["count_domains"], values)),
        dict(reasons.most_common()),
        per_second,
        counts.read_at + timedelta(seconds=counts.open / per_second) if is_moving else None,
        count_in_doubt(connection, alert_id),
        count_resendable(connection, alert_id),
    )


def reason(reply: str) -> str:
    """Return the kind of a refusal, or `connection` when no server answered with a code."""
    kind = read_refusal(reply).kind
    return "connection" if kind == "later" and not _CODE.search(reply) else kind


def mask_addresses(words: str) -> str:
    """Leave of every mail address in a text its first character and its domain.

    Examples
    --------
    >>> mask_addresses("550 <hanako@docomo.example>: unknown")
    '550 <h…@docomo.example>: unknown'
    """
    return _ADDRESS.sub(r"\1…\2", words)
