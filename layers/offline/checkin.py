"""Brings a checked-out file back: what its person changed, merged with what others did meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from gis.errors import UsageError
from layers.changes import Change, Conflict, Delete, Insert, Outcome, Update
from layers.checking import InvalidChangesError
from layers.definition import Definition
from layers.editing import apply_changes
from layers.editing_words import value_text, word
from layers.offline.reading import Checkout, LayerWork


@dataclass(frozen=True)
class CheckedIn:
    """What became of the work on one layer.

    Attributes
    ----------
    outcome : its conflicts were not applied, everything else was.
    """

    definition: Definition
    outcome: Outcome


def check_in(
    connection: Connection, checkout: Checkout, definitions: Mapping[str, Definition], reason: str
) -> list[CheckedIn]:
    """Apply the work of a file in the caller's transaction, as the caller's role: one changeset.

    What collides with somebody else's work is held back and returned as conflicts; the rest is applied. The same file
    again changes nothing, and after more work in it only that work is new.

    Parameters
    ----------
    definitions : of the file's layers, as the catalogue has them now.

    Raises
    ------
    UsageError : a layer has changed its attributes since, values that the layer does not allow (all of them, by
        layer and row), or the role may not. Nothing is changed then; roll the transaction back.
    """
    for work in checkout.layers:
        _require_same_attributes(work, definitions[work.layer])
    done, problems = [], []
    # In the order of names: two check-ins never wait for each other in a circle.
    for work in sorted(checkout.layers, key=lambda work: work.layer):
        definition = definitions[work.layer]
        changes, added = _changes(work, definition, _known(connection, checkout.id, work.layer))
        if not changes:
            continue
        try:
            outcome = apply_changes(connection, definition, [change for _, change in changes], reason, True)
        except InvalidChangesError as error:
            rows = [row for row, _ in changes]
            for problem in error.problems:
                where = "" if problem.position is None else f", row {rows[problem.position]}"
                problems.append(f"{work.layer}{where}: {problem.text('en')}")
            if any(problem.position is None for problem in error.problems):
                break  # the database itself refused, so this transaction answers nothing more
            continue
        _remember(connection, checkout.id, work.layer, added, outcome.inserted)
        done.append(CheckedIn(definition, outcome))
    if problems:
        raise UsageError(
            "The file holds what cannot be stored:\n    " + "\n    ".join(problems),
            "Correct it in the file and check it in again; nothing was changed.",
        )
    return done


def owner_of_work(checkout: Checkout, definitions: Mapping[str, Definition]) -> Definition:
    """Return a layer of the department whose work the file holds (any of its layers when nothing was changed).

    Raises
    ------
    UsageError : layers of several departments were changed.
    """
    worked_on = [definitions[work.layer] for work in checkout.layers if work.inserted or work.updated or work.deleted]
    owners = sorted({definition.owner for definition in worked_on})
    if len(owners) > 1:
        raise UsageError(
            f"The file changes layers of several departments: {', '.join(owners)}.",
            "One check-in acts for one department; check out the layers of each into a file of its own.",
        )
    return worked_on[0] if worked_on else definitions[checkout.layers[0].layer]


def conflict_lines(definition: Definition, conflict: Conflict, language: str) -> list[str]:
    """Return a conflict in words: for each column in dispute what it was, what it is now, and what the file wants."""
    if conflict.theirs is None or conflict.mine is None:
        return [word("conflict", "they_deleted" if conflict.theirs is None else "mine_deleted", language)]
    lines = []
    for name in conflict.names:
        if name == "geom":
            lines.append(word("conflict", "geometry", language))
            continue
        attribute = definition.attribute(name)
        states = {"base": conflict.base, "theirs": conflict.theirs, "mine": conflict.mine}
        texts = {state: value_text(attribute, values.get(name), language) for state, values in states.items()}
        lines.append(word("conflict", "attribute", language).format(label=attribute.title(language), **texts))
    return lines


def _require_same_attributes(work: LayerWork, definition: Definition) -> None:
    now = {attribute.name: attribute.type for attribute in definition.table_attributes}
    for name, kind in work.columns.items():
        if now.get(name) != kind:
            raise UsageError(
                f"{definition.name}: the attribute {name} is no longer what it was when the file was made.",
                "Check the layer out again and carry the work over.",
            )


def _known(connection: Connection, checkout_id: str, layer: str) -> dict[int, int]:
    """Return row → fid of what was added in this file and is in already."""
    query = text("SELECT row_number, fid FROM gis.checked_in WHERE checkout_id = :id AND layer = :layer")
    rows = connection.execute(query, {"id": checkout_id, "layer": layer})
    return {row.row_number: row.fid for row in rows}


def _changes(
    work: LayerWork, definition: Definition, known: Mapping[int, int]
) -> tuple[list[tuple[int, Change]], list[int]]:
    """Return (row, change) of a layer, and the rows of its inserts in their order.

    A row that went in before is compared with the first version of its feature: what the row became since is the work.
    """
    changes: list[tuple[int, Change]] = []
    added = []
    defaults = {attribute.name for attribute in definition.attributes if attribute.default is not None}
    for row, feature in work.inserted.items():
        given = feature.attributes
        if row in known:
            # What was left empty got its default then.
            given = {name: value for name, value in given.items() if value is not None or name not in defaults}
            changes.append((row, Update(known[row], 1, given, feature.geometry)))
        else:
            filled = {name: value for name, value in given.items() if value is not None}
            changes.append((row, Insert(filled, feature.geometry)))
            added.append(row)
    changes += [
        (fid, Update(fid, change.version, change.attributes, change.geometry)) for fid, change in work.updated.items()
    ]
    changes += [(fid, Delete(fid, version)) for fid, version in work.deleted.items()]
    changes += [(row, Delete(fid, 1)) for row, fid in known.items() if row not in work.inserted]
    return changes, added


def _remember(connection: Connection, checkout_id: str, layer: str, rows: Sequence[int], fids: Sequence[int]) -> None:
    if rows:
        connection.execute(
            text("INSERT INTO gis.checked_in VALUES (:id, :layer, :row, :fid)"),
            [{"id": checkout_id, "layer": layer, "row": row, "fid": fid} for row, fid in zip(rows, fids, strict=True)],
        )
