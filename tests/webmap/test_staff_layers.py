"""The catalogue of layers at the desk: read from the definitions, the grants and the tables themselves."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from collections.abc import Callable
from html import unescape
from math import asinh, pi, radians, tan
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from gis.database import Database
from layers.changes import Insert, Update
from layers.definition import load_definitions
from layers.editing import apply_changes

LogIn = Callable[[str], FlaskClient]
POINT = {"type": "Point", "coordinates": [141.2, 38.4]}
NAME = "絵地図の丘"


def tile_of(lon: float, lat: float, zoom: int) -> str:
    """Return z/x/y of the tile that holds a place."""
    size = 2**zoom
    return f"{zoom}/{int((lon + 180) / 360 * size)}/{int((1 - asinh(tan(radians(lat))) / pi) / 2 * size)}"


TILE = tile_of(141.2, 38.4, 14)


@pytest.fixture
def site(database: Database) -> int:
    """One evacuation site; its fid."""
    with database.begin("dept_disaster", "sato", "新設") as connection:
        outcome = apply_changes(
            connection, load_definitions()["evacuation_site"], [Insert({"site_id": "a", "name": NAME}, POINT)]
        )
    return outcome.inserted[0]


def row_of(page: str, layer: str) -> str:
    """Return the catalogue's row of a layer, without tags."""
    rows = re.findall(r"<tr>.*?</tr>", page, re.S)
    (row,) = [row for row in rows if f"<code>{layer}</code>" in row]
    return unescape(re.sub(r"<[^>]+>|\s+", " ", row))


@pytest.mark.parametrize("path", ["/staff/layers", "/staff/layers/shelter", f"/staff/tiles/shelter/{TILE}.mvt"])
def test_the_catalogue_is_behind_the_login(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["Location"].startswith("/staff/login")


def test_the_catalogue_tells_whose_a_layer_is_and_what_is_in_it(log_in: LogIn, site: int) -> None:
    page = log_in("saburo").get("/staff/layers?lang=en").text
    row = row_of(page, "evacuation_site")
    for words in ("指定緊急避難場所", "everybody", "Disaster Prevention Section", " 1 ", "lon 141.2000", "国土地理院"):
        assert words in row, words
    assert set(load_definitions()) == set(re.findall(r"<code>(\w+)</code>", page))


def test_who_may_see_and_edit_follows_the_grants_of_the_database(log_in: LogIn, owner: Engine) -> None:
    client = log_in("saburo")
    assert "City Planning" not in row_of(client.get("/staff/layers?lang=en").text, "sewer_pipe")
    with owner.begin() as connection:
        connection.execute(text("GRANT UPDATE ON layers.sewer_pipe TO dept_planning"))
    assert "City Planning Section" in row_of(client.get("/staff/layers?lang=en").text, "sewer_pipe")


def test_of_a_layer_that_is_not_for_the_department_only_the_owner_is_told(log_in: LogIn, owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("REVOKE SELECT ON layers.shelter, history.shelter FROM department"))
        connection.execute(text("GRANT SELECT ON layers.shelter, history.shelter TO dept_disaster"))
    client = log_in("saburo")
    assert "not for your department" in row_of(client.get("/staff/layers?lang=en").text, "shelter")
    for path in ("", "/history", "/features/1", "/download.gpkg"):
        assert client.get(f"/staff/layers/shelter{path}").status_code == 403, path
    assert log_in("hanako").get("/staff/layers/shelter").status_code == 200


def test_a_layer_shows_its_attributes_with_types_units_and_codes(log_in: LogIn, database: Database) -> None:
    page = unescape(log_in("saburo").get("/staff/layers/sewer_pipe?lang=en").text)
    for words in ("Inner diameter", "管径", "<code>diameter_mm</code>", "whole number", "<td>mm</td>", "1 – 10000"):
        assert words in page, words
    assert "gravity" in page and "自然流下" in unescape(log_in("saburo").get("/staff/layers/sewer_pipe").text)


def test_the_script_of_the_map_cannot_be_left_by_what_a_title_says(log_in: LogIn, owner: Engine) -> None:
    title = "</script><script>boom()</script>"
    with owner.begin() as connection:
        connection.execute(
            text("UPDATE gis.layer SET definition = jsonb_set(definition, '{title,ja}', to_jsonb(CAST(:t AS text)))"),
            {"t": title},
        )
    client = log_in("hanako")
    for path in ("/staff/layers", "/staff/layers/shelter", "/staff/layers/shelter/history"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert title not in answer.text, path


def test_an_unknown_layer_is_a_page_that_does_not_exist(log_in: LogIn, database: Database) -> None:
    client = log_in("hanako")
    for path in ("", "/history", "/features/1", "/features/1.geojson", "/download.gpkg"):
        assert client.get(f"/staff/layers/nothing{path}").status_code == 404, path
    assert client.get(f"/staff/tiles/nothing/{TILE}.mvt").status_code == 404
    assert client.get("/staff/layers/shelter/download.exe").status_code == 404


def test_tiles_show_the_present_or_the_past(log_in: LogIn, site: int, database: Database) -> None:
    client = log_in("saburo")
    with database.begin("dept_disaster", "sato") as connection:
        moment = connection.execute(text("SELECT now()")).scalar_one().isoformat()
    with database.begin("dept_disaster", "sato") as connection:
        apply_changes(connection, load_definitions()["evacuation_site"], [Update(site, 1, {"name": "新しい丘"})])
    url = f"/staff/tiles/evacuation_site/{TILE}.mvt"
    now, then = client.get(url), client.get(url, query_string={"at": moment})
    assert "新しい丘".encode() in now.data and NAME.encode() not in now.data
    assert NAME.encode() in then.data and "新しい丘".encode() not in then.data
    assert client.get(f"{url}?at=2000-01-01").data == b""
    assert now.headers["Cache-Control"] == "no-store"


def test_internal_layers_draw_for_the_desk_and_not_for_citizens(
    log_in: LogIn, town_database: Database, client: FlaskClient
) -> None:
    with town_database.begin("dept_sewer") as connection:
        query = "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_Centroid(ST_Extent(geom)) p FROM layers.sewer_pipe) AS town"
        lon, lat = connection.execute(text(query)).one()
    tile = tile_of(lon, lat, 14)
    assert len(log_in("saburo").get(f"/staff/tiles/sewer_pipe/{tile}.mvt").data) > 1000
    assert client.get(f"/tiles/sewer_pipe/{tile}.mvt").status_code == 404


@pytest.mark.parametrize("written", ["yesterday", "2026-13-01", "2026-03-11T14:46:00"])
def test_a_date_that_is_none_is_told(log_in: LogIn, database: Database, written: str) -> None:
    client = log_in("hanako")
    for path in ("/staff/layers/shelter", f"/staff/tiles/shelter/{TILE}.mvt"):
        answer = client.get(path, query_string={"at": written, "lang": "en"})
        assert answer.status_code == 400
        assert "is no date" in answer.text


def test_a_past_day_is_offered_without_a_script(log_in: LogIn, site: int) -> None:
    page = log_in("hanako").get("/staff/layers/evacuation_site?at=2000-01-01&lang=en").text
    assert "Map as of" in page
    assert 'type="date" id="at" name="at" value="2000-01-01"' in page
    assert "{y}.mvt?at=2000-01-01" in page


def test_a_layer_is_downloaded_whole_and_without_names_of_editors(log_in: LogIn, site: int, tmp_path: Path) -> None:
    client = log_in("saburo")
    rows = list(
        csv.DictReader(io.StringIO(client.get("/staff/layers/evacuation_site/download.csv").data.decode("utf-8-sig")))
    )
    assert [row["name"] for row in rows] == [NAME]
    assert "created_by" not in rows[0]
    answer = client.get("/staff/layers/evacuation_site/download.gpkg")
    assert answer.headers["Content-Disposition"] == "attachment; filename=evacuation_site.gpkg"
    (tmp_path / "a.gpkg").write_bytes(answer.data)
    with sqlite3.connect(tmp_path / "a.gpkg") as file:
        assert file.execute("SELECT name FROM evacuation_site").fetchall() == [(NAME,)]
    geojson = client.get("/staff/layers/evacuation_site/download.geojson").json
    assert geojson is not None and len(geojson["features"]) == 1
    assert client.get("/staff/layers/sewer_pipe/download.csv").status_code == 400, "lines have no CSV"


def test_the_editor_is_offered_to_those_who_may_edit(log_in: LogIn, database: Database) -> None:
    client = log_in("saburo")
    for page in ("", "/history"):
        assert 'href="/staff/layers/sewer_pipe/edit"' in client.get(f"/staff/layers/sewer_pipe{page}").text
        assert "/edit" not in client.get(f"/staff/layers/shelter{page}").text


def test_a_bound_is_told_as_what_it_is(log_in: LogIn, database: Database) -> None:
    page = log_in("saburo").get("/staff/layers/sewer_pipe?lang=en").text
    assert "≥ 0" in page and "1870 – 2200" in page
