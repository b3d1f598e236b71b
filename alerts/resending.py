"""Sending once more to those whom a message did not reach, while it is in force. Role: `dept_disaster`.

The database holds the rule (`alerts.resend_failed`): approvers only; never who has it, whose address is gone, who left.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from gis.errors import UsageError
from gis.jobs import enqueue


def count_resendable(connection: Connection, alert_id: int) -> int:
    """Return how many deliveries of an alert may be tried once more; 0 when it is not in force."""
    statement = text("SELECT count(*) FROM alerts.resendable(:id)")
    return int(connection.execute(statement, {"id": alert_id}).scalar_one())


def resend_failed(connection: Connection, alert_id: int, note: str = "") -> int:
    """Put what failed back into the queue and enqueue the sending, in the caller's transaction; return how many.

    The Message-ID stays the same, so that a mailer which has the message after all shows it once. Two who press at
    once send once: the second is refused.

    Raises
    ------
    UsageError : the alert is not in force any more, or nothing is left that may be tried again.
    """
    statement = text(
        "SELECT state IN ('sending', 'sent') AND clock_timestamp() < expires_at"
        " FROM alerts.alert WHERE id = :id FOR UPDATE"
    )
    if not connection.execute(statement, {"id": alert_id}).scalar():
        raise UsageError("Alert %(alert)s is not in force any more.", "Write a new message instead.", alert=alert_id)
    values = {"id": alert_id, "note": note}
    messages = int(connection.execute(text("SELECT alerts.resend_failed(:id, :note)"), values).scalar_one())
    if messages == 0:
        raise UsageError(
            "Nothing of alert %(alert)s is left to send again.",
            "Addresses that are gone, and people who left, get nothing.",
            alert=alert_id,
        )
    enqueue(connection, "alerts.send", alert_id=alert_id)
    return messages
