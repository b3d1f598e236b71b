"""The check finds what no longer agrees, and is silent when all is well."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from gis.database import Database
from layers.agreement import check_layer
from layers.catalogue import find_layer, load_layers


def test_the_demonstration_town_agrees_with_itself(town_database: Database) -> None:
    with town_database.begin("machimori_service") as connection:
        problems = {name: check_layer(connection, layer) for name, layer in load_layers(connection).items()}
    assert {name: found for name, found in problems.items() if found} == {}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("UPDATE history.shelter SET capacity = -1", "20 features and the last version"),
        ("DELETE FROM history.shelter", "20 features and the last version"),
        ("ALTER TABLE layers.shelter DROP COLUMN accepts CASCADE", "The column accepts is missing, not text"),
        ("ALTER TABLE layers.shelter ADD COLUMN secret text", "The column secret is in the table"),
        ("DROP TABLE layers.shelter CASCADE", "The table layers.shelter is missing"),
    ],
)
def test_damage_behind_the_systems_back_is_found(
    town_database: Database, owner: Engine, damage: str, message: str
) -> None:
    with owner.begin() as connection:
        connection.execute(text(damage))
        problems = check_layer(connection, find_layer(connection, "shelter"))
    assert any(message in problem for problem in problems), problems
