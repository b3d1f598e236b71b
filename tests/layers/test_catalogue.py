"""The catalogue brings tables to what the definitions say, and refuses to lose values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from gis.database import Database
from gis.errors import UsageError
from layers import catalogue
from layers.definition import Attribute, Definition, parse_definition
from layers.tiles import render_tile

ALLOTMENT: dict[str, Any] = {
    "name": "allotment",
    "title": {"ja": "市民農園", "en": "Allotments"},
    "owner": "planning",
    "geometry": "Point",
    "visibility": "public",
    "key": "number",
    "attribute": [
        {"name": "number", "label": {"ja": "番号", "en": "Number"}, "required": True},
        {"name": "crop", "label": {"ja": "作物", "en": "Crop"}},
        {"name": "tenant", "label": {"ja": "借主", "en": "Tenant"}, "personal": True},
    ],
}
INSERT = (
    "INSERT INTO layers.allotment (number, crop, geom) VALUES ('7', '大根', ST_SetSRID(ST_Point(141.2, 38.4), 6668))"
)


@pytest.fixture
def definition() -> Definition:
    return parse_definition(ALLOTMENT, "allotment.toml")


@pytest.fixture
def schema(owner: Engine) -> Iterator[Connection]:
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL ROLE machimori_owner"))
        yield connection


def test_a_second_sync_changes_nothing(schema: Connection) -> None:
    assert catalogue.sync(schema) == []


def test_a_new_definition_makes_its_tables(schema: Connection, definition: Definition) -> None:
    assert catalogue.sync(schema, {"allotment": definition}) == ["allotment"]
    schema.execute(text(INSERT))
    assert schema.execute(text("SELECT crop FROM open.allotment")).scalar_one() == "大根"
    assert catalogue.find_layer(schema, "allotment") == definition


def test_a_new_attribute_becomes_a_column_everywhere_and_keeps_the_rows(
    schema: Connection, definition: Definition
) -> None:
    catalogue.create_layer(schema, definition)
    schema.execute(text(INSERT))
    is_wet = Attribute("is_wet", {"ja": "湿地", "en": "Wet"}, "boolean", required=True, default=False, drawn=True)
    wider = replace(definition, attributes=(*definition.attributes, is_wet))
    assert catalogue.sync(schema, {"allotment": wider}) == ["allotment"]
    for table in ("layers.allotment", "history.allotment", "open.allotment"):
        assert schema.execute(text(f"SELECT is_wet FROM {table}")).scalar_one() is False
    schema.execute(text("UPDATE layers.allotment SET is_wet = true"))
    assert schema.execute(text("SELECT is_wet FROM open.allotment")).scalar_one() is True


def test_an_attribute_that_becomes_drawn_is_in_the_tiles_and_one_no_longer_drawn_leaves_them(
    schema: Connection, definition: Definition
) -> None:
    catalogue.create_layer(schema, definition)
    schema.execute(text(INSERT))
    number, crop, tenant = definition.attributes
    drawn = replace(definition, attributes=(number, replace(crop, drawn=True), tenant))
    catalogue.sync(schema, {"allotment": drawn})
    assert "大根".encode() in render_tile(schema, "allotment", 0, 0, 0)
    catalogue.sync(schema, {"allotment": definition})
    tile = render_tile(schema, "allotment", 0, 0, 0)
    assert tile and "大根".encode() not in tile


def test_a_layer_that_becomes_internal_disappears_from_the_citizens(schema: Connection, definition: Definition) -> None:
    catalogue.create_layer(schema, definition)
    catalogue.sync(schema, {"allotment": replace(definition, visibility="internal")})
    assert schema.execute(text("SELECT to_regclass('open.allotment')")).scalar_one() is None


@pytest.mark.parametrize("change", [{"geometry": "MultiPolygon"}, {"attributes": ()}])
def test_a_change_that_would_lose_values_is_refused(
    schema: Connection, definition: Definition, change: dict[str, Any]
) -> None:
    catalogue.create_layer(schema, definition)
    with pytest.raises(UsageError, match="Layer allotment"):
        catalogue.sync(schema, {"allotment": replace(definition, **change)})


def test_personal_attributes_are_for_the_owner_department_only_and_have_a_history(
    owner: Engine, database: Database, definition: Definition
) -> None:
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL ROLE machimori_owner"))
        catalogue.create_layer(connection, definition)
    with database.begin("dept_planning") as connection:
        fid = connection.execute(text(INSERT + " RETURNING fid")).scalar_one()
        row = {"fid": fid}
        tenant = text("INSERT INTO layers.allotment_personal (fid, tenant) VALUES (:fid, '山田') RETURNING version")
        assert connection.execute(tenant, row).scalar_one() == 1
        connection.execute(text("DELETE FROM layers.allotment_personal"))
        assert connection.execute(tenant, row).scalar_one() == 3
        log = connection.execute(
            text("SELECT operation, tenant FROM history.allotment_personal ORDER BY version")
        ).all()
    assert [tuple(entry) for entry in log] == [("insert", "山田"), ("delete", "山田"), ("insert", "山田")]
    for role in ("dept_sewer", "machimori_service", "citizen"):
        for table in ("layers.allotment_personal", "history.allotment_personal"):
            with pytest.raises(DBAPIError, match="permission denied"), database.begin(role) as connection:
                connection.execute(text(f"SELECT 1 FROM {table}"))
    with database.begin("dept_sewer") as connection:
        assert "tenant" not in list(connection.execute(text("SELECT * FROM layers.allotment")).keys())
    with database.begin("dept_planning") as connection:
        connection.execute(text("DELETE FROM layers.allotment"))
        last = connection.execute(
            text("SELECT operation FROM history.allotment_personal ORDER BY version DESC LIMIT 1")
        )
        assert last.scalar_one() == "delete"


def test_an_unknown_layer_gets_the_nearest_name_as_a_hint(schema: Connection) -> None:
    with pytest.raises(UsageError, match="Did you mean shelter"):
        catalogue.find_layer(schema, "shelters")


def test_a_summary_counts_features_and_tells_extent_and_freshness(schema: Connection, definition: Definition) -> None:
    catalogue.create_layer(schema, definition)
    assert catalogue.summarise_layer(schema, definition).feature_count == 0
    schema.execute(text(INSERT))
    summary = catalogue.summarise_layer(schema, definition)
    assert (summary.feature_count, summary.extent) == (1, (141.2, 38.4, 141.2, 38.4))
    assert summary.changed_at is not None
