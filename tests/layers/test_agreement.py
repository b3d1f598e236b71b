"""The check finds what no longer agrees, and is silent when all is well."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from gis.database import Database
from layers.agreement import check_layer
from layers.areas import Area
from layers.catalogue import find_layer, load_layers
from layers.grants import grant_layer
from tests.layers.personal_layer import make_household_layer

SQUARE = '{"type":"Polygon","coordinates":[[[141.1,38.3],[141.3,38.3],[141.3,38.5],[141.1,38.5],[141.1,38.3]]]}'


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
        ("GRANT UPDATE ON layers.shelter TO dept_school", "dept_school may update layers.shelter, which nobody"),
        ("GRANT UPDATE (name) ON layers.shelter TO dept_school", "dept_school may update layers.shelter, which"),
        ("GRANT SELECT ON layers.shelter TO PUBLIC", "PUBLIC may select layers.shelter, which nobody granted"),
        ("REVOKE INSERT ON layers.shelter FROM dept_disaster", "dept_disaster may not insert layers.shelter"),
        ("CREATE POLICY mine ON layers.shelter USING (true)", "not held by its row policies"),
        ("ALTER TABLE layers.shelter ENABLE ROW LEVEL SECURITY", "not held by its row policies"),
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


def test_rights_that_were_granted_agree_and_what_is_done_to_them_by_hand_is_found(
    database: Database, owner: Engine
) -> None:
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL ROLE machimori_owner"))
        shelter = find_layer(connection, "shelter")
        grant_layer(connection, shelter, "sewer", "edit", area=Area("x", SQUARE))
    household = make_household_layer(owner)
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL ROLE machimori_owner"))
        grant_layer(connection, household, "school", "see", is_personal=True)
        grant_layer(connection, household, "sewer", "edit", is_personal=True)
    with database.begin("machimori_service") as connection:
        assert [check_layer(connection, one) for one in (shelter, household)] == [[], []]
    with owner.begin() as connection:
        connection.execute(text("ALTER TABLE layers.shelter DISABLE ROW LEVEL SECURITY"))
        connection.execute(text("GRANT SELECT ON layers.household_personal TO dept_planning_viewer"))
    with database.begin("machimori_service") as connection:
        assert "not held by its row policies" in check_layer(connection, shelter)[0]
        assert "dept_planning_viewer may select layers.household_personal" in check_layer(connection, household)[0]
