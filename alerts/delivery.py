"""Sending: many connections to the relays, fed with claimed deliveries, each result durable before the next message.

One sender is one event loop in one job of a worker. Any number of them may work on the same alert, on any number of
machines: what one has claimed the others skip, and what one leaves behind when it dies goes back into the queue.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections import Counter
from collections.abc import Sequence
from functools import cache

import structlog

from alerts import outbox
from alerts.bounces import suspend_refusers
from alerts.channels import smtp
from alerts.channels.mail import MailChannel
from alerts.claims import Claims
from alerts.lane import Lane
from alerts.ledger import BEAT_S, Ledger
from alerts.letters import Letters
from alerts.relays import RelayPool, read_health, write_health
from gis.database import SERVICE, Database
from gis.errors import UsageError
from gis.relay import Relay, relays
from gis.settings import Settings

_log = structlog.get_logger(__name__)


def send_alert(database: Database, settings: Settings, alert_id: int, connections: int | None = None) -> Counter[str]:
    """Send what is due of an alert and of the rest of its thread; return how many deliveries ended in each state.

    Nothing is lost when the relays are down: what is due is deferred, with the reason, and `alerts.sweep` comes back.

    Parameters
    ----------
    connections : at most so many at a time (default: as the relays' URLs say, 32 for each).
    """
    try:
        usable = relays(settings)
    except UsageError as error:
        _defer_thread(database, alert_id, "", str(error))
        return Counter(relay_is_down=1)
    most = connections or sum(relay.connections for relay in usable)
    counts = asyncio.run(_send(database, settings, alert_id, usable, most))
    with database.begin(SERVICE) as connection:
        for due_id in outbox.thread_alerts(connection, alert_id):
            outbox.close_alert(connection, due_id)
        suspend_refusers(connection)
    return counts


async def _send(
    database: Database, settings: Settings, alert_id: int, usable: Sequence[Relay], most: int
) -> Counter[str]:
    pool = RelayPool(usable)
    with database.begin(SERVICE) as connection:
        outbox.free_abandoned(connection, BEAT_S)
        read_health(connection, pool)
        sender_id = outbox.begin_sender(connection, f"{socket.gethostname()}:{os.getpid()}", alert_id, BEAT_S)
        thread = outbox.thread_alerts(connection, alert_id)
    counts: Counter[str] = Counter()
    letters = Letters(database, settings)
    claims = Claims(database, sender_id, alert_id, most, counts)
    try:
        async with Ledger(database, sender_id, thread) as ledger:
            lanes = [
                Lane(claims, ledger, letters, MailChannel(pool, _own_name(), smtp.TIMEOUTS), counts)
                for _ in range(most)
            ]
            await claims.feed(ledger, letters, lanes)
    finally:
        # Whatever happened: what is still claimed goes back, and the others learn how the relays do.
        with database.begin(SERVICE) as connection:
            outbox.end_sender(connection, sender_id)
            write_health(connection, pool)
    if claims.down:
        _log.warning("no relay takes anything", reason=claims.down)
        _defer_thread(database, alert_id, *claims.down)
        counts["relay_is_down"] += 1
    return counts


def _defer_thread(database: Database, alert_id: int, relay: str, reply: str) -> None:
    with database.begin(SERVICE) as connection:
        for due_id in outbox.thread_alerts(connection, alert_id):
            outbox.defer_all(connection, due_id, [], relay, reply)


@cache
def _own_name() -> str:
    """Return how we introduce ourselves: a name that resolves, or the address in brackets (RFC 5321, 4.1.3)."""
    name = socket.getfqdn()
    return name if "." in name and name.isascii() else "[127.0.0.1]"
