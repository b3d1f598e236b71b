"""The page on which whoever keeps a layer's rights gives them, changes them and takes them back."""

from __future__ import annotations

import io
import re
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from gis.database import Database
from layers.catalogue import find_layer
from layers.changes import Insert
from layers.editing import apply_changes
from layers.grants import Grant, list_grants
from layers.refusals import NotAllowedError
from tests.layers.keepers import add_person
from tests.webmap.test_staff_keeping import enter

PAGE = "/staff/layers/shelter/grants"
SQUARE = b'{"type":"Polygon","coordinates":[[[141.1,38.3],[141.3,38.3],[141.3,38.5],[141.1,38.5],[141.1,38.3]]]}'


def send(client: FlaskClient, **fields: Any) -> tuple[int, str]:
    """Send the form with the hidden fields of the page as it is; return status and what is read then."""
    shown = client.get(f"{PAGE}?lang=en").text
    hidden = dict(re.findall(r'<input type="hidden" name="(csrf_token|seen/\w+)" value="([^"]+)"', shown))
    data = {**hidden, "department": "sewer", "access": "edit", "reason": "応援", "action": "give", **fields}
    answer = client.post(PAGE, data=data, content_type="multipart/form-data", follow_redirects=True)
    return answer.status_code, unescape(re.sub(r"\s+", " ", answer.text))


def granted(database: Database) -> list[Grant]:
    with database.begin("dept_school_viewer") as connection:
        return list_grants(connection, "shelter")


def sewer_inserts(database: Database, key: str, lon: float) -> None:
    with database.begin("dept_sewer", "x") as connection:
        shelter = find_layer(connection, "shelter")
        place = {"type": "Point", "coordinates": (lon, 38.41)}
        apply_changes(connection, shelter, [Insert({"shelter_id": key, "name": key}, place)], "試験")


@pytest.fixture
def keeper(client: FlaskClient, owner: Engine, town_database: Database) -> FlaskClient:
    return enter(client, add_person(owner, "mori", "disaster"))


def test_a_right_is_given_narrowed_to_named_places_and_taken_back(keeper: FlaskClient, database: Database) -> None:
    status, page = send(keeper)
    assert status == 200 and "The right is given" in page and "Sewerage Section" in page and "応援" in page
    sewer_inserts(database, "Z1", 141.9)

    status, page = send(keeper, action="places", layer_of_places="city_area", where="places")
    found = re.search(r'name="fid" value="(\d+)"> 東松島市', page)
    assert found, "the places are offered by name"
    assert [one.is_limited for one in granted(database)] == [False], "showing them saves nothing"
    chosen = {"layer_of_places": "city_area", "places_shown": "city_area", "fid": found[1], "where": "places"}
    assert "Chosen, not saved yet: 東松島市" in send(keeper, action="places", **chosen)[1]
    status, page = send(keeper, **chosen)
    assert status == 200 and "inside 東松島市" in page
    sewer_inserts(database, "Z2", 141.2)
    with pytest.raises(NotAllowedError):
        sewer_inserts(database, "Z3", 141.9)

    assert send(keeper, where="now", reason="延長")[0] == 200
    assert [one.area_name for one in granted(database)] == ["東松島市（デモ）"]
    status, page = send(keeper, where="file", file=(io.BytesIO(SQUARE), "矢本.geojson"))
    assert status == 200 and [one.area_name for one in granted(database)] == ["矢本.geojson"]

    status, page = send(keeper, action="take_back")
    assert status == 200 and "taken back" in page and granted(database) == []
    with pytest.raises(NotAllowedError):
        sewer_inserts(database, "Z4", 141.2)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"reason": " "}, "The reason is missing"),
        ({"access": "own"}, "No right was chosen"),
        ({"department": "disaster"}, "owns the layer"),
        ({"department": "moon"}, "There is no department"),
        ({"access": "manage", "where": "file", "file": (b"{}", "a.geojson")}, "a.geojson"),
        ({"access": "edit", "where": "places"}, "No layer of places was chosen"),
        ({"where": "places", "layer_of_places": "city_area", "places_shown": "town_block", "fid": "1"}, "No area"),
        ({"where": "places", "layer_of_places": "sewer_pipe", "places_shown": "sewer_pipe", "fid": "1"}, "No layer"),
        ({"where": "now"}, "no area to keep"),
        ({"action": "take_back"}, "was granted nothing"),
        ({"seen/sewer": "2020-01-01T00:00:00+09:00"}, "meanwhile"),
        ({"seen/sewer": "soon"}, "cannot be given"),
    ],
)
def test_what_cannot_be_given_is_said_and_changes_nothing(
    keeper: FlaskClient, database: Database, fields: dict[str, Any], words: str
) -> None:
    sent = {name: (io.BytesIO(value[0]), value[1]) if name == "file" else value for name, value in fields.items()}
    status, page = send(keeper, **sent)
    assert status == 400 and words in page
    assert granted(database) == []


def test_others_see_the_rights_and_are_refused_whatever_they_send(
    app: Flask, keeper: FlaskClient, owner: Engine, database: Database
) -> None:
    assert send(keeper)[0] == 200
    other = enter(app.test_client(), add_person(owner, "tanaka", "sewer"))
    page = other.get(f"{PAGE}?lang=en").text
    assert "Sewerage Section" in page and 'name="access"' not in page
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    for action in ("give", "take_back"):
        data = {"csrf_token": token[1], "department": "planning", "access": "edit", "reason": "x", "action": action}
        assert other.post(PAGE, data=data).status_code in (400, 403)
        data["department"], data["seen/sewer"] = "sewer", granted(database)[0].granted_at.isoformat()
        assert other.post(PAGE, data=data).status_code == 403
    assert [(one.department, one.access) for one in granted(database)] == [("sewer", "edit")]
    assert "Rights" in keeper.get("/staff/layers/shelter?lang=en").text
    assert other.get("/staff/layers/moon/grants").status_code == 404
    with owner.begin() as connection:
        editors = "SELECT has_table_privilege('dept_sewer', 'layers.shelter', 'UPDATE')"
        assert connection.execute(text(editors)).scalar_one()
    catalogue = other.get("/staff/layers?lang=en").text
    row = catalogue[catalogue.index("/staff/layers/shelter") :].split("</tr>")[0]
    assert "Sewerage Section" in row, "the catalogue names who may edit"
