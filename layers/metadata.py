"""A layer's table as SQLAlchemy sees it, so that queries over any layer are composed, typed and bound."""

from __future__ import annotations

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Double, Integer, MetaData, Table, Text
from sqlalchemy.types import TypeEngine

from layers.definition import Definition
from layers.reference_system import STORED_EPSG

_TYPES: dict[str, TypeEngine[Any]] = {
    "text": Text(),
    "integer": BigInteger(),
    "real": Double(),
    "boolean": Boolean(),
    "date": Date(),
    "timestamp": DateTime(timezone=True),
}


def layer_table(definition: Definition) -> Table:
    """Return `layers.<name>` with its system columns, `geom` in EPSG:6668 and the attributes that are not personal.

    It describes the table and makes nothing: the DDL is in `layers/tables.sql`.
    """
    return Table(
        definition.name,
        MetaData(schema="layers"),
        Column("fid", BigInteger, primary_key=True),
        Column("version", Integer),
        Column("geom", Geometry(definition.geometry.upper(), srid=STORED_EPSG, spatial_index=False)),
        Column("created_at", DateTime(timezone=True)),
        Column("created_by", Text),
        Column("updated_at", DateTime(timezone=True)),
        Column("updated_by", Text),
        *(Column(attribute.name, _TYPES[attribute.type]) for attribute in definition.table_attributes),
    )
