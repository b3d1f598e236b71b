"""Applies what a person changed in a layer: one batch, one changeset, nobody's work lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from gis.errors import UsageError
from layers.changes import Change, Delete, Insert, Outcome, Update, Values
from layers.checking import check_changes
from layers.copying import driver
from layers.definition import Definition
from layers.merges import record_merges
from layers.parts import (
    Part,
    delete_rows,
    feature_part,
    insert_rows,
    last_versions,
    lock_rows,
    personal_part,
    put_rows,
    read_versions,
    restore_rows,
    update_rows,
)
from layers.planning import Plan, State, plan_changes
from layers.refusals import not_allowed, refusals


def apply_changes(
    connection: Connection,
    definition: Definition,
    changes: Sequence[Change],
    reason: str | None = None,
    is_rest_applied: bool = False,
) -> Outcome:
    """Apply a batch in the caller's transaction, as the caller's role; it becomes one changeset.

    A change that saw an older version is merged with what others did meanwhile: attributes that do not collide
    merge by themselves, the others come back as conflicts. Whoever edits several layers in one transaction takes
    them in the order of their names, so that two such transactions never wait for each other in a circle.

    Parameters
    ----------
    reason : why, for the history; None keeps the transaction's own (`Database.begin`).
    is_rest_applied : False: one conflict holds back the whole batch. True (a check-in from offline work): what has
        no conflict is applied.

    Raises
    ------
    InvalidChangesError : values that the layer does not allow, with their attributes.
    NotAllowedError : the role may not. ChangedMeanwhileError : somebody was quicker.
    UsageError : two changes of one feature, or a feature or version that never was.
        After any of these the transaction must be rolled back.
    """
    checked = check_changes(definition, changes)
    wanted = _by_feature(definition, changes, checked)
    if reason is not None:
        connection.execute(text("SELECT set_config('machimori.reason', :reason, true)"), {"reason": reason})
    with refusals(definition):
        now, bases = _read_states(connection, definition, wanted)
        plan = plan_changes(definition.name, wanted, now, bases)
        if plan.conflicts and not is_rest_applied:
            return Outcome(conflicts=tuple(plan.conflicts), unchanged=tuple(plan.unchanged))
        new = [values for change, values in zip(changes, checked, strict=True) if isinstance(change, Insert)]
        return _write(connection, definition, plan, new, now)


def _by_feature(
    definition: Definition, changes: Sequence[Change], checked: Sequence[Values]
) -> dict[int, tuple[Update | Delete, Values]]:
    found: dict[int, tuple[Update | Delete, Values]] = {}
    for change, values in zip(changes, checked, strict=True):
        if isinstance(change, Insert):
            continue
        if not (0 < change.fid < 2**63 and 0 < change.base_version < 2**31):
            raise UsageError(
                "There is no feature %(fid)s of %(layer)s with a version %(version)s.",
                "Send fid and version as they were read.",
                fid=change.fid,
                layer=definition.name,
                version=change.base_version,
            )
        if change.fid in found:
            raise UsageError(
                "Two changes of the feature %(fid)s of %(layer)s in one batch.",
                "Put them together into one.",
                fid=change.fid,
                layer=definition.name,
            )
        found[change.fid] = change, values
    return found


def _read_states(
    connection: Connection, definition: Definition, wanted: Mapping[int, tuple[Update | Delete, Values]]
) -> tuple[dict[int, State], dict[int, State]]:
    """Lock the features and return (fid → as it is now, fid → as the person saw it where that differs)."""
    if not wanted:
        return {}, {}
    part = feature_part(definition)
    locked = lock_rows(connection, part, wanted)
    missing = wanted.keys() - locked.keys()
    last = last_versions(connection, part, missing) if missing else {}
    alive = [fid for fid, row in last.items() if row.operation != "delete"]
    if alive:
        locked |= lock_rows(connection, part, alive)  # somebody brought it back between the two looks
        if any(fid not in locked for fid in alive):
            raise not_allowed(definition)  # it is there, but a row policy keeps it from this role
    now = {fid: State(row.version, row.values) for fid, row in locked.items()}
    now |= {fid: State(row.version, row.values, is_deleted=True) for fid, row in last.items() if fid not in locked}
    seen = {fid: change.base_version for fid, (change, _) in wanted.items()}
    stale = [(fid, version) for fid, version in seen.items() if fid in now and now[fid].version != version]
    versions = read_versions(connection, part, stale)
    bases = {fid: State(row.version, row.values) for (fid, _), row in versions.items()}
    _add_personal(connection, definition, wanted, now, bases)
    return now, bases


def _add_personal(
    connection: Connection,
    definition: Definition,
    wanted: Mapping[int, tuple[Update | Delete, Values]],
    now: dict[int, State],
    bases: dict[int, State],
) -> None:
    """Add the personal attributes to the states of those features of which some change touches them.

    Only then: other roles edit the layer, too, and may not read them.
    """
    part = personal_part(definition)
    if part is None:
        return
    seen = {
        fid: change.base_personal_version
        for fid, (change, values) in wanted.items()
        if isinstance(change, Update) and part.select(values) and fid in now
    }
    rows = lock_rows(connection, part, seen)
    nothing: Values = dict.fromkeys(part.columns)
    known = read_versions(connection, part, [(fid, version) for fid, version in seen.items() if version is not None])
    for fid, version in seen.items():
        row, state = rows.get(fid), now[fid]
        base = bases.get(fid, state if wanted[fid][0].base_version == state.version else None)
        if base is None:  # a version that never was: the plan refuses it
            continue
        base_row = known.get((fid, version)) if version is not None else None
        now_values = row.values if row else nothing
        base_values = base_row.values if base_row else nothing
        now[fid] = State(state.version, {**state.values, **now_values}, row.version if row else None, state.is_deleted)
        if base is not state or base_values != now_values:
            bases[fid] = State(base.version, {**base.values, **base_values}, version, base.is_deleted)


def _write(
    connection: Connection, definition: Definition, plan: Plan, new: Sequence[Values], now: Mapping[int, State]
) -> Outcome:
    part, personal = feature_part(definition), personal_part(definition)
    _require_all(definition, delete_rows(connection, part, plan.deletes), plan.deletes)
    touched = {fid: part.select(values) for fid, values in plan.updates.items()}
    updated = update_rows(connection, part, {fid: values for fid, values in touched.items() if values})
    _require_all(definition, updated, [fid for fid, values in touched.items() if values])
    restored = restore_rows(connection, part, {fid: part.select(values) for fid, values in plan.restores.items()})
    inserted = _insert(connection, definition, part, new)
    if personal is not None:
        given = {**dict(zip(inserted, new, strict=True)), **plan.restores}
        rows = {fid: personal.select(values) for fid, values in given.items()}
        for fid, values in plan.updates.items():
            if personal.select(values):
                # All of them: the row may be new, and then what is required must be there.
                rows[fid] = personal.select({**now[fid].values, **values})
                updated.setdefault(fid, now[fid].version)
        put_rows(connection, personal, {fid: values for fid, values in rows.items() if values})
    is_written = bool(plan.deletes or updated or restored or inserted)
    changeset = driver(connection).execute("SELECT gis.current_changeset()").fetchone() if is_written else None
    if changeset:
        record_merges(connection, changeset[0], definition.name, plan.merged)
    return Outcome(
        changeset[0] if changeset else None,
        tuple(inserted),
        updated,
        restored,
        tuple(plan.deletes),
        tuple(plan.unchanged),
        tuple(plan.merged),
        tuple(plan.conflicts),
    )


def _insert(connection: Connection, definition: Definition, part: Part, new: Sequence[Values]) -> list[int]:
    """Insert in the order of the key, so that two batches with the same keys wait for each other, never in a circle."""

    def by_key(position: int) -> str:
        return str(new[position].get(definition.key) or "")

    order: list[int] = sorted(range(len(new)), key=by_key)
    made = insert_rows(connection, part, [part.select(new[position]) for position in order])
    fids: dict[int, int] = {position: fid for position, (fid, _) in zip(order, made, strict=True)}
    return [fids[position] for position in range(len(new))]


def _require_all(definition: Definition, done: Any, wanted: Sequence[int]) -> None:
    """A row policy hides rows from UPDATE and DELETE without a word: that is a refusal, not a success."""
    if len(done) != len(wanted):
        raise not_allowed(definition)
