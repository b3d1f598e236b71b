"""A file's rows as the layer's attributes: which column is which, typed values, and every mistake by row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from gis.errors import Phrase, UsageError
from gis.town import Town
from layers.definition import Attribute, Definition
from layers.positions import FAR_AWAY, promote, require_in_town, require_plausible_numbers, require_sound_shape
from layers.reading import FeatureFile, Row, normalise
from layers.reference_system import to_stored
from layers.unfit import UnfitError
from layers.values import convert_value

_SHOWN_PROBLEMS = 10


class RejectedRowsError(UsageError):
    """Rows of a file cannot be right."""


@dataclass(frozen=True)
class Columns:
    """Which header of the file feeds which attribute: `headers[i]` feeds `attributes[i]`."""

    attributes: tuple[Attribute, ...]
    headers: tuple[str, ...]
    unused_headers: tuple[str, ...]


@dataclass(frozen=True)
class TypedRow:
    """One feature ready to be stored: values in the order of the columns, geometry in EPSG:6668."""

    number: int
    values: tuple[Any, ...]
    geometry: BaseGeometry


@dataclass(frozen=True)
class Rejection:
    """Why one row cannot be right. `header` is the column, "" for the position; `value` as the file has it."""

    number: int
    header: str
    value: str
    reason: UnfitError

    def phrase(self) -> Phrase:
        """Return it as a sentence, with its row."""
        blanks = {"number": self.number, "header": self.header, "value": self.value, "reason": self.reason.phrase}
        if self.header:
            return Phrase("row %(number)s, %(header)s = %(value)s: %(reason)s", blanks)
        return Phrase("row %(number)s, position: %(reason)s", blanks)

    def __str__(self) -> str:
        return str(self.phrase())


def map_columns(definition: Definition, file: FeatureFile, chosen: Mapping[str, str] | None = None) -> Columns:
    """Find each attribute's column by its name, labels and aliases.

    Parameters
    ----------
    chosen : attribute → header ("" = none) as a person says it; the others are looked for.

    Raises
    ------
    UsageError : a required attribute has no column; the hint lists the file's headers.
    """
    found = _look_up(definition, file, _require_known(definition, file, chosen or {}))
    for attribute in definition.attributes:
        if attribute.name not in found and attribute.required and attribute.default is None:
            names = (*attribute.aliases, attribute.name, *attribute.label.values())
            raise UsageError(
                "%(file)s has no column for %(label)s (%(attribute)s), which %(layer)s requires.",
                "Expected is one of: %(names)s. The file has: %(headers)s.",
                file=file.path.name,
                label=attribute.title("ja"),
                attribute=attribute.name,
                layer=definition.name,
                names=", ".join(dict.fromkeys(names)),
                headers=", ".join(file.headers),
            )
    attributes = tuple(definition.attribute(name) for name in found)
    unused = tuple(header for header in file.headers if header not in found.values())
    return Columns(attributes, tuple(found.values()), unused)


def _look_up(definition: Definition, file: FeatureFile, chosen: Mapping[str, str]) -> dict[str, str]:
    by_header = {normalise(header): header for header in reversed(file.headers)}
    taken = set(chosen.values())
    found: dict[str, str] = {}
    for attribute in definition.attributes:
        names = (*attribute.aliases, attribute.name, *attribute.label.values())
        header = next((by_header[normalise(name)] for name in names if normalise(name) in by_header), None)
        if attribute.name in chosen:
            header = chosen[attribute.name] or None
        elif header in taken or attribute.name == "is_demo":
            header = None
        if header is not None:
            found[attribute.name] = header
            taken.add(header)
    return found


def _require_known(definition: Definition, file: FeatureFile, chosen: Mapping[str, str]) -> Mapping[str, str]:
    known = [attribute.name for attribute in definition.attributes if attribute.name != "is_demo"]
    for name, header in chosen.items():
        if name not in known or (header and header not in file.headers):
            raise UsageError(
                "%(name)s = %(header)s: no such attribute or column.",
                "Attributes are: %(known)s. The file has: %(headers)s.",
                name=name,
                header=header,
                known=", ".join(known),
                headers=", ".join(file.headers),
            )
    return chosen


def convert_rows(
    definition: Definition,
    file: FeatureFile,
    columns: Columns,
    crs: CRS,
    town: Town,
    is_anywhere: bool,
    progress: Callable[[Iterable[Row]], Iterable[Row]] = iter,
) -> tuple[list[TypedRow], list[Rejection]]:
    """Type every value and place every geometry; return the rows that can be stored, and why the others cannot."""
    carry = to_stored(crs)
    rejected: list[Rejection] = []
    made: list[TypedRow] = []
    for row in progress(file.rows):
        before = len(rejected)
        values = []
        for attribute, header in zip(columns.attributes, columns.headers, strict=True):
            try:
                values.append(convert_value(attribute, row.values[header], definition.placeholders))
            except UnfitError as error:
                rejected.append(Rejection(row.number, header, repr(row.values[header] or ""), error))
        try:
            geometry = _place(row, definition, crs, carry, town, is_anywhere)
        except UnfitError as error:
            rejected.append(Rejection(row.number, "", "", error))
        else:
            if len(rejected) == before:
                made.append(TypedRow(row.number, tuple(values), geometry))
    twice = _twice(definition, columns, made)
    numbers = {one.number for one in twice}
    return [row for row in made if row.number not in numbers], [*rejected, *twice]


def _place(
    row: Row,
    definition: Definition,
    crs: CRS,
    carry: Callable[[BaseGeometry], BaseGeometry],
    town: Town,
    is_anywhere: bool,
) -> BaseGeometry:
    if row.problem is not None:
        raise row.problem
    if row.geometry is None or row.geometry.is_empty:
        raise UnfitError("is missing")
    flat = shapely.force_2d(row.geometry)
    require_plausible_numbers(flat, crs, town)
    placed = promote(carry(flat), definition.geometry)
    require_sound_shape(placed)
    if not is_anywhere:
        require_in_town(placed, definition, town)
    return placed


def _twice(definition: Definition, columns: Columns, rows: Iterable[TypedRow]) -> list[Rejection]:
    """Rows of one file that claim the same key: nobody could say which is right."""
    names = [attribute.name for attribute in columns.attributes]
    if definition.key not in names:
        return []
    position = names.index(definition.key)
    first: dict[Any, int] = {}
    problems = []
    for row in rows:
        key = row.values[position]
        if key in first:
            again = UnfitError("stands in row %(number)s, too", number=first[key])
            problems.append(Rejection(row.number, columns.headers[position], repr(key), again))
        first.setdefault(key, row.number)
    return problems


def refusal(file: FeatureFile, definition: Definition, rejected: list[Rejection]) -> RejectedRowsError:
    """Return the error for a file with rows that cannot be right: the first of them, and how many more."""
    shown = [one.phrase() for one in rejected[:_SHOWN_PROBLEMS]]
    if len(rejected) > len(shown):
        shown.append(Phrase("… and %(count)s more", {"count": len(rejected) - len(shown)}))
    is_far = any(one.reason.template == FAR_AWAY for one in rejected)
    return RejectedRowsError(
        "%(file)s cannot go into %(layer)s:\n    %(rows)s",
        "Nothing was imported. Mend the file and import it again, or leave these rows out: --skip-rejected.%(far)s",
        file=file.path.name,
        layer=definition.name,
        rows=shown,
        far=Phrase(" Positions that are meant to be far from the town: --anywhere.") if is_far else "",
    )
