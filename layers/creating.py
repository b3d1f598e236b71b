"""A new layer from a file: the definition guessed from its columns, the table made, the features brought in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from gis.errors import UsageError
from gis.roles import load_departments
from layers.catalogue import create_layer
from layers.definition import Attribute, Definition, parse_definition
from layers.definition_check import HISTORY_COLUMNS, SYSTEM_COLUMNS
from layers.importer import ImportResult, import_file
from layers.reading import FeatureFile, Row, normalise, read_features
from layers.values import convert_value

# Headers under which files carry what tells a feature from all others.
_KEY_HEADERS = ("id", "共通id", "コード", "code", "番号")
_GUESSES = ("integer", "real", "date", "timestamp")
_PLAIN_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def add_layer(
    connection: Connection,
    path: Path,
    name: str,
    crs: str | None = None,
    *,
    owner: str = "planning",
    title: str = "",
    is_anywhere: bool = False,
    progress: Callable[[Iterable[Row]], Iterable[Row]] = iter,
) -> tuple[Definition, ImportResult]:
    """Make an internal layer from a file, in the caller's transaction; runs as `machimori_owner`.

    Parameters
    ----------
    owner : the department that edits it. title : what people read; default: the file's name.
    crs, is_anywhere, progress : as in `import_file`.

    Raises
    ------
    UsageError : there is such a layer or no such department, or the file cannot be read or imported.
    """
    departments = [department.name for department in load_departments()]
    if owner not in departments:
        raise UsageError(f"There is no department {owner!r}.", f"Departments are: {', '.join(departments)}.")
    definition = guess_definition(read_features(path), name, owner, title or path.stem)
    if is_anywhere:
        definition = replace(definition, extent="anywhere")
    create_layer(connection, definition)
    return definition, import_file(connection, path, definition, crs, progress=progress)


def guess_definition(file: FeatureFile, name: str, owner: str, title: str) -> Definition:
    """Guess a layer's definition from a file: each column's type from its values, its label from its header.

    Raises
    ------
    UsageError : `name` is no layer name, or the file mixes points, lines and areas.
    """
    attributes: list[dict[str, Any]] = []
    for position, header in enumerate(file.headers, 1):
        taken = {*SYSTEM_COLUMNS, *HISTORY_COLUMNS, *(entry["name"] for entry in attributes)}
        attributes.append(
            {
                "name": _column_name(header, position, taken),
                "label": {"ja": header, "en": header},
                "type": _guess_type([row.values[header] for row in file.rows]),
                "aliases": [header],
            }
        )
    key = next((entry for entry in attributes if _is_key(file, entry["aliases"][0])), None)
    if key:
        key |= {"type": "text", "required": True}
    label = next((entry for entry in attributes if entry["type"] == "text" and entry is not key), None)
    if label:
        label["drawn"] = True
    values = {
        "name": name,
        "title": {"ja": title, "en": title},
        "owner": owner,
        "geometry": _guess_geometry(file),
        "key": key["name"] if key else "",
        "source": file.path.name,
        "attribute": attributes,
    }
    return parse_definition(values, f"the layer {name}")


def _column_name(header: str, position: int, taken: set[str]) -> str:
    plain = re.sub(r"[^a-z0-9_]+", "_", normalise(header)).strip("_")
    return plain if _PLAIN_NAME.fullmatch(plain) and plain not in taken else f"column_{position}"


def _guess_type(written: list[Any]) -> str:
    values = [value for value in written if value not in (None, "")]
    if values and all(isinstance(value, bool) for value in values):
        return "boolean"
    # A leading zero is part of a code, not of a number.
    if not values or any(isinstance(value, str) and re.match(r"0\d", value.strip()) for value in values):
        return "text"
    return next((kind for kind in _GUESSES if _all_convert(values, kind)), "text")


def _all_convert(values: list[Any], kind: str) -> bool:
    attribute = Attribute("guess", {"ja": "", "en": ""}, kind)
    try:
        for value in values:
            convert_value(attribute, value)
    except ValueError:
        return False
    return True


def _is_key(file: FeatureFile, header: str) -> bool:
    values = [row.values[header] for row in file.rows]
    return normalise(header) in _KEY_HEADERS and None not in values and len(set(values)) == len(values)


def _guess_geometry(file: FeatureFile) -> str:
    found = {row.geometry.geom_type for row in file.rows if row.geometry is not None and not row.geometry.is_empty}
    families = {name.removeprefix("Multi") for name in found}
    if len(families) != 1 or not families <= {"Point", "LineString", "Polygon"}:
        raise UsageError(
            f"{file.path.name} holds {', '.join(sorted(found)) or 'no positions'}; a layer has one kind of shape.",
            "Split it into a file of points, one of lines and one of areas.",
        )
    family = families.pop()
    return "Point" if found == {"Point"} else f"Multi{family}"
