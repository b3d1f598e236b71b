"""A list of places as plain JSON goes into a layer like any table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from gis.database import Database
from gis.errors import UsageError
from ingest.gazetteer import load_gazetteer
from layers.definition import load_definitions
from layers.importer import import_file
from layers.reading import list_tables, read_features
from layers.sheets import NoPositionsError


def _file(folder: Path, content: object) -> Path:
    path = folder / "places.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_records_are_rows_with_their_points(tmp_path: Path) -> None:
    path = _file(tmp_path, [{"town": "矢本", "koaza": "", "lat": 38.42, "lng": 141.21}, {"town": "大曲", "note": 1}])
    found = read_features(path)
    assert found.headers == ("town", "koaza", "lat", "lng", "note")
    assert found.rows[0].geometry is not None and found.rows[0].geometry.wkt == "POINT (141.21 38.42)"
    assert (found.rows[0].values["koaza"], found.rows[1].geometry) == (None, None)
    assert list_tables(path) == ["places"]


def test_a_position_that_is_none_is_said(tmp_path: Path) -> None:
    (row,) = read_features(_file(tmp_path, [{"lat": "north", "lng": 141}])).rows
    assert row.geometry is None and row.problem is not None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('[{"lat": 1', "no JSON"),
        ([[1, 2]], "record 1 is no flat object"),
        ([{"lat": 38, "lng": 141}, {"lat": {"deg": 38}}], "record 2 is no flat object"),
        ([], "no columns"),
    ],
)
def test_what_is_no_list_of_places_says_why(tmp_path: Path, content: object, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        read_features(_file(tmp_path, content))


def test_a_list_without_positions_is_no_list_of_places(tmp_path: Path) -> None:
    with pytest.raises(NoPositionsError):
        read_features(_file(tmp_path, [{"town": "矢本"}]))


def test_geojson_is_still_geojson(tmp_path: Path) -> None:
    point = {"type": "Point", "coordinates": [141.2, 38.4]}
    feature = {"type": "Feature", "properties": {"name": "a"}, "geometry": point}
    found = read_features(_file(tmp_path, {"type": "FeatureCollection", "features": [feature]}))
    assert found.headers == ("name",)


def test_the_quarters_of_the_real_town_become_its_gazetteer(database: Database, samples: Path) -> None:
    path = samples / "address" / "higashimatsushima.json"
    with database.begin("dept_planning") as connection:
        result = import_file(connection, path, load_definitions()["town_block"])
        gazetteer = load_gazetteer(connection)
        nameless = connection.execute(text("SELECT count(*) FROM layers.town_block WHERE name = ''")).scalar_one()
    assert result.inserted == len(json.loads(path.read_text(encoding="utf-8")))
    assert not result.rejected and not nameless
    assert [quarter.full_name for quarter in gazetteer.find_all("矢本字上河戸36-1 付近から大曲")][-1] == "大曲"
