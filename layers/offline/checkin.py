"""Brings a checked-out file back: what its person changed, merged with what others did meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from gis.errors import Phrase, UsageError
from layers.changes import Conflict, Outcome
from layers.checking import InvalidChangesError
from layers.definition import Definition
from layers.editing import apply_changes
from layers.editing_words import value_text, word
from layers.offline.changes import Choice, find_pending, read_settled, remember_settled
from layers.offline.reading import Checkout


@dataclass(frozen=True)
class CheckedIn:
    """What became of the work on one layer.

    Attributes
    ----------
    outcome : its conflicts were not applied, everything else was.
    given_up : fids in which the person chose what others did.
    """

    definition: Definition
    outcome: Outcome
    given_up: tuple[int, ...] = ()


def check_in(
    connection: Connection,
    checkout: Checkout,
    definitions: Mapping[str, Definition],
    reason: str,
    choices: Mapping[tuple[str, int], Choice] | None = None,
    is_outdated_left_out: bool = False,
) -> list[CheckedIn]:
    """Apply the work of a file in the caller's transaction, as the caller's role: one changeset.

    What collides with somebody else's work is held back and returned as conflicts; the rest is applied. The same file
    again changes nothing, whatever others have done since; after more work in it only that work is new.

    Parameters
    ----------
    definitions : of the file's layers, as the catalogue has them now.
    choices : (layer, fid) → how a conflict of an earlier look is settled.
    is_outdated_left_out : leave out values of attributes that the layers no longer have, instead of refusing them.

    Raises
    ------
    UsageError : values of attributes that are gone, values that the layer does not allow (all of them, by layer and
        row), or the role may not. Nothing is changed then; roll the transaction back.
    """
    done: list[CheckedIn] = []
    problems: list[Phrase] = []
    # In the order of names: two check-ins never wait for each other in a circle.
    for work in sorted(checkout.layers, key=lambda work: work.layer):
        definition, layer = definitions[work.layer], work.layer
        pending = find_pending(
            work,
            definition,
            _known(connection, checkout.id, layer),
            read_settled(connection, checkout.id, layer),
            {fid: choice for (name, fid), choice in (choices or {}).items() if name == layer},
        )
        if pending.outdated and not is_outdated_left_out:
            problems += [
                Phrase(
                    "%(layer)s, row %(row)s is no longer an attribute of this kind",
                    {"layer": definition.heading, "row": line},
                )
                for line in pending.outdated
            ]
            continue
        try:
            changes = [change for _, change in pending.changes]
            outcome = apply_changes(connection, definition, changes, reason, True) if changes else Outcome()
        except InvalidChangesError as error:
            rows = [row for row, _ in pending.changes]
            for problem in error.problems:
                blanks = {"layer": definition.heading, "problem": problem}
                if problem.position is None:
                    problems.append(Phrase("%(layer)s: %(problem)s", blanks))
                else:
                    blanks["row"] = rows[problem.position]
                    problems.append(Phrase("%(layer)s, row %(row)s: %(problem)s", blanks))
            if any(problem.position is None for problem in error.problems):
                break  # the database itself refused, so this transaction answers nothing more
            continue
        _remember(connection, checkout.id, layer, list(pending.added), outcome.inserted)
        remember_settled(connection, checkout.id, layer, pending, outcome)
        if changes or pending.given_up:
            done.append(CheckedIn(definition, outcome, tuple(pending.given_up)))
    if problems:
        raise UsageError(
            "The file holds what cannot be stored:\n    %(problems)s",
            "Correct it in the file and check it in again; nothing was changed.",
            problems=problems,
        )
    mark = "UPDATE gis.checkout SET returned_at = now() WHERE id = :id"
    connection.execute(text(mark), {"id": checkout.id})
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
            "The file changes layers of several departments: %(owners)s.",
            "One check-in acts for one department; check out the layers of each into a file of its own.",
            owners=", ".join(owners),
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


def _known(connection: Connection, checkout_id: str, layer: str) -> dict[int, int]:
    """Return row → fid of what was added in this file and is in already."""
    query = text("SELECT row_number, fid FROM gis.checked_in WHERE checkout_id = :id AND layer = :layer")
    rows = connection.execute(query, {"id": checkout_id, "layer": layer})
    return {row.row_number: row.fid for row in rows}


def _remember(connection: Connection, checkout_id: str, layer: str, rows: Sequence[int], fids: Sequence[int]) -> None:
    if rows:
        connection.execute(
            text("INSERT INTO gis.checked_in VALUES (:id, :layer, :row, :fid)"),
            [{"id": checkout_id, "layer": layer, "row": row, "fid": fid} for row, fid in zip(rows, fids, strict=True)],
        )
