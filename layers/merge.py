"""Three-way merge of a feature's values: base (what both saw), theirs (what is so now), mine (what is asked)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Merge:
    """The result of a merge.

    Attributes
    ----------
    values : all values; in a dispute, mine.
    theirs, mine : the columns each changed since base. colliding : those both changed, to different values.
    """

    values: dict[str, Any]
    theirs: tuple[str, ...]
    mine: tuple[str, ...]
    colliding: tuple[str, ...]


def merge(base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> Merge:
    """Merge value by value.

    A geometry is one value: two people who moved different vertices of one line disagree about its course, and
    geometries are the same only when point for point the same (the direction of a pipe is its flow).
    A key that one side lacks counts as None (an attribute added to the layer meanwhile).

    Examples
    --------
    >>> merge({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 3}).values
    {'a': 2, 'b': 3}
    >>> merge({"a": 1}, {"a": 2}, {"a": 3}).colliding
    ('a',)
    """
    theirs_changed = changed_names(base, theirs)
    mine_changed = changed_names(base, mine)
    return Merge(
        values={**theirs, **{name: mine.get(name) for name in mine_changed}},
        theirs=theirs_changed,
        mine=mine_changed,
        colliding=tuple(name for name in mine_changed if name in theirs_changed and mine.get(name) != theirs.get(name)),
    )


def changed_names(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys whose value differs, in the order of `old`; a missing key counts as None."""
    return tuple(name for name in {**old, **new} if old.get(name) != new.get(name))
