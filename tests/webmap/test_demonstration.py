"""The demonstration town: whole, marked as such, the same everywhere, and only where nothing is yet."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from gis.database import Database
from layers.demonstration.town import draw_town
from webmap.demonstration import load_town


def _number(database: Database, query: str, role: str = "machimori_service") -> int:
    with database.begin(role) as connection:
        return int(connection.execute(text(query)).scalar_one())


def test_the_town_is_loaded_once_and_then_left_alone(town_database: Database, owner: Engine) -> None:
    before = _number(town_database, "SELECT count(*) FROM layers.base_building")
    assert before > 2000
    assert load_town(owner) is False
    assert _number(town_database, "SELECT count(*) FROM layers.base_building") == before


def test_a_town_with_anything_real_gets_nothing_invented(database: Database, owner: Engine) -> None:
    with database.begin("dept_disaster") as connection:
        connection.execute(
            text(
                "INSERT INTO layers.shelter (shelter_id, name, geom)"
                " VALUES ('1', '本物', ST_SetSRID(ST_Point(141.2, 38.4), 6668))"
            )
        )
    assert load_town(owner) is False
    assert _number(database, "SELECT count(*) FROM layers.evacuation_site") == 0
    assert _number(database, "SELECT count(*) FROM alerts.subscriber") == 0


@pytest.mark.parametrize(
    "layer", ["city_area", "evacuation_site", "shelter", "base_road", "base_building", "base_water"]
)
def test_everything_invented_is_marked_and_has_history_and_is_open(town_database: Database, layer: str) -> None:
    assert _number(town_database, f"SELECT count(*) FROM layers.{layer} WHERE NOT is_demo") == 0
    features = _number(town_database, f"SELECT count(*) FROM layers.{layer}")
    assert features > 0
    assert _number(town_database, f"SELECT count(DISTINCT fid) FROM history.{layer}") == features
    assert _number(town_database, f"SELECT count(*) FROM open.{layer}", "citizen") == features


def test_the_names_people_read_say_demo(town_database: Database) -> None:
    assert _number(town_database, "SELECT count(*) FROM layers.evacuation_site WHERE name NOT LIKE 'デモ%'") == 0
    assert _number(town_database, "SELECT count(*) FROM layers.city_area WHERE name NOT LIKE '%デモ%'") == 0


def test_there_are_sites_for_a_tsunami_and_sites_that_are_none(town_database: Database) -> None:
    assert _number(town_database, "SELECT count(*) FROM layers.evacuation_site WHERE tsunami") >= 20
    assert _number(town_database, "SELECT count(*) FROM layers.evacuation_site WHERE NOT tsunami") >= 10
    assert _number(town_database, "SELECT count(*) FROM layers.shelter") == 20


def test_a_thousand_subscribers_most_of_them_in_the_city(town_database: Database) -> None:
    assert _number(town_database, "SELECT count(*) FROM alerts.subscriber WHERE is_demo") == 1000
    inside = _number(
        town_database,
        "SELECT count(DISTINCT p.subscriber_id) FROM alerts.place p"
        " JOIN layers.city_area a ON ST_Covers(a.geom, p.position)",
    )
    assert 800 < inside < 900
    assert _number(town_database, "SELECT count(*) FROM alerts.subscriber WHERE is_drill AND state = 'confirmed'") == 20
    assert 600 < _number(town_database, "SELECT count(*) FROM alerts.subscriber WHERE 'tsunami' = ANY (kinds)") < 800
    assert _number(town_database, "SELECT count(DISTINCT language) FROM alerts.subscriber") == 3
    assert _number(town_database, "SELECT count(DISTINCT state) FROM alerts.subscriber") == 3


def test_no_invented_address_can_reach_anybody(town_database: Database) -> None:
    assert (
        _number(
            town_database, "SELECT count(*) FROM alerts.subscriber WHERE email !~ '^[a-z0-9]+@machimori\\.example$'"
        )
        == 0
    )


def test_a_subscribers_place_is_the_same_point_in_degrees_and_in_metres(town_database: Database) -> None:
    worst = _number(
        town_database,
        "SELECT ceil(max(ST_Distance(ST_Transform(position, 6678), plane)) * 1000) FROM alerts.place",
    )
    assert worst <= 1  # millimetre


def test_the_drawing_is_the_same_every_time() -> None:
    first, second = draw_town(), draw_town()
    assert {name: [f.geometry.wkb for f in features] for name, features in first.items()} == {
        name: [f.geometry.wkb for f in features] for name, features in second.items()
    }
