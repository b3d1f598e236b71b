"""Puts the demonstration town into the layers, all of it marked `is_demo`."""

from __future__ import annotations

from psycopg import sql
from shapely import LineString, MultiLineString
from sqlalchemy import Connection, text

from layers.copying import copy_rows, to_ewkb
from layers.demonstration.districts import draw_districts
from layers.demonstration.drawing import Drawing
from layers.demonstration.facilities import draw_facilities
from layers.demonstration.hazards import draw_hazards
from layers.demonstration.households import draw_households
from layers.demonstration.sewers import draw_sewers
from layers.demonstration.town import draw_town, town_plan


def load_demonstration_layers(connection: Connection) -> bool:
    """Fill the layers of the demonstration town if all of them are empty; return whether it did.

    Role: `machimori_owner`. Once anything real is there, nothing invented joins it.
    """
    town = draw_town()
    facilities = draw_facilities(town)
    households = {"address": draw_households(town, facilities["town_block"])}
    districts = draw_districts(town, facilities["town_block"])
    drawn = {**town, **draw_sewers(town), **facilities, **districts, **households, **draw_hazards(town)}
    for layer in drawn:
        if connection.execute(text(f"SELECT 1 FROM layers.{layer} LIMIT 1")).first():  # noqa: S608 (our own layer names)
            return False
    source = town_plan()["source"]
    for layer, features in drawn.items():
        columns = list(features[0].attributes)
        copy_rows(
            connection,
            sql.Identifier("layers", layer),
            ["geom", *columns, "source", "is_demo"],
            (_row(feature, columns, source) for feature in features),
        )
    return True


def _row(feature: Drawing, columns: list[str], source: str) -> tuple[object, ...]:
    geometry = feature.geometry
    if isinstance(geometry, LineString):
        geometry = MultiLineString([geometry])
    values = (feature.attributes[column] for column in columns)
    return (to_ewkb(geometry), *(None if value == "" else value for value in values), source, True)
