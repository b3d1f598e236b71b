"""Takes features out for work without a network: a GeoPackage that knows what it was made from.

Beside each layer's table the file has a copy of it with the versions (`machimori_base_<layer>`), so that on return
only what the person changed counts, exactly. Personal attributes never leave.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import shapely
from psycopg import sql
from sqlalchemy import Connection, text

from gis.errors import UsageError
from gis.queries import load_queries
from gis.town import load_town
from layers.copying import driver
from layers.definition import Definition
from layers.offline.describing import create_descriptions, describe_table
from layers.offline.geopackage import TYPES, create_attributes, create_features, create_ground, quoted, to_blob

FORMAT = 2
DAYS_OUT = 14
CHECKOUT_TABLE = "machimori_checkout"
_QUERIES = load_queries(__file__)
_WORLD = (-180.0, -90.0, 180.0, 90.0)
_CHECKOUT_COLUMNS = (
    "format INTEGER, checkout_id TEXT, town TEXT, layer TEXT, columns TEXT, changeset INTEGER, taken_at DATETIME,"
    " west REAL, south REAL, east REAL, north REAL, is_background INTEGER"
)


@dataclass(frozen=True)
class CheckedOut:
    """How many features of a layer the file holds."""

    layer: str
    feature_count: int


def base_table(layer: str) -> str:
    """Return the name of the untouched copy of a layer inside the file."""
    return f"machimori_base_{layer}"


def check_out(
    connection: Connection,
    definitions: Sequence[Definition],
    path: Path,
    bbox: tuple[float, float, float, float] | None = None,
    *,
    backgrounds: Sequence[Definition] = (),
    due_on: date | None = None,
    language: str = "ja",
) -> list[CheckedOut]:
    """Write a file for QGIS or QField and note who has it; runs as a role that may read the layers.

    Parameters
    ----------
    path : a `.gpkg` that does not exist yet: another one may hold somebody's work.
    bbox : (min lon, min lat, max lon, max lat) in degrees; features that meet it. None: the whole layers.
    backgrounds : layers that go along to be looked at only. due_on : when the file should be back (two weeks).
    language : of the names in QGIS.

    Raises
    ------
    UsageError : the file exists, has another ending, or cannot be written.
    """
    if path.suffix.lower() != ".gpkg":
        raise UsageError("%(file)s is no GeoPackage.", "Call it FILE.gpkg.", file=path.name)
    if path.exists():
        raise UsageError(
            "%(path)s is there already.", "It may hold work that is not checked in; choose another name.", path=path
        )
    changeset = connection.execute(text("SELECT coalesce(max(id), 0) FROM gis.changeset")).scalar_one()
    box = bbox or _WORLD
    checkout_id = str(uuid.uuid4())
    facts = (FORMAT, checkout_id, load_town().code)
    moment = datetime.now(UTC)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        db = sqlite3.connect(unfinished)
        try:
            create_ground(db)
            create_descriptions(db)
            create_attributes(db, CHECKOUT_TABLE, _CHECKOUT_COLUMNS)
            done = []
            names = {definition.name for definition in definitions}
            grounds = [definition for definition in backgrounds if definition.name not in names]
            for definition in (*definitions, *grounds):
                is_background = definition in grounds
                columns = [(attribute.name, attribute.type) for attribute in definition.table_attributes]
                count = _write_layer(connection, db, definition, columns, box, is_background)
                describe_table(db, definition, language, is_background)
                if not is_background:
                    done.append(CheckedOut(definition.name, count))
                origins = [(one.name, one.type, one.origin or one.name) for one in definition.table_attributes]
                row = (*facts, definition.name, orjson.dumps(origins).decode(), changeset, as_stored(moment), *box)
                marks = ", ".join("?" * (len(row) + 1))
                db.execute(f"INSERT INTO {CHECKOUT_TABLE} VALUES (NULL, {marks})", (*row, int(is_background)))  # noqa: S608 (our own names)
            db.commit()
        finally:
            db.close()
        unfinished.rename(path)
    except (OSError, sqlite3.OperationalError) as error:
        unfinished.unlink(missing_ok=True)
        raise UsageError(
            "%(path)s cannot be written: %(error)s", "Check the folder and the free space.", path=path, error=error
        ) from error
    facts_of_it = {
        "id": checkout_id, "layers": [one.layer for one in done], "count": sum(one.feature_count for one in done),
        "due": due_on or moment.astimezone().date() + timedelta(days=DAYS_OUT),
    }  # fmt: skip
    connection.execute(_QUERIES["note_checkout"], facts_of_it)
    return done


def as_stored(value: Any) -> Any:
    """Return a value as GeoPackage stores it: times in UTC to the millisecond, days as text, yes as 1."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, bool) else value


def _write_layer(
    connection: Connection,
    db: sqlite3.Connection,
    definition: Definition,
    columns: list[tuple[str, str]],
    box: tuple[float, float, float, float],
    is_background: bool,
) -> int:
    query = sql.SQL(_QUERIES.sql("read_features")).format(
        columns=sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns),
        layer=sql.Identifier("layers", definition.name),
    )
    west, south, east, north = box
    found = driver(connection).execute(query, {"west": west, "south": south, "east": east, "north": north}).fetchall()
    geometries = [None if row[2] is None else shapely.from_wkb(bytes(row[2])) for row in found]
    shapes = [geometry for geometry in geometries if geometry is not None]
    extent = tuple(shapely.total_bounds(shapes)) if shapes else box
    create_features(db, definition.name, definition.name_in("ja"), definition.geometry.upper(), columns, extent)
    kinds = "".join(f", {quoted(name)}" for name, _ in columns)
    rows = [
        (row[0], row[1], to_blob(geometry), *map(as_stored, row[3:]))
        for row, geometry in zip(found, geometries, strict=True)
    ]
    marks = ", ".join("?" * (len(columns) + 2))
    db.executemany(
        f"INSERT INTO {quoted(definition.name)} (fid, geom{kinds}) VALUES ({marks})",  # noqa: S608 (quoted)
        [(row[0], *row[2:]) for row in rows],
    )
    if is_background:
        return len(rows)
    base = base_table(definition.name)
    copied = "".join(f", {quoted(name)} {TYPES[kind]}" for name, kind in columns)
    create_attributes(db, base, f"fid INTEGER, version INTEGER, geom BLOB{copied}")
    db.executemany(
        f"INSERT INTO {quoted(base)} (fid, version, geom{kinds}) VALUES (?, {marks})",  # noqa: S608 (quoted)
        rows,
    )
    return len(rows)
