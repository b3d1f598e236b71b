"""A new layer from a file: the definition as guessed or corrected, the table made, the features brought in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from gis.errors import UsageError
from gis.roles import load_departments
from gis.town import load_town
from layers.catalogue import create_layer
from layers.definition import Definition, parse_definition
from layers.guessing import Draft, guess_draft, guess_geometry
from layers.importer import ImportResult, choose_crs, import_features
from layers.reading import FeatureFile, Reading, Row, read_features
from layers.rows import Rejection, TypedRow, convert_rows, map_columns

# PostgreSQL would take 1,600; no form or table of a page does.
MOST_COLUMNS = 200


@dataclass(frozen=True)
class Examination:
    """What would become of a file: the features, in EPSG:6668, and the rows that cannot be right."""

    rows: tuple[TypedRow, ...]
    rejected: tuple[Rejection, ...]

    @property
    def rejected_rows(self) -> int:
        """How many rows have at least one mistake."""
        return len({one.number for one in self.rejected})


def add_layer(
    connection: Connection,
    path: Path,
    name: str,
    crs: str | None = None,
    *,
    owner: str = "planning",
    title: str = "",
    is_anywhere: bool = False,
    reading: Reading | None = None,
    geometry: str = "",
    corrections: Callable[[Draft], Draft] = dict,
    skips_rejected: bool = False,
    progress: Callable[[Iterable[Row]], Iterable[Row]] = iter,
) -> tuple[Definition, ImportResult]:
    """Make an internal layer from a file, in the caller's transaction; runs as `create_layer` does.

    Parameters
    ----------
    owner : the department that edits it. title : what people read; default: the file's name.
    geometry : the layer's type, "" = that of the file. corrections : changes the guessed draft.
    crs, is_anywhere, reading, skips_rejected, progress : as in `import_file`.

    Raises
    ------
    UsageError : there is such a layer or no such department, or the file cannot be read or imported.
    """
    file = read_features(path, reading)
    draft = corrections(draft_layer(file, name, owner, title, geometry))
    definition = finish_draft(draft, is_anywhere=is_anywhere)
    return definition, make_layer(connection, file, definition, crs, skips_rejected=skips_rejected, progress=progress)


def draft_layer(file: FeatureFile, name: str, owner: str, title: str = "", geometry: str = "") -> Draft:
    """Guess a definition, as a draft that a person may correct.

    Raises
    ------
    UsageError : there is no such department, or the file has too many columns or mixes points, lines and areas.
    """
    departments = [department.name for department in load_departments()]
    if owner not in departments:
        raise UsageError(
            "There is no department %(owner)r.",
            "Departments are: %(departments)s.",
            owner=owner,
            departments=", ".join(departments),
        )
    if len(file.headers) > MOST_COLUMNS:
        raise UsageError(
            "%(file)s has %(count)s columns; a layer has at most %(most)s attributes.",
            "Take out what is not needed, or divide it into several files.",
            file=file.path.name,
            count=len(file.headers),
            most=MOST_COLUMNS,
        )
    return guess_draft(file, name, owner, title or file.path.stem, geometry or guess_geometry(file))


def finish_draft(draft: Draft, *, is_anywhere: bool = False) -> Definition:
    """Return a draft as a definition.

    Raises
    ------
    UsageError : something in it cannot work; names the attribute.
    """
    values = draft | ({"extent": "anywhere"} if is_anywhere else {})
    return parse_definition(values, f"the layer {draft['name']}")


def make_layer(
    connection: Connection,
    file: FeatureFile,
    definition: Definition,
    crs: str | None,
    *,
    skips_rejected: bool = False,
    progress: Callable[[Iterable[Row]], Iterable[Row]] = iter,
) -> ImportResult:
    """Make the layer and bring a file's features in; all or nothing with the caller's transaction."""
    create_layer(connection, definition)
    return import_features(
        connection,
        file,
        definition,
        crs,
        chosen=columns_of(definition, file),
        skips_rejected=skips_rejected,
        progress=progress,
    )


def columns_of(definition: Definition, file: FeatureFile) -> Mapping[str, str]:
    """Return attribute → header for a layer that was drafted from this file: the attribute's first alias."""
    return {
        attribute.name: attribute.aliases[0]
        for attribute in definition.attributes
        if attribute.aliases and attribute.aliases[0] in file.headers
    }


def examine(file: FeatureFile, definition: Definition, crs: str | None, **options: Any) -> Examination:
    """Type and place every row as an import would, without a database.

    Parameters
    ----------
    options : `chosen` as in `map_columns`, `is_anywhere`, `progress`.

    Raises
    ------
    UsageError : the file does not say what system it is in, or is in one that cannot be placed exactly.
    """
    columns = map_columns(definition, file, options.pop("chosen", columns_of(definition, file)))
    is_anywhere = options.pop("is_anywhere", False) or definition.extent == "anywhere"
    rows, rejected = convert_rows(definition, file, columns, choose_crs(file, crs), load_town(), is_anywhere, **options)
    return Examination(tuple(rows), tuple(rejected))
