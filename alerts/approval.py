"""The way of an alert from draft to sending: submit, approve by a second person, or discard.

Approving freezes words, area and recipients and writes the job that sends, in one transaction.
The database holds the rules as well: two different names, or one named for it with a reason; by itself only under a
standing approval; no way back, nothing changes once approved.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, text

from alerts.events import find_event
from alerts.matching import freeze_recipients
from alerts.templates import find_blanks
from alerts.thread import last_sent, lock_incident
from gis.errors import UsageError
from gis.jobs import enqueue
from gis.queries import load_queries
from gis.town import load_town

_QUERIES = load_queries(__file__)


def require_seen(connection: Connection, alert_id: int, version: str) -> None:
    """Lock an alert and see to it that it is still as a person has read it, before it is submitted or approved.

    Between the reading and the pressing of the button it may have been taken back, changed and submitted anew.

    Parameters
    ----------
    version : its `updated_at` when it was read, ISO 8601.

    Raises
    ------
    UsageError : there is no such alert, or it was changed since.
    """
    if _lock(connection, alert_id).updated_at.isoformat() != version:
        raise UsageError(
            "Message %(alert)s was changed after you opened it.", "Read it again, then decide.", alert=alert_id
        )


def submit(connection: Connection, alert_id: int, account: str, note: str = "") -> None:
    """Hand a draft over for approval, in the name of `account`; when it is a person's, the approvers are told by mail.

    Raises
    ------
    UsageError : there is no such alert, it is no draft, a blank is not filled, or its area is missing or in doubt.
    """
    alert = _lock(connection, alert_id)
    if alert.state != "draft":
        raise UsageError(
            "Alert %(alert)s is %(state)s, not a draft.",
            "Only drafts can be submitted.",
            alert=alert_id,
            state=alert.state,
        )
    _require_whole(connection, alert_id)
    _act_as(connection, account, note)
    connection.execute(_QUERIES["submit"], {"alert_id": alert_id, "account": account})
    if ":" not in account:  # what a source submits is approved in the same transaction
        enqueue(connection, "alerts.mail_notices", once="alerts.mail_notices")


def approve(connection: Connection, alert_id: int, account: str, note: str = "", standing_id: int | None = None) -> int:
    """Approve a submitted alert in the name of a second person; return how many people get it.

    In the caller's transaction: sent time and expiry are set, the message before becomes updated or cancelled, one
    delivery per person is written and the sending is enqueued.

    Parameters
    ----------
    standing_id : the standing approval under which the service sends it; persons give none.

    Raises
    ------
    UsageError : not submitted, the same person, its end is past, or another message of its thread went out meanwhile.
    """
    alert = _lock_submitted(connection, alert_id)
    if alert.submitted_by == account:
        raise UsageError(
            "Alert %(alert)s was submitted by %(account)s too.",
            "A second person of the disaster office approves it.",
            alert=alert_id,
            account=account,
        )
    return _release(connection, alert, account, note, standing_id=standing_id)


def approve_alone(connection: Connection, alert_id: int, account: str, reason: str) -> int:
    """Approve one's own submitted alert in an emergency, without a second person; return how many people get it.

    It needs the role `alert_override` and a proof of who it is from the last minutes (`gis.desk_sessions.note_proof`);
    the database asks for both. The approvers are told by mail, by a job of the same transaction.

    Raises
    ------
    UsageError : as `approve`; somebody else submitted it; or the reason is missing.
    """
    alert = _lock_submitted(connection, alert_id)
    if alert.submitted_by != account:
        raise UsageError(
            "Alert %(alert)s was submitted by %(account)s.",
            "Approve it as the second person.",
            alert=alert_id,
            account=alert.submitted_by,
        )
    if not reason.strip():
        raise UsageError("The reason is missing.", "Write why nobody else could approve it.")
    people = _release(connection, alert, account, f"単独 (alone): {reason.strip()}", override_reason=reason.strip())
    enqueue(connection, "alerts.mail_notices", once="alerts.mail_notices")
    return people


def discard(connection: Connection, alert_id: int, account: str, note: str = "") -> None:
    """Throw an unsent alert away; it stays on record as discarded.

    Raises
    ------
    UsageError : there is no such alert, or it is approved already.
    """
    alert = _lock(connection, alert_id)
    if alert.state not in ("draft", "submitted"):
        raise UsageError(
            "Alert %(alert)s is %(state)s.",
            "What was approved can only be cancelled.",
            alert=alert_id,
            state=alert.state,
        )
    _act_as(connection, account, note)
    connection.execute(_QUERIES["discard"], {"alert_id": alert_id})


def _lock(connection: Connection, alert_id: int) -> Row[Any]:
    alert = connection.execute(_QUERIES["read_alert"], {"alert_id": alert_id}).first()
    if alert is None:
        raise UsageError("There is no alert %(alert)s.", "See ./machimori alerts list", alert=alert_id)
    if alert.incident_fid is not None:
        lock_incident(connection, alert.incident_fid)
    return connection.execute(_QUERIES["lock_alert"], {"alert_id": alert_id}).one()


def _lock_submitted(connection: Connection, alert_id: int) -> Row[Any]:
    alert = _lock(connection, alert_id)
    if alert.state != "submitted":
        raise UsageError(
            "Alert %(alert)s is %(state)s, not submitted.",
            "Somebody submits it first.",
            alert=alert_id,
            state=alert.state,
        )
    if alert.is_past:
        raise UsageError("The end of alert %(alert)s is past.", "Take it back and give it a later end.", alert=alert_id)
    _require_newest(connection, alert)
    return alert


def _release(
    connection: Connection,
    alert: Row[Any],
    account: str,
    note: str,
    *,
    override_reason: str = "",
    standing_id: int | None = None,
) -> int:
    """Freeze words, area and recipients, and write the job that sends."""
    _act_as(connection, account, note)
    values = {
        "alert_id": alert.id,
        "account": account,
        "valid_hours": find_event(alert.event, alert.phase).valid_hours,
        "override_reason": override_reason,
        "standing_id": standing_id,
    }
    connection.execute(_QUERIES["approve"], values)
    _act_as(connection, account, "")
    if alert.references_id is not None:
        _retire(connection, alert)
    people = freeze_recipients(connection, alert.id, alert.kind, alert.phase, load_town())
    connection.execute(_QUERIES["start_sending"], {"alert_id": alert.id})
    enqueue(connection, "alerts.send", alert_id=alert.id)
    return people


def _require_newest(connection: Connection, alert: Row[Any]) -> None:
    if alert.incident_fid is None:
        if alert.references_id is not None:
            _require_standing(connection, alert)
        return
    sent = last_sent(connection, alert.incident_fid)
    expected = sent.alert_id if sent and sent.msg_type != "Cancel" else None
    if alert.references_id != expected:
        raise UsageError(
            "Alert %(alert)s is out of date: another message of the same incident went out since it was written.",
            "Discard it and work from the newest situation.",
            alert=alert.id,
        )


def _require_standing(connection: Connection, alert: Row[Any]) -> None:
    state = connection.execute(_QUERIES["lock_reference"], {"alert_id": alert.references_id}).scalar_one()
    if state not in ("sending", "sent"):
        raise UsageError(
            "Alert %(alert)s is out of date: alert %(answered)s which it answers is %(state)s.",
            "Discard it and answer the newest message.",
            alert=alert.id,
            answered=alert.references_id,
            state=state,
        )


def _require_whole(connection: Connection, alert_id: int) -> None:
    """Say in words what the database would refuse."""
    for row in connection.execute(_QUERIES["read_words"], {"alert_id": alert_id}):
        blanks = find_blanks(row.words)
        if blanks:
            raise UsageError(
                "Blanks are not filled (%(language)s): %(blanks)s.",
                "Fill them and save.",
                language=row.language,
                blanks=", ".join(blanks),
            )
    area = connection.execute(_QUERIES["read_area"], {"alert_id": alert_id}).one()
    if area.is_empty:
        raise UsageError("Alert %(alert)s has no area.", "Add a piece to its area.", alert=alert_id)
    if area.is_nameless:
        raise UsageError(
            "The area of alert %(alert)s has no name.", "Write the name that people know it by.", alert=alert_id
        )
    if area.is_doubtful:
        raise UsageError(
            "The area of alert %(alert)s is in doubt.", "Look at it and confirm that it is meant.", alert=alert_id
        )


def _retire(connection: Connection, alert: Row[Any]) -> None:
    """Mark the message before; a withdrawn one is not handed over to anyone any more."""
    is_cancel = alert.msg_type == "Cancel"
    state = "cancelled" if is_cancel else "updated"
    connection.execute(_QUERIES["retire"], {"alert_id": alert.references_id, "state": state})
    if is_cancel:
        connection.execute(_QUERIES["suppress_unsent"], {"thread_id": alert.thread_id})


def _act_as(connection: Connection, account: str, note: str) -> None:
    """Name the person and the reason that the steps of the alert are recorded with, for this transaction."""
    connection.execute(
        text("SELECT set_config('machimori.account', :account, true), set_config('machimori.reason', :note, true)"),
        {"account": account, "note": note},
    )
