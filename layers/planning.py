"""Decides what a batch of changes leads to, given what the database has now; writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gis.errors import UsageError
from layers.changes import Conflict, Delete, Merged, Update, Values
from layers.merge import changed_names, merge


@dataclass(frozen=True)
class State:
    """A feature at one moment, personal attributes among its values.

    Attributes
    ----------
    personal_version : None without a personal row.
    is_deleted : the version is that of a deletion, with the last values.
    """

    version: int
    values: Values
    personal_version: int | None = None
    is_deleted: bool = False


@dataclass
class Plan:
    """What is to be written, and what is not.

    Attributes
    ----------
    updates : fid → the columns that change. restores : fid → all values.
    """

    updates: dict[int, Values] = field(default_factory=dict)
    restores: dict[int, Values] = field(default_factory=dict)
    deletes: list[int] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)
    merged: list[Merged] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)


def plan_changes(
    layer: str,
    changes: Mapping[int, tuple[Update | Delete, Values]],
    now: Mapping[int, State],
    bases: Mapping[int, State],
) -> Plan:
    """Plan updates and deletions.

    Parameters
    ----------
    changes : fid → the change and its checked values. now : the features as they are, the deleted ones marked.
    bases : what each person saw, where it is not what is so now.

    Raises
    ------
    UsageError : a feature or a version that never was.
    """
    plan = Plan()
    for fid, (change, wanted) in changes.items():
        if fid not in now:
            raise UsageError(
                "The layer %(layer)s never had a feature %(fid)s.", "Read the layer again.", layer=layer, fid=fid
            )
        base = bases.get(fid, now[fid] if change.base_version == now[fid].version else None)
        if base is None:
            raise UsageError(
                "The feature %(fid)s of %(layer)s never had a version %(version)s.",
                "Send the version that was read with the feature.",
                fid=fid,
                layer=layer,
                version=change.base_version,
            )
        if isinstance(change, Delete):
            _plan_delete(plan, change, base, now[fid])
        else:
            _plan_update(plan, change, wanted, base, now[fid])
    return plan


def _plan_update(plan: Plan, change: Update, wanted: Values, base: State, now: State) -> None:
    mine = {**base.values, **wanted}
    names = changed_names(base.values, mine)
    if now.is_deleted:
        if base.version == now.version:  # they saw that it was deleted, and want it back
            plan.restores[change.fid] = mine
        elif names:
            plan.conflicts.append(_conflict(change, base, now, None, mine, names))
        else:
            plan.unchanged.append(change.fid)
        return
    result = merge(base.values, now.values, mine)
    if result.colliding:
        plan.conflicts.append(_conflict(change, base, now, now.values, mine, result.colliding))
        return
    names = changed_names(now.values, result.values)
    if not names:
        plan.unchanged.append(change.fid)
        return
    plan.updates[change.fid] = {name: result.values[name] for name in names}
    if base is not now:
        plan.merged.append(Merged(change.fid, base.version, now.version, result.theirs, names))


def _plan_delete(plan: Plan, change: Delete, base: State, now: State) -> None:
    if now.is_deleted:
        plan.unchanged.append(change.fid)
        return
    theirs = changed_names(base.values, now.values)
    if theirs:
        plan.conflicts.append(_conflict(change, base, now, now.values, None, theirs))
        return
    plan.deletes.append(change.fid)


def _conflict(
    change: Update | Delete,
    base: State,
    now: State,
    theirs: Values | None,
    mine: Values | None,
    names: tuple[str, ...],
) -> Conflict:
    return Conflict(change.fid, base.version, now.version, now.personal_version, base.values, theirs, mine, names)
