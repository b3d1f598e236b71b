"""The history of a feature, a layer, a person; what a changeset did.

Runs as a role that may read the schema `history`: a department or the service, never the citizen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from gis.errors import UsageError
from gis.queries import load_queries
from layers.catalogue import load_layers
from layers.changes import Values
from layers.copying import driver
from layers.definition import Definition
from layers.deltas import FeatureDelta, read_deltas, readable_parts
from layers.differences import Difference, ShapeChange, differences
from layers.parts import Part, feature_part
from layers.refusals import refusals

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class Changeset:
    """Everything one person did at one go.

    Attributes
    ----------
    counts : table (`<layer>` or `<layer>_personal`) → operation → how many versions; only what the caller asked for.
    """

    id: int
    account: str
    role_name: str
    reason: str
    created_at: datetime
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Version:
    """One entry in the life of a feature.

    Attributes
    ----------
    operation : `insert`, `update`, `delete`, or `restore` for an insert of what was deleted before.
    valid_to : None when it still stands. differences : to the version before; empty for the first and for deletions.
    """

    fid: int
    version: int
    operation: str
    valid_from: datetime
    valid_to: datetime | None
    changeset: Changeset
    values: Values
    differences: tuple[Difference, ...]


def feature_history(connection: Connection, definition: Definition, fid: int) -> list[Version]:
    """Return the versions of a feature, the newest first; empty when there never was one.

    Raises
    ------
    NotAllowedError : the role may not read the layer's history.
    """
    part = feature_part(definition)
    with refusals(definition):
        query = part.compose(_QUERIES.sql("feature_history"))
        rows = driver(connection).execute(query, {"fid": fid}).fetchall()
    versions: list[Version] = []
    before: Values | None = None
    for version, operation, valid_from, valid_to, moved, length, area, *rest in rows:
        changeset, values = Changeset(*rest[:5]), dict(zip(part.columns, rest[5:], strict=True))
        is_compared = before is not None and operation != "delete"
        found = differences(before or {}, values, ShapeChange(moved, length, area)) if is_compared else ()
        name = "restore" if operation == "insert" and before is not None else operation
        versions.append(Version(fid, version, name, valid_from, valid_to, changeset, values, found))
        before = values
    return versions[::-1]


def layer_history(
    connection: Connection, definition: Definition, limit: int = 50, before: int | None = None
) -> list[Changeset]:
    """Return the changesets that touched a layer, the newest first; `before` is the id that ended the last page."""
    with refusals(definition):
        query = feature_part(definition).compose(_QUERIES.sql("layer_history"))
        values = {"before": before, "limit": limit, "layer": definition.name}
        run = driver(connection).execute
        # Photos and documents beside its features are part of a layer's life.
        touching = [*run(query, values), *run(_QUERIES.sql("attachment_changesets"), values)]
        ids = sorted({id_ for (id_,) in touching}, reverse=True)[:limit]
        return _changesets(connection, ids, [feature_part(definition)])


def person_history(connection: Connection, account: str, limit: int = 50, before: int | None = None) -> list[Changeset]:
    """Return the changesets of a person across all layers the role may read, the newest first."""
    parameters = {"account": account, "before": before, "limit": limit}
    rows = driver(connection).execute(_QUERIES.sql("person_history"), parameters).fetchall()
    return _changesets(
        connection, [id_ for (id_,) in rows], readable_parts(connection, load_layers(connection).values())
    )


def find_changeset(connection: Connection, changeset: int) -> Changeset:
    """Return one changeset with its counts.

    Raises
    ------
    UsageError : there is none of that number.
    """
    parts = readable_parts(connection, load_layers(connection).values())
    found = _changesets(connection, [changeset], parts)
    if not found:
        raise UsageError(
            "There is no changeset %(changeset)s.",
            "Look for it in the history of a feature or a person.",
            changeset=changeset,
        )
    return found[0]


def changeset_contents(
    connection: Connection, changeset: int, limit: int | None = None, after: tuple[str, int] | None = None
) -> list[FeatureDelta]:
    """Return what a changeset did, by table and fid, in all layers whose history the role may read.

    Parameters
    ----------
    limit : at most so many. after : (table, fid) that ended the last page; empty when the table is none to be read.
    """
    parts = readable_parts(connection, load_layers(connection).values())
    if after is not None:
        names = [part.name for part in parts]
        parts = parts[names.index(after[0]) :] if after[0] in names else []
    found: list[FeatureDelta] = []
    for part in parts:
        last = after[1] if after is not None and part.name == after[0] else 0
        found += read_deltas(connection, part, changeset, last, None if limit is None else limit - len(found))
        if limit is not None and len(found) >= limit:
            break
    return found


def _changesets(connection: Connection, ids: list[int], parts: list[Part]) -> list[Changeset]:
    run = driver(connection).execute
    counts: dict[int, dict[str, dict[str, int]]] = {}
    for part in parts:
        for id_, operation, number in run(part.compose(_QUERIES.sql("counts")), {"ids": ids}).fetchall():
            counts.setdefault(id_, {}).setdefault(part.name, {})[operation] = number
    rows = run(_QUERIES.sql("changesets"), {"ids": ids}).fetchall()
    return [
        Changeset(id_, account, role_name, reason, created_at, counts.get(id_, {}))
        for id_, account, role_name, reason, created_at in rows
    ]
