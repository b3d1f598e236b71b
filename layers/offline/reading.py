"""Reads what a person changed in a checked-out file, by comparing each table with its untouched copy."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from shapely.geometry.base import BaseGeometry

from gis.errors import UsageError
from gis.town import load_town
from layers.changes import KEEP, Keep
from layers.offline.checkout import CHECKOUT_TABLE, FORMAT, base_table
from layers.offline.geopackage import from_blob, quoted


@dataclass(frozen=True)
class Column:
    """An attribute as it was when the file was made; `origin` stays the same when it is renamed."""

    type: str
    origin: str


@dataclass(frozen=True)
class NewFeature:
    """A row that was not there when the file was made; None stands for what was left empty."""

    attributes: Mapping[str, Any]
    geometry: BaseGeometry | None


@dataclass(frozen=True)
class ChangedFeature:
    """The values that the person changed of a feature; `version` is the one that the file was made from."""

    version: int
    attributes: Mapping[str, Any]
    geometry: BaseGeometry | Keep | None


@dataclass(frozen=True)
class LayerWork:
    """The work on one layer of a file.

    Attributes
    ----------
    columns : the file's attributes. originals : fid → its values when the file was made, `geom` among them.
    inserted : row number → feature. updated : fid → what changed. deleted : fid → version.
    """

    layer: str
    columns: Mapping[str, Column]
    inserted: Mapping[int, NewFeature]
    updated: Mapping[int, ChangedFeature]
    deleted: Mapping[int, int]
    originals: Mapping[int, Mapping[str, Any]]


@dataclass(frozen=True)
class Checkout:
    """A file that came back."""

    id: str
    layers: tuple[LayerWork, ...]


def read_checkout(path: Path) -> Checkout:
    """Read a file that `layers checkout` made; the file itself is not touched.

    Raises
    ------
    UsageError : it is missing, no GeoPackage, not one of ours or of another town, or its tables were rebuilt.
    """
    if not path.is_file():
        raise UsageError("There is no file %(path)s.", "Check the path.", path=path)
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            entries = _entries(db, path)
            _refuse_strangers(db, path, {entry[3] for entry in entries})
            layers = tuple(
                _read_layer(db, path, layer, {name: Column(kind, origin) for name, kind, origin in columns})
                for _, _, _, layer, columns, is_background in entries
                if not is_background
            )
            return Checkout(entries[0][1], layers)
    except (sqlite3.DatabaseError, ValueError) as error:
        raise UsageError(
            "%(file)s cannot be read: %(error)s",
            "Give the GeoPackage that layers checkout made, unzipped.",
            file=path.name,
            error=error,
        ) from error


def _entries(db: sqlite3.Connection, path: Path) -> list[tuple[int, str, str, str, list[list[str]], int]]:
    if not _columns(db, CHECKOUT_TABLE):
        raise UsageError(
            "%(file)s was not made by layers checkout, so it does not say which versions it was made from.",
            "Bring features of other files in with: ./machimori layers import",
            file=path.name,
        )
    if "format" not in _columns(db, CHECKOUT_TABLE) or "is_background" not in _columns(db, CHECKOUT_TABLE):
        raise UsageError("%(file)s is of another version of machimori, or damaged.", "Check out again.", file=path.name)
    wanted = "format, checkout_id, town, layer, columns, is_background"
    rows = db.execute(f"SELECT {wanted} FROM {CHECKOUT_TABLE}").fetchall()  # noqa: S608 (our own names)
    if not rows or any(row[0] != FORMAT for row in rows) or len({row[1] for row in rows}) != 1:
        raise UsageError("%(file)s is of another version of machimori, or damaged.", "Check out again.", file=path.name)
    if rows[0][2] != load_town().code:
        raise UsageError(
            "%(file)s is of the town %(theirs)s, not of %(town)s.",
            "Check it in there.",
            file=path.name,
            theirs=rows[0][2],
            town=load_town().code,
        )
    return [(*row[:4], orjson.loads(row[4]), row[5]) for row in rows]


def _refuse_strangers(db: sqlite3.Connection, path: Path, layers: set[str]) -> None:
    """Features in a table that is none of ours would be lost without a word; empty tables and programs' own are not."""
    tables = db.execute("SELECT table_name FROM gpkg_contents WHERE data_type = 'features'").fetchall()
    for (table,) in tables:
        if table not in layers and db.execute(f"SELECT 1 FROM {quoted(table)} LIMIT 1").fetchone():  # noqa: S608
            raise UsageError(
                "%(file)s has features in %(table)s, which is no layer of the check-out.",
                "Copy them into the layer that they belong to, or bring them in with layers import; remove the table.",
                file=path.name,
                table=table,
            )


def _columns(db: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in db.execute(f"PRAGMA table_info({quoted(table)})")]


def _read_layer(db: sqlite3.Connection, path: Path, layer: str, columns: dict[str, Column]) -> LayerWork:
    names = list(columns)
    _require_columns(db, path, layer, ["fid", "geom", *names])
    listed = "".join(f", {quoted(name)}" for name in names)
    base_rows = db.execute(f"SELECT fid, version, geom{listed} FROM {quoted(base_table(layer))}").fetchall()  # noqa: S608
    now_rows = db.execute(f"SELECT fid, geom{listed} FROM {quoted(layer)} ORDER BY fid").fetchall()  # noqa: S608
    base = {row[0]: row for row in base_rows}
    inserted, updated = {}, {}
    for fid, geom, *values in now_rows:
        if fid not in base:
            given = {name: _value(columns[name].type, value) for name, value in zip(names, values, strict=True)}
            inserted[fid] = NewFeature(given, from_blob(geom))
            continue
        _, version, old_geom, *old_values = base[fid]
        changed = {
            name: _value(columns[name].type, value)
            for name, value, old in zip(names, values, old_values, strict=True)
            if value != old
        }
        geometry = _changed_geometry(old_geom, geom)
        if changed or geometry is not KEEP:
            updated[fid] = ChangedFeature(version, changed, geometry)
    present = {row[0] for row in now_rows}
    deleted = {fid: row[1] for fid, row in base.items() if fid not in present}
    originals = {
        fid: {
            **{name: _value(columns[name].type, value) for name, value in zip(names, values, strict=True)},
            "geom": from_blob(geom),
        }
        for fid, _, geom, *values in base_rows
    }
    return LayerWork(layer, columns, inserted, updated, deleted, originals)


def _require_columns(db: sqlite3.Connection, path: Path, layer: str, wanted: Sequence[str]) -> None:
    found = _columns(db, layer)
    different = [name for name in wanted if name not in found]
    for name in found:
        # Programs add columns of their own; only what somebody wrote into one would be lost.
        if name not in wanted:
            query = f"SELECT 1 FROM {quoted(layer)} WHERE {quoted(name)} IS NOT NULL LIMIT 1"  # noqa: S608 (quoted)
            different += [name] if db.execute(query).fetchone() else []
    if different:
        raise UsageError(
            "%(file)s: the table %(layer)s was rebuilt: %(different)s is missing or new.",
            "Columns are added and removed in the layer's definition, not in the file; check out again.",
            file=path.name,
            layer=layer,
            different=", ".join(sorted(different)),
        )
    if not {"fid", "version", "geom"} <= set(_columns(db, base_table(layer))):
        raise UsageError(
            "%(file)s has lost %(table)s, the copy with the versions.",
            "Check out again.",
            file=path.name,
            table=base_table(layer),
        )


def _changed_geometry(old: bytes | None, new: bytes | None) -> BaseGeometry | Keep | None:
    """Programs rewrite the blob's header at will, so the shapes decide, point for point."""
    if old == new:
        return KEEP
    before, after = from_blob(old), from_blob(new)
    if before is None or after is None:
        return after
    return KEEP if before.wkb == after.wkb else after


def _value(kind: str, value: Any) -> Any:
    """SQLite knows no booleans, and writes a whole number into a REAL column as it likes."""
    if kind == "boolean" and value in (0, 1):
        return bool(value)
    return float(value) if kind == "real" and isinstance(value, int) else value
