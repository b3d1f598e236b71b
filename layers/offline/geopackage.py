"""GeoPackage as SQLite holds it (OGC 12-128r17), for files whose rows must come back exactly as they left."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Sequence

import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from gis.queries import load_queries
from layers.reference_system import STORED_EPSG

_QUERIES = load_queries(__file__)
TYPES = {
    "text": "TEXT", "integer": "INTEGER", "real": "REAL", "boolean": "BOOLEAN", "date": "DATE", "timestamp": "DATETIME",
}  # fmt: skip
_ENVELOPE_BYTES = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}
_HEADER = struct.Struct("<2sBBi")
_LITTLE_ENDIAN, _WITH_BOX, _EMPTY = 0b1, 0b10, 0b10000


def quoted(name: str) -> str:
    """Return an identifier as SQLite reads it."""
    return '"' + name.replace('"', '""') + '"'


def create_ground(db: sqlite3.Connection) -> None:
    """Make the tables of an empty GeoPackage, with WGS 84 and JGD2011 (longitude first, as GeoPackage wants)."""
    db.executescript(_QUERIES.sql("ground"))
    for epsg in (4326, STORED_EPSG):
        system = CRS.from_epsg(epsg)
        db.execute(
            "INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, 'EPSG', ?, ?, '')",
            (system.name, epsg, epsg, system.to_wkt("WKT1_GDAL")),
        )


def create_features(
    db: sqlite3.Connection,
    table: str,
    title: str,
    geometry_type: str,
    columns: Sequence[tuple[str, str]],
    box: tuple[float, float, float, float],
) -> None:
    """Make a table of features: `fid`, `geom`, and columns of (name, a key of `TYPES`)."""
    db.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, min_x, min_y, max_x, max_y, srs_id)"
        " VALUES (?, 'features', ?, ?, ?, ?, ?, ?)",
        (table, title, *box, STORED_EPSG),
    )
    listed = "".join(f", {quoted(name)} {TYPES[kind]}" for name, kind in columns)
    db.execute(
        f"CREATE TABLE {quoted(table)} (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom {geometry_type}{listed})"
    )
    db.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', ?, ?, 0, 0)", (table, geometry_type, STORED_EPSG))


def create_attributes(db: sqlite3.Connection, table: str, columns: str) -> None:
    """Make a table without positions; `columns` stands behind its number `id`."""
    db.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES (?, 'attributes', ?)", (table,) * 2
    )
    db.execute(f"CREATE TABLE {quoted(table)} (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, {columns})")


def to_blob(geometry: BaseGeometry | None) -> bytes | None:
    """Return a geometry as GeoPackage stores it (clause 2.1.3), with its box; None stays None."""
    if geometry is None:
        return None
    if geometry.is_empty:
        return _HEADER.pack(b"GP", 0, _LITTLE_ENDIAN | _EMPTY, STORED_EPSG) + _wkb(geometry)
    min_x, min_y, max_x, max_y = geometry.bounds
    head = _HEADER.pack(b"GP", 0, _LITTLE_ENDIAN | _WITH_BOX, STORED_EPSG)
    return head + struct.pack("<4d", min_x, max_x, min_y, max_y) + _wkb(geometry)


def from_blob(blob: bytes | None) -> BaseGeometry | None:
    """Return the geometry of a blob.

    Raises
    ------
    ValueError : it is no GeoPackage geometry, or its WKB is broken.
    """
    if blob is None:
        return None
    if not isinstance(blob, bytes) or len(blob) < _HEADER.size or blob[:2] != b"GP":
        raise ValueError("the geometry is none of GeoPackage")
    envelope = _ENVELOPE_BYTES.get((blob[3] >> 1) & 0b111)
    if envelope is None:
        raise ValueError("the geometry's envelope is of no known kind")
    try:
        return shapely.from_wkb(blob[_HEADER.size + envelope :])
    except shapely.errors.ShapelyError as error:
        raise ValueError(f"the geometry cannot be read: {error}") from error


def _wkb(geometry: BaseGeometry) -> bytes:
    return bytes(shapely.to_wkb(geometry, byte_order=1, flavor="iso"))
