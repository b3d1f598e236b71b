"""The statistics page, its CSV and JSON: the same suppressed numbers for everybody."""

import json

import pytest

from gis.database import SERVICE
from ingest.statistics import refresh_statistics
from tests.ingest.test_statistics import _add
from webmap.statistics import mesh_ring


@pytest.fixture
def counted(database):
    """Crimes of 2025: three in 大曲, seven in 矢本, forty in 赤井."""
    _add(database, 3, "a", quarter="大曲")
    _add(database, 7, "b")
    _add(database, 40, "c", quarter="赤井", at="2025-05-01T10:00:00+09:00")
    with database.begin(SERVICE) as connection:
        refresh_statistics(connection)


def test_the_page_shows_what_may_be_shown(client, counted):
    page = client.get("/statistics?lang=en").text
    assert "Crime 2025: 50" in page and "赤井" in page
    assert page.count('<td class="number">X</td>') >= 2


def test_where_each_quarter_has_one_no_number_of_the_year_is_shown(client, database):
    for number in range(7):
        _add(database, 1, f"q{number}", quarter=f"quarter {number}")
    with database.begin(SERVICE) as connection:
        refresh_statistics(connection)
    assert "Crime 2025: X" in client.get("/statistics?lang=en").text
    tables = client.get("/statistics.json?kind=crime&year=2025").json["tables"]
    assert {count for table in tables.values() for count in table.values()} == {None}, json.dumps(tables)
    assert client.get("/statistics/mesh.geojson?kind=crime&year=2025").json["features"] == []


def test_csv_and_json_say_the_same(client, counted):
    tables = client.get("/statistics.json?kind=crime&year=2025").json["tables"]
    assert tables["quarter"] == {"大曲": None, "矢本": None, "赤井": 40}
    lines = client.get("/statistics.csv?kind=crime&year=2025").text
    assert lines.startswith("\ufeffyear,kind,") and "2025,crime,quarter,大曲,X" in lines


def test_the_mesh_is_where_the_incidents_are(client, counted):
    (cell,) = client.get("/statistics/mesh.geojson?kind=crime&year=2025").json["features"]
    west, south = cell["geometry"]["coordinates"][0][0]
    assert west <= 141.2105 <= west + 1 / 80 and south <= 38.4305 <= south + 1 / 120
    assert cell["properties"]["count"] == 50


def test_the_ring_of_a_mesh_code_is_the_standards(client):
    assert mesh_ring("53394611")[0] == [139.7625, 35.675]  # JIS X 0410: 東京, 30″ × 45″


@pytest.mark.parametrize("query", ["kind=nothing", "year=abc", "year=20255", "kind=crime&year=-1"])
def test_what_cannot_be_asked_is_refused(client, counted, query):
    assert client.get(f"/statistics?{query}").status_code == 400


def test_without_anything_counted_the_page_says_so(client):
    assert "Nothing has been counted yet." in client.get("/statistics?lang=en").text


def test_no_two_answers_differ_by_a_suppressed_number(client, counted):
    """Whatever may be asked for, the three of 大曲 can be had from no difference of two shown numbers."""
    tables = client.get("/statistics.json?kind=crime&year=2025").json["tables"]
    shown = {count for table in tables.values() for count in table.values() if count is not None}
    assert shown and all(abs(one - other) not in (3, 7) for one in shown for other in shown), json.dumps(tables)
