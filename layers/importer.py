"""Brings a file's features into a layer: all or nothing, in the caller's transaction, as one changeset."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import sql
from pyproj import CRS
from sqlalchemy import Connection

from gis.errors import UsageError
from gis.queries import load_queries
from gis.town import load_town
from layers.copying import copy_rows, driver, to_ewkb
from layers.definition import Definition
from layers.reading import FeatureFile, Row, read_features
from layers.reference_system import parse_crs, require_current_datum
from layers.rows import Columns, TypedRow, convert_rows, map_columns

_QUERIES = load_queries(__file__)
_STAGED = sql.Identifier("pg_temp", "staged")


@dataclass(frozen=True)
class ImportResult:
    """What an import did (or, in a dry run, would do).

    Attributes
    ----------
    demo_removed : demonstration features that made way for real ones.
    unused_headers : columns of the file that no attribute of the layer takes.
    """

    layer: str
    inserted: int
    updated: int
    unchanged: int
    demo_removed: int
    unused_headers: tuple[str, ...]


def import_file(
    connection: Connection,
    path: Path,
    definition: Definition,
    crs: str | None = None,
    *,
    is_anywhere: bool = False,
    is_dry_run: bool = False,
    source: str | None = None,
    progress: Callable[[Iterable[Row]], Iterable[Row]] = iter,
) -> ImportResult:
    """Import a file into an existing layer.

    Features are told apart by the layer's key: known ones are updated where they differ, new ones added, the
    others stay untouched; nothing is deleted but demonstration features. A layer without a key gets the
    features it does not have exactly so already. Run in a transaction under the owner department's role.

    Parameters
    ----------
    crs : what the person says the file is in, e.g. `EPSG:6678`; overrides the file.
    is_anywhere : accept positions far from the town.
    is_dry_run : do it, count, and take it back.
    source : written into the attribute `source`; default: the layer's source.
    progress : wraps the rows while they are read, e.g. `tqdm`.

    Raises
    ------
    UsageError : the file cannot be read or placed, or rows cannot be right; names the rows and the likely cause.
    """
    if definition.is_service_edited:
        raise UsageError(
            f"The layer {definition.name} is written by the workers from reports.", "Use: ./machimori ingest replay DIR"
        )
    file = read_features(path)
    reference_system = _reference_system(file, crs)
    columns = map_columns(definition, file)
    rows = convert_rows(definition, file, columns, reference_system, load_town(), is_anywhere, progress)
    savepoint = connection.begin_nested()
    result = _write_rows(connection, definition, columns, rows, definition.source if source is None else source)
    if is_dry_run:
        savepoint.rollback()
    else:
        savepoint.commit()
    return result


def _reference_system(file: FeatureFile, said: str | None) -> CRS:
    if said:
        crs = parse_crs(said)
    elif file.crs is None:
        raise UsageError(
            f"{file.path.name} does not say its coordinate reference system.",
            f"Ask who made it, and say it: --crs EPSG:6668 (degrees) or --crs EPSG:{load_town().plane_epsg} (metres).",
        )
    else:
        crs = file.crs
    require_current_datum(crs, file.path.name)
    return crs


def _write_rows(
    connection: Connection, definition: Definition, columns: Columns, rows: list[TypedRow], source: str
) -> ImportResult:
    constants = _constants(definition, columns, source)
    names = [attribute.name for attribute in columns.attributes] + list(constants)
    layer = sql.Identifier("layers", definition.name)
    parts = _parts(definition, layer, names)
    run = driver(connection).execute
    run(sql.SQL(_QUERIES.sql("stage")).format(**parts))
    copy_rows(
        connection,
        _STAGED,
        ["row_number", "geom", *names],
        ((row.number, to_ewkb(row.geometry), *row.values, *constants.values()) for row in rows),
    )
    removed = run(sql.SQL("DELETE FROM {} WHERE is_demo").format(layer)).rowcount if _has(definition, "is_demo") else 0
    updated = run(sql.SQL(_QUERIES.sql("update_changed")).format(**parts)).rowcount if definition.key else 0
    block = "insert_new" if definition.key else "insert_different"
    inserted = run(sql.SQL(_QUERIES.sql(block)).format(**parts)).rowcount
    run(sql.SQL("DROP TABLE {}").format(_STAGED))
    unchanged = len(rows) - updated - inserted
    return ImportResult(definition.name, inserted, updated, unchanged, removed, columns.unused_headers)


def _constants(definition: Definition, columns: Columns, source: str) -> dict[str, Any]:
    """Attributes that every row gets because no column of the file has them."""
    mapped = {attribute.name for attribute in columns.attributes}
    constants: dict[str, Any] = {}
    if _has(definition, "source") and "source" not in mapped:
        constants["source"] = source
    if _has(definition, "is_demo"):
        constants["is_demo"] = False
    return constants


def _parts(definition: Definition, layer: sql.Composable, names: list[str]) -> dict[str, sql.Composable]:
    columns = ["geom", *names]

    def listed(form: str) -> sql.Composed:
        return sql.SQL(", ").join(sql.SQL(form).format(sql.Identifier(name)) for name in columns)

    return {
        "layer": layer,
        "staged": _STAGED,
        "columns": listed("{0}"),
        "theirs": listed("s.{0}"),
        "ours": listed("l.{0}"),
        "assignments": listed("{0} = s.{0}"),
        "key": sql.Identifier(definition.key or "geom"),
    }


def _has(definition: Definition, name: str) -> bool:
    return any(attribute.name == name for attribute in definition.table_attributes)
