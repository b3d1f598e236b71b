"""From a situation to alerts: nothing, a draft, or a message that goes out by itself."""

from __future__ import annotations

from sqlalchemy import Connection

from alerts.approval import approve, discard, submit
from alerts.decision import Decision, Situation, Told, decide
from alerts.notices import note_waiting
from alerts.policy import Policy, find_policy
from alerts.standing import apply_standing
from alerts.thread import is_decided, last_sent, lock_incident, newest_waiting, read_situation, record_decision
from alerts.writing import write_alert
from gis.town import load_town


def consider(connection: Connection, situation_id: int) -> int | None:
    """Decide about one situation and do it, in the caller's transaction. Role: `machimori_service`.

    The decision is recorded with its reason (`alerts.decision`), also when nothing is to be done. Running twice for
    the same situation does nothing the second time. Only what a standing approval covers goes out by itself; of a
    draft the approvers are told.

    Returns
    -------
    The id of the alert that was written, refreshed or sent; None when nothing was done.

    Raises
    ------
    UsageError : the town has no area in the layer `city_area`.
    """
    situation = read_situation(connection, situation_id)
    lock_incident(connection, situation.incident_fid)
    if is_decided(connection, situation_id):
        return None
    sent = last_sent(connection, situation.incident_fid)
    waiting = newest_waiting(connection, situation.incident_fid)
    wish = find_policy(connection, situation.telegram, situation.level)
    is_running = sent is not None and sent.msg_type != "Cancel"
    policy, standing_id = apply_standing(connection, wish, "follow_up" if is_running else "first")
    decision = decide(situation, sent, waiting, policy)
    alert_id = _carry_out(connection, situation, decision, sent, waiting, policy, standing_id)
    record_decision(connection, situation_id, decision, alert_id)
    return alert_id


def _carry_out(
    connection: Connection,
    situation: Situation,
    decision: Decision,
    sent: Told | None,
    waiting: Told | None,
    policy: Policy,
    standing_id: int | None,
) -> int | None:
    rule = f"policy:{policy.telegram}:{policy.level}"
    if decision.step == "nothing":
        return None
    if decision.step == "discard":
        _discard_waiting(connection, situation, rule, decision.reason)
        return None
    draft = waiting if waiting and waiting.state == "draft" else None
    alert_id = write_alert(connection, situation, decision, sent, draft, load_town())
    if decision.step == "send":
        submit(connection, alert_id, _source(situation), f"{situation.telegram} {situation.reported_at.isoformat()}")
        approve(connection, alert_id, rule, decision.reason, standing_id)
        _discard_waiting(connection, situation, rule, f"overtaken by alert {alert_id}")
    else:
        note_waiting(connection, alert_id)
    return alert_id


def _source(situation: Situation) -> str:
    """Name who stands for the facts of an automatic alert; VT and VX telegrams are JMA's."""
    return "source:jma" if situation.telegram[:1] == "V" else f"source:{situation.telegram}"


def _discard_waiting(connection: Connection, situation: Situation, account: str, reason: str) -> None:
    waiting: Told | None = newest_waiting(connection, situation.incident_fid)
    while waiting:
        discard(connection, waiting.alert_id, account, reason)
        waiting = newest_waiting(connection, situation.incident_fid)
