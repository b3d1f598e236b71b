"""Standing approvals: two people approve beforehand what telegrams of a kind and level send by themselves.

Without one that is approved, in force and not revoked, nothing goes out by itself: the database refuses the service.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, text

from alerts.policy import LEAST_STANDING_LEVEL, Policy
from gis.errors import Phrase, UsageError
from gis.jobs import enqueue
from gis.queries import load_queries

_QUERIES = load_queries(__file__)
Occasion = Literal["first", "follow_up"]
OCCASIONS: tuple[Occasion, ...] = ("first", "follow_up")


@dataclass(frozen=True)
class Proposal:
    """What is to go out by itself.

    Attributes
    ----------
    telegram : kind of telegram, as the policy names it.
    occasion : `first`, before anything of the incident was sent; `follow_up`, once something was.
    levels : 警戒レベル; of a first message 4 and 5 only.
    valid_from, valid_until : at most a year.
    """

    telegram: str
    occasion: Occasion
    levels: tuple[int, ...]
    reason: str
    valid_from: datetime
    valid_until: datetime


def apply_standing(connection: Connection, policy: Policy, occasion: Occasion) -> tuple[Policy, int | None]:
    """Return what the policy may do now, and the standing approval that lets it send, if one does.

    A standing approval makes `automatic` of a draft; without one, `automatic` becomes a draft. What the policy ignores
    stays ignored. The approval's row stays locked until the transaction ends, so a revocation comes before or after.
    Role: `machimori_service`.
    """
    wish = policy.action if occasion == "first" else policy.follow_up
    if wish == "ignore":
        return policy, None
    standing_id = connection.execute(
        text("SELECT alerts.standing_for(:telegram, :occasion, :level)"),
        {"telegram": policy.telegram, "occasion": occasion, "level": policy.level},
    ).scalar()
    action: Literal["automatic", "draft"] = "draft" if standing_id is None else "automatic"
    return replace(policy, action=action) if occasion == "first" else replace(policy, follow_up=action), standing_id


def list_standing(connection: Connection) -> list[Row[Any]]:
    """Return all standing approvals, those in force first, with `state`: proposed, in_force, future, ended, revoked."""
    return list(connection.execute(_QUERIES["list"]))


def list_subjects(connection: Connection) -> list[Row[Any]]:
    """Return the telegrams that can be approved beforehand (telegram, occasion, levels): those not ignored."""
    return list(connection.execute(_QUERIES["subjects"], {"least": LEAST_STANDING_LEVEL}))


def propose(connection: Connection, proposal: Proposal, account: str) -> int:
    """Propose a standing approval in the name of `account`; return its id. Somebody else approves it, told by mail.

    Raises
    ------
    UsageError : no such telegram or level to approve, no reason, or it does not end within a year.
    """
    if not proposal.reason.strip():
        raise UsageError("The reason is missing.", "Write why minutes count.").at("reason")
    possible = {
        level
        for row in list_subjects(connection)
        if (row.telegram, row.occasion) == (proposal.telegram, proposal.occasion)
        for level in row.levels
    }
    if not proposal.levels or not set(proposal.levels) <= possible:
        raise UsageError(
            "%(telegram)s cannot be approved beforehand at these levels.",
            "Possible are: %(possible)s.",
            telegram=proposal.telegram,
            possible=", ".join(map(str, sorted(possible))) or Phrase("none"),
        ).at("level")
    days = (proposal.valid_until - proposal.valid_from).days
    if not 0 <= days <= 365 or proposal.valid_until <= proposal.valid_from:
        end = "A standing approval ends after its beginning, within a year."
        raise UsageError(end, "Give another end.").at("valid_until")
    values = vars(proposal) | {"levels": sorted(proposal.levels), "account": account}
    standing_id = int(connection.execute(_QUERIES["insert"], values).scalar_one())
    enqueue(connection, "alerts.mail_notices", once="alerts.mail_notices")
    return standing_id


def approve_standing(connection: Connection, standing_id: int, account: str) -> None:
    """Approve a proposal as the second person; from then on it works.

    Raises
    ------
    UsageError : there is none, it was decided already, or the same person proposed it.
    """
    row = _lock(connection, standing_id)
    if row.approved_by is not None:
        raise UsageError(
            "Standing approval %(standing_id)s is approved already.", "Look at the list again.", standing_id=standing_id
        )
    if row.proposed_by == account:
        raise UsageError("%(account)s proposed it too.", "A second person approves it.", account=account)
    connection.execute(_QUERIES["approve"], {"id": standing_id, "account": account})


def revoke_standing(connection: Connection, standing_id: int, account: str, reason: str) -> None:
    """End a standing approval, or a proposal, at once and for good; one person is enough.

    Raises
    ------
    UsageError : there is none, it was revoked already, or the reason is missing.
    """
    _lock(connection, standing_id)
    if not reason.strip():
        raise UsageError("The reason is missing.", "Write why it is revoked.")
    connection.execute(_QUERIES["revoke"], {"id": standing_id, "account": account, "reason": reason.strip()})


def _lock(connection: Connection, standing_id: int) -> Row[Any]:
    row = connection.execute(_QUERIES["lock"], {"id": standing_id}).first()
    if row is None:
        raise UsageError("There is no standing approval %(standing_id)s.", "See the list.", standing_id=standing_id)
    if row.revoked_by is not None:
        raise UsageError(
            "Standing approval %(standing_id)s is revoked already.", "Propose a new one.", standing_id=standing_id
        )
    return row
