"""The difference between two versions of a feature, in values and in words."""

from __future__ import annotations

from dataclasses import dataclass

from layers.changes import Values
from layers.definition import Definition
from layers.editing_words import value_text, word
from layers.merge import changed_names

# Below this a number of metres reads as 0.00.
_LEAST_M = 0.005


@dataclass(frozen=True)
class ShapeChange:
    """How a geometry changed, on the ellipsoid.

    Attributes
    ----------
    moved_m : distance between the centroids. length_m, area_m2 : gained (negative: lost).
        None when one of the two has no position.
    """

    moved_m: float | None
    length_m: float | None
    area_m2: float | None


@dataclass(frozen=True)
class Difference:
    """One column that differs; `shape` for the geometry only."""

    column: str
    old: object
    new: object
    shape: ShapeChange | None = None

    def text(self, definition: Definition, language: str) -> str:
        """Return the difference as a line for people, with labels, code names and units."""
        if self.column == "geom":
            return _shape_text(self, language)
        attribute = definition.attribute(self.column)
        return word("difference", "attribute", language).format(
            label=attribute.title(language),
            old=value_text(attribute, self.old, language),
            new=value_text(attribute, self.new, language),
        )


def differences(old: Values, new: Values, shape: ShapeChange | None) -> tuple[Difference, ...]:
    """Return the columns that differ, in the layer's order."""
    return tuple(
        Difference(name, old.get(name), new.get(name), shape if name == "geom" else None)
        for name in changed_names(old, new)
    )


def _shape_text(difference: Difference, language: str) -> str:
    if difference.old is None:
        return word("difference", "geometry_added", language)
    if difference.new is None:
        return word("difference", "geometry_removed", language)
    shape = difference.shape or ShapeChange(None, None, None)
    amounts = [("moved", shape.moved_m, ".2f"), ("length", shape.length_m, "+.2f"), ("area", shape.area_m2, "+.2f")]
    parts = [
        word("difference", key, language).format(amount=f"{amount:{form}}")
        for key, amount, form in amounts
        if amount is not None and abs(amount) >= _LEAST_M
    ]
    what = word("word", "geometry", language)
    return f"{what}: " + (", ".join(parts) or word("difference", "geometry_changed", language))
