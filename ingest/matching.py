"""統合: find incidents that are one, join them, and take them apart again.

Works in transactions of its own, one at a time (`ingest.match` after an incident was written): it sees only what is
committed, so no two that came at the same moment miss each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, bindparam
from sqlalchemy.dialects.postgresql import JSONB

from gis.errors import UsageError
from gis.queries import load_queries
from ingest.desk_door import enter_desk, log_step
from ingest.likeness import MERGE_AT, PROPOSE_AT, Likeness, Traits, compare, order_of_lead
from ingest.policy import Policy, find_policy

_QUERIES = load_queries(__file__)
# More than a person can look at helps nobody: after an earthquake hundreds of reports are alike.
_MOST_PROPOSALS = 5


def match_incident(connection: Connection, fid: int) -> None:
    """Look for what an incident may be one with; join, propose, or let go of what no longer holds. Role: service.

    Raises
    ------
    sqlalchemy.exc.OperationalError : a row is being written just now (the job is tried again).
    """
    lock_merging(connection)
    own = _traits(connection, [fid]).get(fid)
    if own is None:
        return
    if own["state"] == "cancelled" or own["publication"] == "rejected":
        release_members(connection, fid, "lead_gone")
        connection.execute(_QUERIES["forget_proposals"], {"fid": fid, "others": []})
        if own["into_fid"] is not None:  # one of those who told of it takes it back
            connection.execute(_QUERIES["ask_again"], {"fid": own["into_fid"]})
        return
    policy = _policy(own)
    if policy is None:
        return
    if own["into_fid"] is not None:
        _check_member(connection, own, policy)
        return
    found = _find_alike(connection, own, policy)
    connection.execute(_QUERIES["forget_proposals"], {"fid": fid, "others": [row["fid"] for row, _ in found]})
    # A lead that moved may have left its members behind; nobody sees them meanwhile.
    for member in _traits(connection, list(connection.execute(_QUERIES["members"], {"fid": fid}).scalars())).values():
        _check_member(connection, member, policy)
    for other, likeness in found:
        if not _is_decided(connection, fid, other["fid"]):
            # A lead takes members in; it does not become one by itself: that would be a chain.
            if likeness.score >= MERGE_AT and _merge(connection, own, other, likeness):
                return
            _propose(connection, "join", fid, other["fid"], likeness)


def join(connection: Connection, fid: int, into_fid: int, reason: str) -> None:
    """Make an incident part of another, by hand. Role: dept_disaster (moderator).

    Raises
    ------
    UsageError : the same, unknown, of different status, one is part of a merge already, or was alerted about.
    """
    enter_desk(connection)
    lock_merging(connection)
    rows = _traits(connection, [fid, into_fid])
    if fid == into_fid or len(rows) < 2:
        raise UsageError("Two different incidents are needed.", "Give the number of the other incident.")
    member, lead = rows[fid], rows[into_fid]
    if member["status"] != lead["status"]:
        raise UsageError("A drill and a real incident cannot be one.", "Join incidents of the same status.")
    if member["into_fid"] or lead["into_fid"] or member["is_lead"]:
        raise UsageError("One of the two is part of a merge already.", "Split it first, or join the other way round.")
    if member["is_alerted"]:
        raise UsageError("The public was warned about this incident.", "Join the other one into this one instead.")
    if lead["state"] == "cancelled" or lead["publication"] in ("rejected", "expired"):
        raise UsageError("The other incident is withdrawn, rejected or over.", "Join into one that stands.")
    if not reason.strip():
        raise UsageError("Joining needs a reason.", "Say why they are one incident.")
    _write_merge(connection, fid, into_fid, None)
    connection.execute(_QUERIES["decide_pair"], {"fid": fid, "other": into_fid})
    for one in (fid, into_fid):
        log_step(connection, one, "joined", reason)


def split(connection: Connection, fid: int, reason: str) -> int:
    """Take an incident out of the one that it is part of; return that one's fid. Role: service or moderator.

    Raises
    ------
    UsageError : it is part of none, or there is no reason.
    """
    if not reason.strip():
        raise UsageError("Splitting needs a reason.", "Say why they are two incidents.")
    enter_desk(connection)
    lock_merging(connection)
    # Why stands in the book of the desk, for moderators alone.
    undone = connection.execute(_QUERIES["undo_merge"], {"fid": fid, "reason": "by_hand"}).first()
    if undone is None:
        raise UsageError("The incident is part of no other.", "Reload the page.")
    _give_back(connection, fid, undone)
    connection.execute(_QUERIES["decide_pair"], {"fid": fid, "other": undone.into_fid})
    for one in (fid, undone.into_fid):
        log_step(connection, one, "split", reason)
    return int(undone.into_fid)


def release_members(connection: Connection, fid: int, reason: str) -> list[int]:
    """Give the members of an incident that is no more their own again. The caller holds `lock_merging`."""
    members = list(connection.execute(_QUERIES["members"], {"fid": fid}).scalars())
    for member in members:
        undone = connection.execute(_QUERIES["undo_merge"], {"fid": member, "reason": reason}).one()
        _give_back(connection, member, undone)
    return members


def keep_apart(connection: Connection, fid: int, other: int) -> None:
    """Answer a proposal with no: the pair stays as it is and is not proposed again. Role: moderator."""
    enter_desk(connection)
    connection.execute(_QUERIES["decide_pair"], {"fid": fid, "other": other})


def _give_back(connection: Connection, fid: int, undone: Row[Any]) -> None:
    values = {"fid": fid, "publication": undone.publication_before, "into_fid": undone.into_fid}
    connection.execute(_QUERIES["give_back"], values)


def lock_merging(connection: Connection) -> None:
    """Let only one transaction at a time join and split; before any incident's row is locked."""
    connection.execute(_QUERIES["lock_merging"])


def _traits(connection: Connection, fids: Sequence[int]) -> Mapping[int, RowMapping]:
    rows = connection.execute(_QUERIES["traits"], {"fids": list(fids)}).mappings()
    return {row["fid"]: row for row in rows}


def _policy(row: RowMapping) -> Policy | None:
    """Return the rule by which it may be one with others: the widest of its sources'; None when it never may."""
    policies = [find_policy(row["kind"], source) for source in row["sources"]]
    return max((p for p in policies if p.merge_m > 0 and p.merge_h > 0), key=lambda p: p.merge_m, default=None)


def _find_alike(connection: Connection, own: RowMapping, policy: Policy) -> list[tuple[RowMapping, Likeness]]:
    values = {
        "fid": own["fid"],
        "kind": own["kind"],
        "status": own["status"],
        "occurred_at": own["occurred_at"],
        "reported_at": own["reported_at"],
        "seconds": timedelta(hours=policy.merge_h).total_seconds(),
    }
    fids = list(connection.execute(_QUERIES["near_in_time"], values).scalars())
    others = [row for row in _traits(connection, fids).values() if _policy(row) is not None]
    compared = zip(others, _compare(connection, own, others, policy), strict=True)
    alike = [(row, likeness) for row, likeness in compared if likeness.score >= PROPOSE_AT]
    return sorted(alike, key=lambda pair: (-pair[1].score, pair[0]["fid"]))[:_MOST_PROPOSALS]


def _compare(connection: Connection, one: RowMapping, others: Sequence[RowMapping], policy: Policy) -> list[Likeness]:
    """Return how alike each of the others is; not at all when a place is not known."""
    places = {"one": one["place"], "others": [row["place"] for row in others]}
    distances = connection.execute(_QUERIES["distances"], places).scalars() if others else ()
    return [
        Likeness(0.0, ()) if metres is None else compare(_as_traits(one), _as_traits(row), metres, policy)
        for row, metres in zip(others, distances, strict=True)
    ]


def _as_traits(row: RowMapping) -> Traits:
    return Traits(row["category"], row["occurred_at"], row["accuracy_m"], row["words"], frozenset(row["sources"]))


def _merge(connection: Connection, own: RowMapping, other: RowMapping, likeness: Likeness) -> bool:
    """Join the two by themselves; False when that is for a person to decide."""
    candidates = [(r["fid"], r["is_alerted"], set(r["sources"]) != {"citizen"}, r["occurred_at"]) for r in (own, other)]
    lead, member = order_of_lead(candidates)
    rows = {own["fid"]: own, other["fid"]: other}
    if rows[member]["is_alerted"] or rows[member]["is_lead"]:
        return False
    if rows[member]["publication"] == "published" and rows[lead]["publication"] != "published":
        # What the public sees must not vanish into what nobody has looked at.
        return False
    _write_merge(connection, member, lead, likeness)
    return True


def _write_merge(connection: Connection, fid: int, into_fid: int, likeness: Likeness | None) -> None:
    connection.execute(_QUERIES["lock_rows"], {"fids": sorted([fid, into_fid])})
    values = {
        "fid": fid,
        "into": into_fid,
        "score": likeness and likeness.score,
        "reasons": list(likeness.reasons) if likeness else [],
    }
    connection.execute(_with_reasons("insert_merge"), values)
    connection.execute(_QUERIES["mark_merged"], {"fid": fid})


def _check_member(connection: Connection, own: RowMapping, policy: Policy) -> None:
    """Propose to take a member out that is no longer like the one that it is part of."""
    lead = _traits(connection, [own["into_fid"]])[own["into_fid"]]
    (likeness,) = _compare(connection, own, [lead], policy)
    is_unlike = likeness.score < PROPOSE_AT or own["kind"] != lead["kind"] or own["status"] != lead["status"]
    if is_unlike and not _is_decided(connection, own["fid"], lead["fid"]):
        _propose(connection, "split", own["fid"], lead["fid"], likeness)
        connection.execute(_QUERIES["ask_again"], {"fid": lead["fid"]})


def _propose(connection: Connection, proposal: str, fid: int, other: int, likeness: Likeness) -> None:
    values: dict[str, Any] = {"fid": fid, "other": other, "proposal": proposal, "score": likeness.score}
    connection.execute(_with_reasons("propose"), values | {"reasons": list(likeness.reasons)})


def _is_decided(connection: Connection, fid: int, other: int) -> bool:
    return bool(connection.execute(_QUERIES["decided_apart"], {"fid": fid, "other": other}).scalar_one())


def _with_reasons(block: str) -> Any:
    return _QUERIES[block].bindparams(bindparam("reasons", type_=JSONB))
