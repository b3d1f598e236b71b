"""The jobs of alerts: decide about a situation, send an alert, come back to what was left."""

from __future__ import annotations

from collections import Counter

import structlog
from sqlalchemy import Connection

from alerts import outbox
from alerts.audience import refresh_zones
from alerts.bounce_mailbox import read_mailbox
from alerts.bounces import suspend_refusers, take_return
from alerts.channels.outgoing import outlets
from alerts.consider import consider
from alerts.delivery import send_alert
from alerts.ledger import BEAT_S
from alerts.matching import reach_latecomers
from alerts.morning import wake_held
from alerts.notices import has_unmailed, mail_notices
from alerts.return_path import find_addresses
from alerts.thread import undecided_situations
from gis.database import SERVICE
from gis.jobs import context, enqueue, task
from gis.town import load_town

_log = structlog.get_logger(__name__)
# Alerts that this process is sending: a second event loop in it would not be faster, only hold more connections.
_running: set[int] = set()


@task("alerts.consider", queue="alerts")
def consider_situation(situation_id: int) -> None:
    """Decide what a new situation of an incident means for the citizens, and do it in one transaction."""
    with context().database.begin(SERVICE) as connection:
        alert_id = consider(connection, situation_id)
    _log.info("considered", situation_id=situation_id, alert_id=alert_id)


@task("alerts.send", queue="alerts")
def send(alert_id: int) -> None:
    """Send what is due of an alert's thread. A second job of the same alert helps from another worker only."""
    if alert_id in _running:
        return
    _running.add(alert_id)
    try:
        counts = send_alert(context().database, context().settings, alert_id)
    finally:
        _running.discard(alert_id)
    _log.info("sent", alert_id=alert_id, **counts)


@task("alerts.sweep", queue="alerts")
def sweep() -> None:
    """Expire what is over; come back to what was deferred, left behind by a dead worker, or never decided."""
    with context().database.begin(SERVICE) as connection:
        for situation_id, incident_fid in undecided_situations(connection):
            lock = f"incident:{incident_fid}"
            enqueue(
                connection, "alerts.consider", lock=lock, once=f"consider:{situation_id}", situation_id=situation_id
            )
        outbox.expire_alerts(connection)
        outbox.mend_clock(connection)
        suspend_refusers(connection)
        if has_unmailed(connection):
            enqueue(connection, "alerts.mail_notices", once="alerts.mail_notices")
    with context().database.begin(SERVICE) as connection:
        refresh_zones(connection, load_town())
        reach_latecomers(connection, load_town())
    with context().database.begin(SERVICE) as connection:
        _resume(connection)


@task("alerts.read_bounces", queue="alerts")
def read_bounces() -> None:
    """Read the bounce mailbox, if the installation has one."""
    settings, database = context().settings, context().database
    addresses = find_addresses(settings)
    if addresses is None or not settings.bounce_mailbox:
        return
    counts: Counter[str] = Counter()

    def take(raw: bytes) -> None:
        with database.begin(SERVICE) as connection:
            counts[take_return(connection, raw, addresses, settings.mail_from.rpartition("@")[2])] += 1

    if read_mailbox(settings.bounce_mailbox, take):
        _log.info("bounces read", **counts)


@task("alerts.mail_notices", queue="alerts")
def tell_approvers() -> None:
    """Tell the approvers of messages that one person sent alone, and of those that wait for them."""
    if count := mail_notices(context().database, context().settings):
        _log.info("approvers told", notices=count)


@task("alerts.tell_outlets", queue="alerts")
def tell_outlets() -> None:
    """Tell other systems of the alerts that went out; what fails on one way keeps no other from its work."""
    failures: list[Exception] = []
    for outlet in outlets():
        try:
            counts = outlet.tell(context().database, context().settings)
        except Exception as error:
            _log.exception("an outlet failed", outlet=outlet.name)
            failures.append(error)
        else:
            if counts:
                _log.info("told", outlet=outlet.name, **counts)
    if failures:
        raise failures[0]


@task("alerts.resume", queue="alerts")
def resume() -> None:
    """Take up what a dead worker left and what became due; written every few seconds."""
    with context().database.begin(SERVICE) as connection:
        _resume(connection)


def _resume(connection: Connection) -> None:
    outbox.free_abandoned(connection, BEAT_S)
    wake_held(connection)
    for alert_id in outbox.alerts_to_send(connection):
        enqueue(connection, "alerts.send", once=f"alerts.send:{alert_id}", alert_id=alert_id)
