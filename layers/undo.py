"""Takes a changeset back, as a changeset of its own; refused where later work builds on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from gis.errors import UsageError
from gis.queries import load_queries
from layers.attachment_history import AttachmentStep, attachment_steps, later_events, take_back_step
from layers.catalogue import load_layers
from layers.changes import Outcome, Values
from layers.copying import driver
from layers.definition import Definition
from layers.deltas import FeatureDelta, invert, read_deltas, readable_parts
from layers.history import Changeset, find_changeset
from layers.parts import (
    Part,
    delete_rows,
    feature_part,
    lock_rows,
    personal_part,
    put_rows,
    restore_rows,
    update_rows,
)
from layers.refusals import not_allowed, refusals

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class Dependant:
    """A later edit of a feature that the changeset touched."""

    table: str
    fid: int
    version: int
    operation: str
    changeset: Changeset


class UndoRefusedError(UsageError):
    """Later edits depend on the changeset; `dependants` lists them, the oldest first."""

    def __init__(self, changeset: int, dependants: Sequence[Dependant]) -> None:
        later = sorted({dependant.changeset.id for dependant in dependants})
        super().__init__(
            "Changeset %(changeset)s cannot be taken back: %(count)s later edits depend on it (changesets %(later)s).",
            "Take those back first, the newest first, or mend the features by hand.",
            changeset=changeset,
            count=len(dependants),
            later=", ".join(map(str, later)),
        )
        self.dependants = tuple(dependants)


def undo_changeset(connection: Connection, changeset: int, reason: str) -> dict[str, Outcome]:
    """Take back everything a changeset did, in the caller's transaction and role; return layer → outcome.

    Features that were deleted come back under their own fids, with their personal attributes. The new changeset's
    reason is `undo of <changeset>: <reason>`; being a changeset, it can be taken back itself.

    Raises
    ------
    UndoRefusedError : later edits of the same features depend on it.
    NotAllowedError : the role may not do the reverse edits, or not see all that is to be reversed.
    UsageError : there is no such changeset, or it changed no layer.
        After any of these the transaction must be rolled back.
    """
    find_changeset(connection, changeset)
    note = f"undo of {changeset}: {reason}".rstrip(": ")
    connection.execute(text("SELECT set_config('machimori.reason', :reason, true)"), {"reason": note})
    layers = load_layers(connection)
    # By name: two such transactions then never wait for each other in a circle.
    touched = {name: deltas for name in sorted(layers) if (deltas := _inverse(connection, layers[name], changeset))}
    steps = attachment_steps(connection, changeset)
    if not touched and not steps:
        raise UsageError(
            "Changeset %(changeset)s changed no layer that you may see.",
            "There is nothing to take back.",
            changeset=changeset,
        )
    dependants: list[Dependant] = []
    for name, deltas in touched.items():
        with refusals(layers[name]):
            dependants += _dependants(connection, layers[name], changeset, deltas)
    dependants += [
        Dependant(later.layer, later.fid, later.version, later.operation, later.changeset)
        for step in steps
        for later in later_events(connection, changeset, step)
    ]
    if dependants:
        raise UndoRefusedError(changeset, sorted(dependants, key=lambda dependant: dependant.changeset.id))
    outcomes = {name: _apply(connection, layers[name], deltas) for name, deltas in touched.items()}
    return _apply_steps(connection, layers, steps, outcomes)


def _apply_steps(
    connection: Connection,
    layers: Mapping[str, Definition],
    steps: Sequence[AttachmentStep],
    outcomes: dict[str, Outcome],
) -> dict[str, Outcome]:
    """Take the changeset's photos and documents back; after the features, so that one that came back has its own."""
    for step in steps:
        take_back_step(connection, layers[step.layer], step)
    if steps and not outcomes:
        (changeset,) = driver(connection).execute("SELECT gis.current_changeset()").fetchone() or (None,)
        return {name: Outcome(changeset=changeset) for name in {step.layer for step in steps}}
    return outcomes


def _inverse(connection: Connection, definition: Definition, changeset: int) -> list[FeatureDelta]:
    # A part that this role cannot see would stay as it is, half undone, without a word.
    parts = {part.name: part for part in readable_parts(connection, [definition])}
    feature, personal = _whole_parts(definition)
    if feature.name not in parts:
        return []
    deltas = read_deltas(connection, feature, changeset)
    if personal is not None and personal.name in parts:
        deltas += read_deltas(connection, personal, changeset)
    elif personal is not None and deltas:
        raise not_allowed(definition)
    return [invert(delta) for delta in deltas if delta.operation != "nothing"]


def _whole_parts(definition: Definition) -> tuple[Part, Part | None]:
    """The tables with the attributes out of use, too: a feature taken back has them as it had."""
    return feature_part(definition, with_retired=True), personal_part(definition, with_retired=True)


def _dependants(
    connection: Connection, definition: Definition, changeset: int, deltas: Iterable[FeatureDelta]
) -> list[Dependant]:
    """Lock what is to be reversed and return the later edits that still show."""
    feature, personal = _whole_parts(definition)
    left = {(delta.table, delta.fid): (delta.version, delta.old) for delta in deltas}
    if personal is not None:
        # Deleting a feature takes its personal row along: what was written there later depends on it, too.
        for delta in deltas:
            if delta.table == feature.name and delta.new is None:
                left.setdefault((personal.name, delta.fid), (0, None))
    found = []
    for part in filter(None, (feature, personal)):
        touched = {fid: state for (table, fid), state in left.items() if table == part.name}
        now = lock_rows(connection, part, touched)
        # Where later edits were themselves taken back, all is as the changeset left it: nothing depends on it any more.
        moved_on = {
            fid: version
            for fid, (version, values) in touched.items()
            if (now[fid].values if fid in now else None) != values
        }
        parameters = {"fids": list(moved_on), "versions": list(moved_on.values()), "changeset": changeset}
        rows = driver(connection).execute(part.compose(_QUERIES.sql("dependants")), parameters).fetchall()
        found += [
            Dependant(part.name, fid, version, operation, Changeset(*rest)) for fid, version, operation, *rest in rows
        ]
    return found


def _apply(connection: Connection, definition: Definition, deltas: Sequence[FeatureDelta]) -> Outcome:
    feature, personal = _whole_parts(definition)
    deletes, updates, restores = _sorted(deltas, feature)
    with refusals(definition):
        # Deletions first: a restored feature may need a key that an inserted one holds.
        deleted = delete_rows(connection, feature, deletes)
        updated = update_rows(connection, feature, updates)
        restored = restore_rows(connection, feature, restores)
        if (len(deleted), len(updated), len(restored)) != (len(deletes), len(updates), len(restores)):
            raise not_allowed(definition)  # a row policy left some out
        if personal is not None:
            gone, changed, back = _sorted(deltas, personal)
            delete_rows(connection, personal, set(gone) - deleted)
            put_rows(connection, personal, {**changed, **back})
        (changeset,) = driver(connection).execute("SELECT gis.current_changeset()").fetchone() or (None,)
    return Outcome(changeset=changeset, updated=updated, restored=restored, deleted=tuple(sorted(deleted)))


def _sorted(deltas: Iterable[FeatureDelta], part: Part) -> tuple[list[int], dict[int, Values], dict[int, Values]]:
    """Return (fids to delete, fid → values to set, fid → values to bring back) of one part."""
    deletes: list[int] = []
    updates: dict[int, Values] = {}
    restores: dict[int, Values] = {}
    for delta in deltas:
        if delta.table != part.name:
            continue
        if delta.new is None:
            deletes.append(delta.fid)
        elif delta.old is None:
            restores[delta.fid] = delta.new
        elif delta.changed:
            # A personal row is put whole, see layers/editing.py.
            is_whole = "geom" not in part.types
            updates[delta.fid] = delta.new if is_whole else {name: delta.new[name] for name in delta.changed}
    return deletes, updates, restores
