"""Checks what a person asks for against the layer's definition, all problems at once.

The database checks the same again (layers/refusals.py); here every problem of a batch is found before anything is
written, each with the attribute it belongs to.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from gis.errors import UsageError
from layers.changes import KEEP, Change, Delete, GeometryInput, Insert, Values
from layers.copying import to_ewkb
from layers.definition import Attribute, Definition
from layers.editing_words import Problem

_DEGREE_SYSTEMS = (0, 4326, 6668)  # 0: not said; JGD2011 and WGS 84 agree within the accuracy of any town map
_INT64 = 2**63
Number = TypeVar("Number", int, float)
_MULTI = {
    "Point": shapely.MultiPoint,
    "LineString": shapely.MultiLineString,
    "Polygon": shapely.MultiPolygon,
}


class InvalidChangesError(UsageError):
    """Values that cannot be stored; `problems` has each with its attribute, for the form."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        sentences = dict.fromkeys(problem.text("en") for problem in problems)
        super().__init__(
            "%(problems)s", "Correct the values and save again; nothing was changed.", problems=" ".join(sentences)
        )
        self.problems = tuple(problems)


class _ProblemError(Exception):
    """Carries one problem's code, value and limit to where its attribute and position are known."""

    def __init__(self, code: str, value: object = "", limit: object = "") -> None:
        super().__init__(code)
        self.code, self.value, self.limit = code, str(value), str(limit)


def check_changes(definition: Definition, changes: Sequence[Change]) -> list[Values]:
    """Return the values of each change as the database stores them, `geom` among them where one is given.

    Raises
    ------
    InvalidChangesError : with every problem of the batch.
    """
    checked, problems = [], []
    for position, change in enumerate(changes):
        values: Values = {}
        for column, attribute, given in _given(definition, change):
            try:
                if column == "geom":
                    values[column] = clean_geometry(definition, given)
                elif attribute is None:
                    raise _ProblemError("unknown_attribute")
                else:
                    values[column] = clean_value(attribute, given)
            except _ProblemError as found:
                problems.append(Problem(found.code, column, position, attribute, found.value, found.limit))
        checked.append(values)
    if problems:
        raise InvalidChangesError(problems)
    return checked


def clean_value(attribute: Attribute, value: Any) -> Any:
    """Return a value as the attribute's column holds it; text is stripped, '' is NULL, times may be ISO 8601."""
    if isinstance(value, str):
        value = value.replace("\x00", "").strip()
    if value is None or value == "":
        if attribute.required and attribute.default is None:
            raise _ProblemError("required")
        return attribute.default if attribute.required else None
    return _CLEANERS[attribute.type](attribute, value)


def clean_geometry(definition: Definition, given: GeometryInput | None) -> str | None:
    """Return a geometry as hexadecimal EWKB in EPSG:6668, of the layer's type, heights dropped."""
    if given is None:
        if definition.is_geometry_required:
            raise _ProblemError("geometry_missing")
        return None
    geometry = _promote(_read(given), definition.geometry)
    if geometry.is_empty:
        raise _ProblemError("geometry_empty")
    if shapely.get_srid(geometry) not in _DEGREE_SYSTEMS:
        raise _ProblemError("geometry_system", shapely.get_srid(geometry))
    left, bottom, right, top = geometry.bounds
    if not (-180 <= left <= right <= 180 and -90 <= bottom <= top <= 90):
        raise _ProblemError("geometry_degrees", f"{left:.6g} {bottom:.6g}, {right:.6g} {top:.6g}")
    if not geometry.is_valid:
        raise _ProblemError("geometry_valid", shapely.is_valid_reason(geometry))
    return to_ewkb(geometry)


def _given(definition: Definition, change: Change) -> Iterator[tuple[str, Attribute | None, Any]]:
    """Yield (column, attribute, value) of all a change brings; a new feature must bring what is required."""
    if isinstance(change, Delete):
        return
    known = {attribute.name: attribute for attribute in definition.attributes}
    if change.geometry is not KEEP:
        yield "geom", None, change.geometry
    for name, value in change.attributes.items():
        yield name, known.get(name), value
    if isinstance(change, Insert):
        for name, attribute in known.items():
            if attribute.required and not attribute.personal and name not in change.attributes:
                yield name, attribute, None


def _read(given: GeometryInput) -> BaseGeometry:
    if isinstance(given, BaseGeometry):
        return shapely.force_2d(given)
    try:
        return shapely.force_2d(shapely.from_wkb(given) if isinstance(given, bytes) else shape(given))
    except (shapely.errors.ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise _ProblemError("geometry_unreadable", error) from error


def _promote(geometry: BaseGeometry, wanted: str) -> BaseGeometry:
    found = geometry.geom_type
    if found == wanted or (wanted == "Geometry" and found != "GeometryCollection"):
        return geometry
    if wanted == f"Multi{found}":
        return shapely.set_srid(_MULTI[found]([geometry]), shapely.get_srid(geometry))
    raise _ProblemError("geometry_type", found, wanted)


def _clean_text(attribute: Attribute, value: Any) -> str:
    if not isinstance(value, str):
        raise _ProblemError("text")
    if attribute.codes is not None and value not in attribute.codes.values:
        raise _ProblemError("code", value)
    if attribute.pattern and not re.search(attribute.pattern, value):
        raise _ProblemError("pattern", value, attribute.pattern)
    return value


def _clean_real(attribute: Attribute, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise _ProblemError("number", value) from None
    if isinstance(value, bool) or not math.isfinite(number):
        raise _ProblemError("number", value)
    return _within(attribute, number)


def _clean_integer(attribute: Attribute, value: Any) -> int:
    try:
        number = int(value)
        is_whole = not isinstance(value, bool) and (isinstance(value, (int, str)) or number == value)
    except (TypeError, ValueError, OverflowError):
        raise _ProblemError("whole_number", value) from None
    if not is_whole or not -_INT64 <= number < _INT64:
        raise _ProblemError("whole_number", value)
    return _within(attribute, number)


def _within(attribute: Attribute, number: Number) -> Number:
    if attribute.minimum is not None and number < attribute.minimum:
        raise _ProblemError("minimum", f"{number:g}", f"{attribute.minimum:g}")
    if attribute.maximum is not None and number > attribute.maximum:
        raise _ProblemError("maximum", f"{number:g}", f"{attribute.maximum:g}")
    return number


def _clean_boolean(attribute: Attribute, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _ProblemError("boolean")
    return value


def _clean_date(attribute: Attribute, value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise _ProblemError("date", value) from None


def _clean_timestamp(attribute: Attribute, value: Any) -> datetime:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _ProblemError("timestamp", value) from None
    if moment.tzinfo is None:
        raise _ProblemError("timestamp", value)
    return moment


_CLEANERS = {
    "text": _clean_text,
    "integer": _clean_integer,
    "real": _clean_real,
    "boolean": _clean_boolean,
    "date": _clean_date,
    "timestamp": _clean_timestamp,
}
