"""What makes a GeoPackage explain itself: names, code lists and bounds of its columns, and how QGIS shows its tables.

The columns' part is the schema extension (OGC 12-128r17, annex F.9); `layer_styles` is QGIS's own convention.
"""

from __future__ import annotations

import sqlite3

from gis.queries import load_queries
from layers.definition import Attribute, Definition
from layers.offline.geopackage import create_attributes
from layers.qgis.style_file import style_document

_QUERIES = load_queries(__file__)
_STYLE_COLUMNS = (
    "f_table_catalog TEXT, f_table_schema TEXT, f_table_name TEXT, f_geometry_column TEXT, styleName TEXT,"
    " styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT, ui TEXT,"
    " update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))"
)


def create_descriptions(db: sqlite3.Connection) -> None:
    """Make the tables for the descriptions."""
    db.executescript(_QUERIES.sql("schema_extension"))
    create_attributes(db, "layer_styles", _STYLE_COLUMNS)


def describe_table(db: sqlite3.Connection, definition: Definition, language: str, is_background: bool = False) -> None:
    """Describe a layer's table: its columns for every reader, its style and form for QGIS and QField."""
    for attribute in definition.table_attributes:
        title = attribute.title(language) + (f" [{attribute.unit}]" if attribute.unit else "")
        db.execute(
            "INSERT INTO gpkg_data_columns VALUES (?, ?, ?, ?, NULL, NULL, ?)",
            (definition.name, attribute.name, attribute.name, title, _constrain(db, definition, attribute, language)),
        )
    db.execute(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName,"
        " styleQML, styleSLD, useAsDefault, description, owner) VALUES ('', '', ?, 'geom', ?, ?, '', 1, ?, '')",
        (definition.name, "machimori", style_document(definition, language, is_background), definition.source),
    )
    if is_background:
        db.executescript(_QUERIES.sql("read_only").replace("{table}", definition.name))


def _constrain(db: sqlite3.Connection, definition: Definition, attribute: Attribute, language: str) -> str | None:
    """Write an attribute's code list or bounds and return the constraint's name; a pattern has no word for it there."""
    name = f"{definition.name}_{attribute.name}"
    if attribute.codes:
        db.executemany(
            "INSERT INTO gpkg_data_column_constraints VALUES (?, 'enum', ?, NULL, NULL, NULL, NULL, ?)",
            [(name, code.value, code.name(language)) for code in attribute.codes.codes],
        )
        return name
    if attribute.minimum is None or attribute.maximum is None:
        return None  # the extension's ranges have two ends
    db.execute(
        "INSERT INTO gpkg_data_column_constraints VALUES (?, 'range', NULL, ?, 1, ?, 1, NULL)",
        (name, attribute.minimum, attribute.maximum),
    )
    return name
