"""Files for work without a network, taken out and brought back at the desk."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from gis.database import SERVICE, Database
from layers.changes import Insert, Update
from layers.definition import load_definitions
from layers.editing import apply_changes
from layers.offline.upkeep import forget_files
from tests.webmap.conftest import csrf_token

LogIn = Callable[[str], FlaskClient]
LAYER = load_definitions()["evacuation_site"]


@pytest.fixture
def fids(database: Database) -> list[int]:
    with database.begin("dept_disaster", "sato", "新設") as connection:
        sites = [
            Insert({"site_id": name, "name": name, "capacity": 100}, {"type": "Point", "coordinates": [lon, 38.4]})
            for name, lon in (("a", 141.20), ("b", 141.21))
        ]
        return list(apply_changes(connection, LAYER, sites).inserted)


def _post(client: FlaskClient, path: str, page: str = "/staff/checkin", **form: Any) -> Any:
    token = csrf_token(client.get(page).text)
    return client.post(path, data={"csrf_token": token, **form}, content_type="multipart/form-data")


def _take_out(client: FlaskClient, path: Path, *layers: str) -> None:
    answer = _post(client, "/staff/checkout", layer=list(layers), west="141", south="38", east="142", north="39")
    assert answer.mimetype == "application/geopackage+sqlite3", answer.text
    path.write_bytes(answer.data)


def _work(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as db:
        for statement in statements:
            db.execute(statement)


def _capacities(database: Database) -> list[int]:
    with database.begin(SERVICE) as connection:
        return list(connection.execute(text("SELECT capacity FROM layers.evacuation_site ORDER BY fid")).scalars())


def test_the_size_is_shown_before_and_who_has_it_after(log_in: LogIn, fids: list[int], tmp_path: Path) -> None:
    client = log_in("hanako")
    assert client.get("/staff/layers/evacuation_site/checkout").headers["Location"].endswith("layer=evacuation_site")
    box = {"west": "141", "south": "38", "east": "141.205", "north": "39"}
    sized = _post(client, "/staff/checkout?lang=en", layer="evacuation_site", action="size", **box).text
    assert "1 features" in sized and "About 0." in sized
    assert "Nothing is out." in sized
    _take_out(client, tmp_path / "f.gpkg", "evacuation_site")
    listed = client.get("/staff/checkout?lang=en").text.split('id="out"')[1]
    assert "hanako" in listed and LAYER.name_in("en") in listed


def test_the_places_that_are_ticked_make_the_box(
    log_in: LogIn, fids: list[int], database: Database, tmp_path: Path
) -> None:
    square = "POLYGON((141.19 38.3,141.205 38.3,141.205 38.5,141.19 38.5,141.19 38.3))"
    with database.begin("dept_planning", "sato", "新設") as connection:
        insert = (
            "INSERT INTO layers.town_block (name, geom) VALUES ('西町', ST_GeomFromText(:square, 6668)) RETURNING fid"
        )
        block = connection.execute(text(insert), {"square": square}).scalar_one()
    client = log_in("hanako")
    form = {"layer": "evacuation_site", "layer_of_places": "town_block"}
    shown = _post(client, "/staff/checkout?lang=en", action="places", **form).text
    assert f'name="fid" value="{block}"> 西町' in shown
    form |= {"places_shown": "town_block", "fid": str(block)}
    sized = _post(client, "/staff/checkout?lang=en", action="size", **form).text
    assert "1 features" in sized and 'value="141.19"' in sized and 'value="38.5"' in sized
    (tmp_path / "f.gpkg").write_bytes(_post(client, "/staff/checkout", **form).data)
    with sqlite3.connect(tmp_path / "f.gpkg") as db:
        assert db.execute("SELECT name FROM evacuation_site").fetchall() == [("a",)]


def test_a_box_that_is_none_and_no_layer_get_an_answer_and_no_file(log_in: LogIn, fids: list[int]) -> None:
    client = log_in("hanako")
    answer = _post(client, "/staff/checkout", layer="evacuation_site", west="142", south="38", east="141", north="39")
    assert answer.status_code == 400
    assert _post(client, "/staff/checkout").status_code == 400


def test_conflicts_stand_side_by_side_and_the_rest_is_entered_once(
    log_in: LogIn, database: Database, fids: list[int], tmp_path: Path
) -> None:
    client, path = log_in("hanako"), tmp_path / "f.gpkg"
    _take_out(client, path, "evacuation_site")
    _work(path, "UPDATE evacuation_site SET capacity = 150 WHERE site_id = 'a'")
    _work(path, "UPDATE evacuation_site SET capacity = 160 WHERE site_id = 'b'")
    with database.begin("dept_disaster", "jiro", "室内") as connection:
        apply_changes(connection, LAYER, [Update(fids[0], 1, {"capacity": 120})])
    sent = _post(client, "/staff/checkin", file=(io.BytesIO(path.read_bytes()), "現場.gpkg"))
    here = sent.headers["Location"]
    page = unescape(client.get(f"{here}?lang=en").text)
    assert all(f"> {value}</label>" in page for value in (120, 150)) and "<td>100</td>" in page
    assert _capacities(database) == [120, 100], "looking writes nothing"
    assert _post(client, here, here, reason="点検").headers["Location"] == here
    assert _capacities(database) == [120, 160]
    assert "現場.gpkg" in client.get("/staff/checkin").text, "what waits is not lost"
    c = f"evacuation_site/{fids[0]}"
    chosen = {f"version/{c}": "2", f"column/{c}": "capacity", f"choice/{c}/capacity": "mine"}
    assert _post(client, here, here, reason="点検", **chosen).headers["Location"] == "/staff/checkin"
    assert _capacities(database) == [150, 160]
    assert client.get(here).status_code == 404
    with database.begin(SERVICE) as connection:
        query = "SELECT count(*) FROM gis.changeset WHERE account = 'hanako' AND reason = '点検'"
        assert connection.execute(text(query)).scalar_one() == 2


def test_a_file_of_another_department_is_neither_seen_nor_entered(
    log_in: LogIn, database: Database, fids: list[int], tmp_path: Path
) -> None:
    path = tmp_path / "f.gpkg"
    _take_out(log_in("hanako"), path, "evacuation_site")
    _work(path, "UPDATE evacuation_site SET capacity = 150")
    here = _post(log_in("hanako"), "/staff/checkin", file=(io.BytesIO(path.read_bytes()), "f.gpkg")).headers["Location"]
    other = log_in("saburo")
    assert other.get(here).status_code == 404
    assert "f.gpkg" not in other.get("/staff/checkin").text
    mine = _post(other, "/staff/checkin", file=(io.BytesIO(path.read_bytes()), "f.gpkg")).headers["Location"]
    assert _post(other, mine, "/staff/checkin", reason="x").status_code == 400
    assert _capacities(database) == [100, 100]


def test_what_is_no_checked_out_file_is_told(log_in: LogIn) -> None:
    answer = _post(log_in("hanako"), "/staff/checkin", file=(io.BytesIO(b"MZ nothing"), "x.gpkg"))
    assert answer.status_code == 400
    assert "x.gpkg を読み取れません" in unescape(answer.text)


def test_a_file_that_waited_too_long_is_forgotten(
    log_in: LogIn, fids: list[int], database: Database, owner: Engine, tmp_path: Path
) -> None:
    client = log_in("hanako")
    path = tmp_path / "f.gpkg"
    _take_out(client, path, "evacuation_site")
    _post(client, "/staff/checkin", file=(io.BytesIO(path.read_bytes()), "点検.gpkg"))
    with database.begin(SERVICE) as connection:
        assert forget_files(connection, 90) == []
    with owner.begin() as connection:
        connection.execute(text("UPDATE gis.checkin_file SET uploaded_at = now() - interval '91 days'"))
    assert "90 days" in client.get("/staff/checkin?lang=en").text
    with database.begin(SERVICE) as connection:
        assert [(one.account, one.name) for one in forget_files(connection, 90)] == [("hanako", "点検.gpkg")]
    assert "点検.gpkg" not in client.get("/staff/checkin").text
