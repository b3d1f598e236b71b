"""What of a file's work is still to be done: not what came in or was given up before, under the names of today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, text

from layers.changes import KEEP, Change, Delete, Insert, Keep, Outcome, Update
from layers.definition import Definition
from layers.offline.reading import Column, LayerWork

_DELETED = "(deleted)"
WHOLE = "*"


@dataclass(frozen=True)
class Choice:
    """How a person settles one conflict.

    Attributes
    ----------
    theirs_version : the version that stood beside the file's when they chose.
    theirs : the columns in dispute, by their names of today, in which the file gives way; of a feature that one side
        deleted `WHOLE` or nothing.
    """

    theirs_version: int
    theirs: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Settled:
    """What of a feature's work is settled: its version then, and the file's values of then by column of the file."""

    version: int
    taken: Mapping[str, Any]


@dataclass
class Pending:
    """The changes of a layer that are still to be done.

    Attributes
    ----------
    changes : (row of the file, change). added : row → values of the file of the inserts, in their order.
    taken : fid → (version to remember unless the change makes a new one, values of the file by its columns).
    given_up : fids that need no change any more, only to be remembered.
    outdated : "row: column" of values whose attribute the layer no longer has.
    """

    changes: list[tuple[int, Change]] = field(default_factory=list)
    added: dict[int, dict[str, Any]] = field(default_factory=dict)
    taken: dict[int, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    given_up: list[int] = field(default_factory=list)
    outdated: list[str] = field(default_factory=list)


def names_of_today(columns: Mapping[str, Column], definition: Definition) -> dict[str, str]:
    """Return column of the file → attribute's name now; what was retired or changed its type has none."""
    now = {attribute.origin or attribute.name: attribute for attribute in definition.table_attributes}
    return {
        name: now[column.origin].name
        for name, column in columns.items()
        if column.origin in now and now[column.origin].type == column.type
    }


def find_pending(
    work: LayerWork,
    definition: Definition,
    known: Mapping[int, int],
    settled: Mapping[int, Settled],
    choices: Mapping[int, Choice],
) -> Pending:
    """Return what is to be done.

    Parameters
    ----------
    known : row → fid of rows added in the file that went in before: compared with the first version of their feature.
    settled : fid → what of its work came in or was given up before. choices : fid → how its conflict is settled.
    """
    found, today = Pending(), names_of_today(work.columns, definition)
    defaults = {attribute.name for attribute in definition.attributes if attribute.default is not None}
    for row, feature in work.inserted.items():
        given = {name: value for name, value in feature.attributes.items() if value is not None}
        if row not in known:
            attributes = {today[name]: value for name, value in given.items() if name in today}
            found.outdated += [f"{row}: {name}" for name in given if name not in today]
            found.changes.append((row, Insert(attributes, feature.geometry)))
            found.added[row] = {**feature.attributes, "geom": _plain(feature.geometry)}
            continue
        # What was left empty got its default then.
        kept = {name: value for name, value in feature.attributes.items() if today.get(name) not in defaults}
        wanted = {**kept, **given, "geom": feature.geometry}
        _add_update(found, row, known[row], 1, wanted, settled.get(known[row]), choices, today)
    for fid in sorted(work.updated.keys() | (settled.keys() & work.originals.keys()) - work.deleted.keys()):
        change, original = work.updated.get(fid), work.originals[fid]
        wanted = dict(change.attributes) if change else {}
        if change and change.geometry is not KEEP:
            wanted["geom"] = change.geometry
        # What was taken before and stands again as it was when the file was made is work, too: the way back.
        taken = settled[fid].taken if fid in settled else {}
        wanted |= {name: original[name] for name in taken if name not in wanted and name in original}
        version = change.version if change else settled[fid].version
        _add_update(found, fid, fid, version, wanted, settled.get(fid), choices, today)
    gone = {fid: (fid, version) for fid, version in work.deleted.items()}
    gone |= {fid: (row, 1) for row, fid in known.items() if row not in work.inserted}
    for fid, (row, version) in gone.items():
        _add_delete(found, row, fid, version, settled.get(fid), choices)
    return found


def _add_update(
    found: Pending,
    row: int,
    fid: int,
    version: int,
    wanted: Mapping[str, Any],
    settled: Settled | None,
    choices: Mapping[int, Choice],
    today: Mapping[str, str],
) -> None:
    before = dict(settled.taken) if settled else {}
    fresh = {name: value for name, value in wanted.items() if name not in before or _plain(value) != before[name]}
    if not fresh:
        return
    choice = choices.get(fid)
    base = choice.theirs_version if choice else settled.version if settled else version
    attributes: dict[str, Any] = {}
    geometry: Any | Keep = KEEP
    for name, value in fresh.items():
        is_wanted = choice is None or not {today.get(name, name), WHOLE} & choice.theirs
        if name == "geom":
            geometry = value if is_wanted else KEEP
        elif name not in today:
            found.outdated.append(f"{row}: {name}")
        elif is_wanted:
            attributes[today[name]] = value
    found.taken[fid] = base, {**before, **{name: _plain(value) for name, value in fresh.items()}}
    if attributes or geometry is not KEEP:
        found.changes.append((row, Update(fid, base, attributes, geometry)))
    else:
        found.given_up.append(fid)


def _add_delete(
    found: Pending, row: int, fid: int, version: int, settled: Settled | None, choices: Mapping[int, Choice]
) -> None:
    if settled and _DELETED in settled.taken:
        return
    choice = choices.get(fid)
    base = choice.theirs_version if choice else settled.version if settled else version
    found.taken[fid] = base, {_DELETED: True}
    if choice is None or not choice.theirs:
        found.changes.append((row, Delete(fid, base)))
    else:
        found.given_up.append(fid)


def read_settled(connection: Connection, checkout_id: str, layer: str) -> dict[int, Settled]:
    """Return fid → what of its work is settled, as far as the role's department did it."""
    query = text("SELECT fid, version, taken FROM gis.checked_in_change WHERE checkout_id = :id AND layer = :layer")
    rows = connection.execute(query, {"id": checkout_id, "layer": layer})
    return {row.fid: Settled(row.version, row.taken) for row in rows}


def remember_settled(
    connection: Connection, checkout_id: str, layer: str, pending: Pending, outcome: Outcome | None
) -> None:
    """Write down what came in or was given up, but not what waits in a conflict."""
    waiting = {conflict.fid for conflict in outcome.conflicts} if outcome else set()
    made = {**outcome.updated, **outcome.restored} if outcome else {}
    settled = {fid: (made.get(fid, version), taken) for fid, (version, taken) in pending.taken.items()}
    if outcome:
        settled |= {fid: (1, taken) for fid, taken in zip(outcome.inserted, pending.added.values(), strict=True)}
    rows = [
        {"id": checkout_id, "layer": layer, "fid": fid, "version": version, "taken": orjson.dumps(taken).decode()}
        for fid, (version, taken) in settled.items()
        if fid not in waiting
    ]
    if rows:
        query = (
            "INSERT INTO gis.checked_in_change (checkout_id, layer, fid, version, taken)"
            " VALUES (:id, :layer, :fid, :version, CAST(:taken AS jsonb))"
            " ON CONFLICT (checkout_id, layer, fid) DO UPDATE SET version = excluded.version, taken = excluded.taken"
        )
        connection.execute(text(query), rows)


def _plain(value: Any) -> Any:
    """Return a value as JSON keeps it, a shape as its WKB in hexadecimal."""
    return value.wkb_hex if hasattr(value, "wkb_hex") else value
