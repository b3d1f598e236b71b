"""What a changeset did, feature by feature, in a form that can be turned around."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from gis.queries import load_queries
from layers.changes import Values
from layers.copying import driver
from layers.definition import Definition
from layers.merge import changed_names
from layers.parts import Part, Row, feature_part, personal_part, read_versions

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class FeatureDelta:
    """One feature before and after a changeset.

    Attributes
    ----------
    table : `<layer>`, or `<layer>_personal` for its personal attributes.
    old, new : all values, None where the feature was not there. version : the last one the changeset made.
    """

    table: str
    fid: int
    version: int
    old: Values | None
    new: Values | None

    @property
    def operation(self) -> str:
        """`insert`, `update` or `delete`; `nothing` for a feature that came and went."""
        if self.old is None:
            return "nothing" if self.new is None else "insert"
        return "delete" if self.new is None else "update"

    @property
    def changed(self) -> tuple[str, ...]:
        """The columns that differ."""
        return changed_names(self.old or {}, self.new or {})


def invert(delta: FeatureDelta) -> FeatureDelta:
    """Return the delta that takes it back.

    Examples
    --------
    >>> invert(FeatureDelta("shelter", 7, 2, {"name": "a"}, {"name": "b"})).new
    {'name': 'a'}
    """
    return FeatureDelta(delta.table, delta.fid, delta.version, delta.new, delta.old)


def layer_parts(definition: Definition) -> tuple[Part, ...]:
    """Return the tables of a layer that have a history."""
    personal = personal_part(definition)
    return (feature_part(definition), *([personal] if personal else ()))


def readable_parts(connection: Connection, definitions: Iterable[Definition]) -> list[Part]:
    """Return the tables whose history the running role may read."""
    parts = [part for definition in definitions for part in layer_parts(definition)]
    query = _QUERIES.sql("readable")
    rows = driver(connection).execute(query, {"names": [part.name for part in parts]}).fetchall()
    readable = {name for (name,) in rows}
    return [part for part in parts if part.name in readable]


def read_deltas(
    connection: Connection, part: Part, changeset: int, after: int = 0, limit: int | None = None
) -> list[FeatureDelta]:
    """Return what a changeset did to one table, by fid; only those fids `after` one, at most `limit`.

    Several versions that one changeset made of a feature count as one step.
    """
    parameters = {"changeset": changeset, "after": after, "limit": limit}
    spans = driver(connection).execute(part.compose(_QUERIES.sql("spans")), parameters).fetchall()
    pairs = [(fid, version) for fid, first, last in spans for version in (first - 1, last)]
    versions = read_versions(connection, part, pairs)
    return [
        FeatureDelta(
            part.name, fid, last, _standing(versions.get((fid, first - 1))), _standing(versions.get((fid, last)))
        )
        for fid, first, last in spans
    ]


def _standing(row: Row | None) -> Values | None:
    return None if row is None or row.operation == "delete" else row.values
