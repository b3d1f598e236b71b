"""Sending: many connections to the relays, fed with claimed deliveries, each result durable before the next message.

One sender is one event loop in one job of a worker. Any number of them may work on the same alert, on any number of
machines: what one has claimed the others skip, and what one leaves behind when it dies goes back into the queue.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
from collections import Counter
from functools import cache

import structlog

from alerts import outbox
from alerts.bounces import suspend_refusers
from alerts.channels import smtp_wire
from alerts.channels.mail import MailChannel
from alerts.channels.mail_line import MailForms, MailLine
from alerts.channels.outgoing import Channel, Outgoing, channels
from alerts.claims import Claims
from alerts.lane import Lane
from alerts.ledger import BEAT_S, Ledger
from alerts.morning import wake_held
from alerts.relays import RelayPool, read_health, write_health
from gis.database import SERVICE, Database
from gis.errors import UsageError
from gis.relay import relays
from gis.settings import Settings

_log = structlog.get_logger(__name__)


def send_alert(database: Database, settings: Settings, alert_id: int, connections: int | None = None) -> Counter[str]:
    """Send what is due of an alert and of the rest of its thread; return how many deliveries ended in each state.

    Nothing is lost when the relays are down: what is due is deferred, with the reason, and `alerts.sweep` comes back.

    Parameters
    ----------
    connections : at most so many at a time (default: as the relays' URLs say, 32 for each).
    """
    # What is loaded by now stays: looking through it again and again for garbage costs a tenth of a sender's time.
    gc.freeze()
    try:
        counts = asyncio.run(_send(database, settings, alert_id, connections))
    finally:
        gc.unfreeze()
    with database.begin(SERVICE) as connection:
        for due_id in outbox.thread_alerts(connection, alert_id):
            outbox.close_alert(connection, due_id)
        suspend_refusers(connection)
    return counts


async def _send(database: Database, settings: Settings, alert_id: int, connections: int | None) -> Counter[str]:
    """Send on every channel at once; what fails on one keeps no other from its work."""
    with database.begin(SERVICE) as connection:
        outbox.free_abandoned(connection, BEAT_S)
        wake_held(connection)
        thread = outbox.thread_alerts(connection, alert_id)
        others = [channel for channel in channels() if channel.has_due(connection, thread)]
    results = await asyncio.gather(
        _send_mails(database, settings, alert_id, connections),
        *(_send_on(channel, database, settings, alert_id) for channel in others),
        return_exceptions=True,
    )
    counts: Counter[str] = Counter()
    for result in results:
        if isinstance(result, BaseException):
            raise result
        counts += result
    return counts


async def _send_mails(database: Database, settings: Settings, alert_id: int, connections: int | None) -> Counter[str]:
    try:
        usable = relays(settings)
    except UsageError as error:
        _defer_thread(database, alert_id, "", str(error))
        return Counter(relay_is_down=1)
    pool = RelayPool(usable)
    with database.begin(SERVICE) as connection:
        read_health(connection, pool)
    forms = MailForms(database, settings)
    most = connections or sum(relay.connections for relay in usable)
    lines = [MailLine(forms, MailChannel(pool, _own_name(), smtp_wire.TIMEOUTS)) for _ in range(most)]
    try:
        counts, down = await _work(database, alert_id, "mail", Outgoing(forms, lines))
    finally:
        # Whatever happened: the others learn how the relays do.
        with database.begin(SERVICE) as connection:
            write_health(connection, pool)
    if down:
        _log.warning("no relay takes anything", reason=down)
        _defer_thread(database, alert_id, *down)
        counts["relay_is_down"] += 1
    return counts


async def _send_on(channel: Channel, database: Database, settings: Settings, alert_id: int) -> Counter[str]:
    with channel.open(database, settings) as outgoing:
        counts, _ = await _work(database, alert_id, channel.name, outgoing)
    return Counter({f"{channel.name}.{state}": count for state, count in counts.items()})


async def _work(
    database: Database, alert_id: int, channel: str, outgoing: Outgoing
) -> tuple[Counter[str], tuple[str, str] | None]:
    """Be one sender of a channel; return what became of its messages, and why it had to stop (relay, words)."""
    with database.begin(SERVICE) as connection:
        sender_id = outbox.begin_sender(connection, f"{socket.gethostname()}:{os.getpid()}", alert_id, BEAT_S)
        thread = outbox.thread_alerts(connection, alert_id)
        outbox.align_paces(connection, thread)
    counts: Counter[str] = Counter()
    claims = Claims(database, sender_id, alert_id, len(outgoing.lines), counts, channel)
    try:
        async with Ledger(database, sender_id, thread, len(outgoing.lines)) as ledger:
            lanes = [Lane(claims, ledger, outgoing.forms, line, counts) for line in outgoing.lines]
            await claims.feed(ledger, outgoing.forms, lanes)
    finally:
        # Whatever happened: what is still claimed goes back.
        with database.begin(SERVICE) as connection:
            outbox.end_sender(connection, sender_id)
    return counts, claims.down


def _defer_thread(database: Database, alert_id: int, relay: str, reply: str) -> None:
    with database.begin(SERVICE) as connection:
        for due_id in outbox.thread_alerts(connection, alert_id):
            outbox.defer_all(connection, due_id, [], relay, reply)


@cache
def _own_name() -> str:
    """Return how we introduce ourselves: a name that resolves, or the address in brackets (RFC 5321, 4.1.3)."""
    name = socket.getfqdn()
    return name if "." in name and name.isascii() else "[127.0.0.1]"
