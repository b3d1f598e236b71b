"""What to do about a situation: a pure decision from what is known, what was told and the policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from alerts.events import told_facts
from alerts.policy import Action, Policy

MsgType = Literal["Alert", "Update", "Cancel"]
# Below this level an incident that was called off does not speak again.
_SPEAKS_AGAIN_FROM_LEVEL = 2
# What the public does not see does not speak to it. A member speaks through the incident that it is part of.
_SILENT = {
    "merged": "the incident is part of another",
    "rejected": "the incident was rejected",
    "held": "the incident is held back",
    "expired": "the incident's time is over",
}


@dataclass(frozen=True)
class Situation:
    """What is known for the town after one report (a row of `ingest.situation`).

    Attributes
    ----------
    publication : of its incident now, e.g. `published`, `held` (data/codes/publication.toml).
    """

    id: int
    incident_fid: int
    telegram: str
    kind: str
    status: str
    phase: str
    level: int
    is_fresh: bool
    reported_at: datetime
    office: str
    facts: Mapping[str, Any]
    publication: str = "published"


@dataclass(frozen=True)
class Told:
    """One alert of the incident: the last one sent, or one that waits as a draft or for approval."""

    alert_id: int
    situation_id: int | None
    state: str
    msg_type: MsgType
    phase: str
    level: int
    effective_at: datetime
    facts: Mapping[str, Any]
    event: str


@dataclass(frozen=True)
class Decision:
    """What to do.

    Attributes
    ----------
    step : nothing; write or refresh a draft; write and send; discard what waits.
    msg_type, phase : of the message to write.
    reason : for the record, in the steps of the alert.
    """

    step: Literal["nothing", "draft", "send", "discard"]
    msg_type: MsgType = "Alert"
    phase: str = "issued"
    reason: str = ""


def decide(situation: Situation, sent: Told | None, waiting: Told | None, policy: Policy) -> Decision:
    """Decide about one situation.

    An incident that is joined into another, rejected or held back causes nothing. Only the end of what was told
    already still goes out: a withdrawal takes the incident from the public itself.

    Parameters
    ----------
    sent : the last alert of the incident that went out.
    waiting : the newest alert of the incident that is a draft or waits for its approval.
    policy : the row for the situation's telegram and level.
    """
    running = sent if sent and sent.msg_type != "Cancel" else None
    silence = _SILENT.get(situation.publication)
    if silence and not (running and situation.phase in ("cleared", "withdrawn")):
        return Decision("discard" if waiting else "nothing", reason=silence)
    if any(told and _is_older(situation, told) for told in (sent, waiting)):
        return Decision("nothing", reason="older than what is told already")
    if running is None:
        return _decide_first(situation, waiting, policy)
    if not _is_news(situation, running):
        reason = "the situation is again as it was told" if waiting else "nothing new for the town"
        return Decision("discard" if waiting else "nothing", reason=reason)
    step = _step(policy.follow_up, situation, waiting)
    if situation.phase == "withdrawn":
        return Decision(step, "Cancel", "withdrawn", policy.note)
    return Decision(step, "Update", "cleared" if situation.phase == "cleared" else "updated", policy.note)


def _decide_first(situation: Situation, waiting: Told | None, policy: Policy) -> Decision:
    """Decide while nothing of the incident stands: what nobody was told needs no all-clear."""
    if situation.phase in ("cleared", "withdrawn"):
        reason = "cleared before it was sent" if situation.phase == "cleared" else "withdrawn before it was sent"
        return Decision("discard" if waiting else "nothing", reason=reason)
    return Decision(_step(policy.action, situation, waiting), "Alert", "issued", policy.note)


def _step(action: Action, situation: Situation, waiting: Told | None) -> Literal["nothing", "draft", "send"]:
    if action == "automatic" and situation.is_fresh:
        return "send"
    if waiting is None:
        return "nothing" if action == "ignore" else "draft"
    # A draft always has the newest facts. What someone submitted is left alone unless the citizens would read
    # something else; neither does a telegram that causes nothing by itself leave an outdated draft lying about.
    if waiting.state == "draft" and action != "ignore":
        return "nothing" if dict(waiting.facts) == dict(situation.facts) else "draft"
    ends = situation.phase in ("cleared", "withdrawn") and waiting.phase != situation.phase
    same = not ends and told_facts(situation.kind, waiting.facts) == told_facts(situation.kind, situation.facts)
    return "nothing" if same else "draft"


def _is_older(situation: Situation, told: Told) -> bool:
    return (situation.reported_at, situation.id) <= (told.effective_at, told.situation_id or 0)


def _is_news(situation: Situation, sent: Told) -> bool:
    if situation.phase == "withdrawn":
        return True
    if sent.phase == "cleared" and situation.level < _SPEAKS_AGAIN_FROM_LEVEL:
        return False
    if situation.phase == "cleared" and sent.phase != "cleared":
        return True
    return told_facts(situation.kind, situation.facts) != told_facts(situation.kind, sent.facts)
