"""A layer with personal attributes, made for the tests."""

from __future__ import annotations

from sqlalchemy import Engine, text

from layers.catalogue import create_layer
from layers.definition import Definition, parse_definition


def make_household_layer(owner: Engine, department: str = "citizens") -> Definition:
    """Make the layer `household` of a department, whose attributes `resident` and `phone` are personal."""
    definition = parse_definition(
        {
            "name": "household",
            "title": {"ja": "要支援世帯", "en": "Households in need of help"},
            "owner": department,
            "geometry": "Point",
            "key": "number",
            "attribute": [
                {"name": "number", "label": {"ja": "番号", "en": "Number"}, "required": True},
                {"name": "floors", "label": {"ja": "階数", "en": "Floors"}, "type": "integer"},
                {"name": "resident", "label": {"ja": "氏名", "en": "Resident"}, "personal": True},
                {"name": "phone", "label": {"ja": "電話", "en": "Telephone"}, "personal": True},
            ],
        },
        "household",
    )
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL ROLE machimori_owner"))
        create_layer(connection, definition)
    return definition
