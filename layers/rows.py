"""A file's rows as the layer's attributes: which column is which, typed values, and every mistake by row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from gis.errors import UsageError
from gis.town import Town
from layers.definition import Attribute, Definition
from layers.positions import promote, require_in_town, require_plausible_numbers, require_sound_shape
from layers.reading import FeatureFile, Row, normalise
from layers.reference_system import to_stored
from layers.values import convert_value

_SHOWN_PROBLEMS = 10


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


def map_columns(definition: Definition, file: FeatureFile) -> Columns:
    """Find each attribute's column by its name, labels and aliases.

    Raises
    ------
    UsageError : a required attribute has no column; the hint lists the file's headers.
    """
    by_header = {normalise(header): header for header in reversed(file.headers)}
    found: dict[str, str] = {}
    for attribute in definition.table_attributes:
        names = (*attribute.aliases, attribute.name, *attribute.label.values())
        header = next((by_header[normalise(name)] for name in names if normalise(name) in by_header), None)
        if header is not None and attribute.name != "is_demo" and header not in found.values():
            found[attribute.name] = header
        elif attribute.required and attribute.default is None:
            raise UsageError(
                f"{file.path.name} has no column for {attribute.title('ja')} ({attribute.name}), which"
                f" {definition.name} requires.",
                f"Expected is one of: {', '.join(dict.fromkeys(names))}. The file has: {', '.join(file.headers)}.",
            )
    attributes = tuple(definition.attribute(name) for name in found)
    unused = tuple(header for header in file.headers if header not in found.values())
    return Columns(attributes, tuple(found.values()), unused)


def convert_rows(
    definition: Definition,
    file: FeatureFile,
    columns: Columns,
    crs: CRS,
    town: Town,
    is_anywhere: bool,
    progress: Callable[[Iterable[Row]], Iterable[Row]],
) -> list[TypedRow]:
    """Type every value and place every geometry.

    Raises
    ------
    UsageError : one or more rows cannot be right; the message lists the first of them with value and likely cause.
    """
    carry = to_stored(crs)
    problems: list[str] = []
    made: list[TypedRow] = []
    for row in progress(file.rows):
        values = []
        for attribute, header in zip(columns.attributes, columns.headers, strict=True):
            try:
                values.append(convert_value(attribute, row.values[header], definition.placeholders))
            except ValueError as error:
                problems.append(f"row {row.number}, {header} = {row.values[header] or ''!r}: {error}")
        try:
            geometry = _place(row.geometry, definition, crs, carry, town, is_anywhere)
            made.append(TypedRow(row.number, tuple(values), geometry))
        except ValueError as error:
            problems.append(f"row {row.number}, position: {error}")
    problems += _twice(definition, columns, made)
    if problems:
        raise _refusal(file, definition, problems)
    return made


def _place(
    geometry: BaseGeometry | None,
    definition: Definition,
    crs: CRS,
    carry: Callable[[BaseGeometry], BaseGeometry],
    town: Town,
    is_anywhere: bool,
) -> BaseGeometry:
    if geometry is None or geometry.is_empty:
        raise ValueError("is missing")
    require_plausible_numbers(geometry, crs, town)
    placed = promote(carry(geometry), definition.geometry)
    require_sound_shape(placed)
    if not is_anywhere:
        require_in_town(placed, definition, town)
    return placed


def _twice(definition: Definition, columns: Columns, rows: Iterable[TypedRow]) -> list[str]:
    """Rows of one file that claim the same key: nobody could say which is right."""
    names = [attribute.name for attribute in columns.attributes]
    if definition.key not in names:
        return []
    position = names.index(definition.key)
    first: dict[Any, int] = {}
    problems = []
    for row in rows:
        if len(row.values) == len(names):
            key = row.values[position]
            if key in first:
                problems.append(
                    f"row {row.number}, {columns.headers[position]} = {key!r}: stands in row {first[key]}, too"
                )
            first.setdefault(key, row.number)
    return problems


def _refusal(file: FeatureFile, definition: Definition, problems: list[str]) -> UsageError:
    shown = problems[:_SHOWN_PROBLEMS]
    more = [f"… and {len(problems) - len(shown)} more"] if len(problems) > len(shown) else []
    hint = "Nothing was imported. Mend the file and import it again."
    if any("is far from" in problem for problem in problems):
        hint += " Positions that are meant to be far from the town: --anywhere."
    return UsageError(
        f"{file.path.name} cannot go into {definition.name}:\n    " + "\n    ".join([*shown, *more]), hint
    )
