"""Brings a file's features into a layer, in the caller's transaction, as one changeset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyproj import CRS
from sqlalchemy import Connection, text

from gis.errors import UsageError
from gis.roles import department_title
from gis.town import load_town
from layers.definition import Definition
from layers.import_writing import Written, write_rows
from layers.reading import FeatureFile, Reading, Row, read_features
from layers.reference_system import parse_crs, require_current_datum
from layers.refusals import NotAllowedError
from layers.rows import Columns, Rejection, convert_rows, map_columns, refusal


class NoReferenceSystemError(UsageError):
    """Neither the file nor a person says what its coordinates are in."""


@dataclass(frozen=True)
class ImportResult:
    """What an import did (or, in a dry run, would do).

    Attributes
    ----------
    removed : features that were not in the file, if that was asked for.
    demo_removed : demonstration features that made way for real ones.
    unused_headers : columns of the file that no attribute of the layer takes.
    rejected : the rows that were left out, each with its reasons.
    """

    layer: str
    inserted: int
    updated: int
    unchanged: int
    demo_removed: int
    unused_headers: tuple[str, ...]
    removed: int = 0
    rejected: tuple[Rejection, ...] = ()

    @property
    def rejected_rows(self) -> int:
        """How many rows were left out; one may have several reasons."""
        return len({one.number for one in self.rejected})


def import_file(
    connection: Connection,
    path: Path,
    definition: Definition,
    crs: str | None = None,
    *,
    reading: Reading | None = None,
    progress: Callable[[Iterable[Row]], Iterable[Row]] = iter,
    **options: Any,
) -> ImportResult:
    """Read a file and import it into an existing layer; `options` as in `import_features`.

    Raises
    ------
    UsageError : the file cannot be read or placed, or rows cannot be right; names the rows and the likely cause.
    """
    _require_importable(definition)
    file = read_features(path, reading)
    return import_features(connection, file, definition, crs, progress=progress, **options)


def import_features(
    connection: Connection,
    file: FeatureFile,
    definition: Definition,
    crs: str | None = None,
    *,
    chosen: Mapping[str, str] | None = None,
    is_anywhere: bool = False,
    is_dry_run: bool = False,
    skips_rejected: bool = False,
    removes_missing: bool = False,
    source: str | None = None,
    progress: Callable[[Iterable[Row]], Iterable[Row]] = iter,
) -> ImportResult:
    """Import features into an existing layer.

    Features are told apart by the layer's key: known ones are updated where they differ, new ones added, the
    others stay untouched; nothing is deleted but demonstration features. A layer without a key gets the
    features it does not have exactly so already. Personal attributes go into their own table.
    Run in a transaction under a department's role.

    Parameters
    ----------
    crs : what the person says the file is in, e.g. `EPSG:6678`; overrides the file.
    chosen : attribute → header, see `map_columns`.
    is_anywhere : accept positions far from the town.
    is_dry_run : do it, count, and take it back.
    skips_rejected : leave rows out that cannot be right, instead of refusing the file.
    removes_missing : delete the features that the file does not have.
    source : written into the attribute `source`; default: the layer's source.
    progress : wraps the rows while they are read, e.g. `tqdm`.

    Raises
    ------
    UsageError : the file cannot be placed, or rows cannot be right; names the rows and the likely cause.
    NotAllowedError : the role may not write the layer, or its personal attributes, or not in that place.
    """
    _require_importable(definition)
    reference_system = choose_crs(file, crs)
    columns = map_columns(definition, file, chosen)
    _require_personal_right(connection, definition, columns)
    rows, rejected = convert_rows(
        definition,
        file,
        columns,
        reference_system,
        load_town(),
        is_anywhere or definition.extent == "anywhere",
        progress,
    )
    if rejected and not (skips_rejected and rows):
        raise refusal(file, definition, rejected)
    _require_removable(definition, removes_missing, has_rejected=bool(rejected))
    savepoint = connection.begin_nested()
    try:
        written = write_rows(
            connection, definition, columns, rows, definition.source if source is None else source, removes_missing
        )
    except BaseException:
        savepoint.rollback()
        raise
    if is_dry_run:
        savepoint.rollback()
    else:
        savepoint.commit()
    return _result(definition, columns, written, len(rows), rejected)


def choose_crs(file: FeatureFile, said: str | None) -> CRS:
    """Return the reference system a file is in, as somebody says or as it says itself.

    Raises
    ------
    UsageError : nobody says it, or it is of a datum that cannot be placed exactly.
    """
    if said:
        crs = parse_crs(said)
    elif file.crs is None:
        raise NoReferenceSystemError(
            "%(file)s does not say its coordinate reference system.",
            "Ask who made it, and say it: --crs EPSG:6668 (degrees) or --crs EPSG:%(epsg)s (metres).",
            file=file.path.name,
            epsg=load_town().plane_epsg,
        )
    else:
        crs = file.crs
    require_current_datum(crs, file.path.name)
    return crs


def _require_importable(definition: Definition) -> None:
    if definition.is_service_edited:
        raise UsageError(
            "The layer %(layer)s is written by the workers from reports.",
            "Use: ./machimori ingest replay DIR",
            layer=definition.name,
        )


def _require_personal_right(connection: Connection, definition: Definition, columns: Columns) -> None:
    """Say it before the database does, with the columns that are meant."""
    headers = [
        header for attribute, header in zip(columns.attributes, columns.headers, strict=True) if attribute.personal
    ]
    query = text("SELECT bool_and(has_table_privilege(:table, r)) FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) r")
    table = f"layers.{definition.name}_personal"
    if headers and not connection.execute(query, {"table": table}).scalar():
        raise NotAllowedError(
            "%(layer)s: your department may not write its personal attributes, and the file has some: %(headers)s.",
            "Take these columns out, or ask %(owner)s, whose layer it is.",
            layer=definition.heading,
            headers=", ".join(headers),
            owner=department_title(definition.owner),
        )


def _require_removable(definition: Definition, removes_missing: bool, has_rejected: bool) -> None:
    if removes_missing and not definition.is_deletable:
        raise UsageError(
            "Features of %(layer)s are never deleted.", "Import without removing any.", layer=definition.name
        )
    if removes_missing and has_rejected:
        raise UsageError(
            "Rows that cannot be right and the removal of features that are not in the file do not go together.",
            "A feature would be removed because its row has a mistake. Mend the file first, or remove nothing.",
        )


def _result(
    definition: Definition, columns: Columns, written: Written, row_count: int, rejected: list[Rejection]
) -> ImportResult:
    return ImportResult(
        definition.name,
        inserted=written.inserted,
        updated=written.updated,
        unchanged=row_count - written.inserted - written.updated,
        demo_removed=written.demo_removed,
        unused_headers=columns.unused_headers,
        removed=written.removed,
        rejected=tuple(rejected),
    )
