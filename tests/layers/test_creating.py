"""A layer made from a file: its definition is guessed, kept in the catalogue, and works like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import pytest
from shapely import LineString, Point
from sqlalchemy import Engine, text

from gis.database import Database
from gis.errors import UsageError
from layers.catalogue import find_layer, sync
from layers.creating import add_layer
from layers.importer import ImportResult, import_file


def _add(engine: Engine, path: Path, name: str, **options: Any) -> ImportResult:
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL ROLE machimori_owner"))
        return add_layer(connection, path, name, **options)[1]


@pytest.fixture
def ponds(tmp_path: Path) -> Path:
    columns = {
        "ID": ["007", "008"],
        "ため池名": ["上池", "下池"],
        "貯水量": [1200.5, 80],
        "fid_no": [3, 4],
        "竣工日": ["1968-04-01", "1971-10-20"],
    }
    points = [Point(141.2, 38.4), Point(141.21, 38.41)]
    geopandas.GeoDataFrame(columns, geometry=points, crs=6668).to_file(tmp_path / "ponds.gpkg")
    return tmp_path / "ponds.gpkg"


def test_types_labels_and_key_are_guessed_from_the_file(owner: Engine, database: Database, ponds: Path) -> None:
    assert _add(owner, ponds, "pond", owner="construction").inserted == 2
    with database.begin("dept_sewer") as connection:
        definition = find_layer(connection, "pond")
        size = definition.attributes[2].name
        rows = connection.execute(text(f"SELECT id, column_2, {size} FROM layers.pond ORDER BY id")).all()
    assert {attribute.aliases[0]: attribute.type for attribute in definition.attributes} == {
        "ID": "text", "ため池名": "text", "貯水量": "real", "fid_no": "integer", "竣工日": "date",
    }  # fmt: skip
    assert definition.attribute("column_2").label["ja"] == "ため池名"
    assert (definition.key, definition.geometry, definition.visibility) == ("id", "Point", "internal")
    assert [tuple(row) for row in rows] == [("007", "上池", 1200.5), ("008", "下池", 80.0)]


def test_the_new_layer_is_imported_again_by_its_key_and_survives_a_sync(
    owner: Engine, database: Database, ponds: Path
) -> None:
    _add(owner, ponds, "pond", owner="construction")
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL ROLE machimori_owner"))
        assert sync(connection) == []
    with database.begin("dept_construction") as connection:
        result = import_file(connection, ponds, find_layer(connection, "pond"))
    assert (result.inserted, result.unchanged) == (0, 2)


def test_citizens_do_not_see_it(owner: Engine, database: Database, ponds: Path) -> None:
    _add(owner, ponds, "pond")
    with database.begin("citizen") as connection:
        assert connection.execute(text("SELECT to_regclass('open.pond')")).scalar_one() is None


def test_a_file_that_is_refused_leaves_no_layer_behind(owner: Engine, database: Database, tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame({"name": ["a", "b"]}, geometry=[Point(141.2, 38.4), Point(38.4, 141.2)], crs=6668)
    frame.to_file(tmp_path / "p.gpkg")
    with pytest.raises(UsageError, match="swapped"):
        _add(owner, tmp_path / "p.gpkg", "thing")
    with database.begin("machimori_service") as connection, pytest.raises(UsageError, match="no layer 'thing'"):
        find_layer(connection, "thing")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("shelter", {}, "There is a layer shelter already"),
        ("ため池", {}, "is no name"),
        ("pond", {"owner": "wizards"}, "no department 'wizards'"),
    ],
)
def test_a_name_or_owner_that_cannot_be_is_refused(
    owner: Engine, ponds: Path, name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        _add(owner, ponds, name, **options)


def test_a_file_of_points_and_lines_is_refused(owner: Engine, tmp_path: Path) -> None:
    shapes = [Point(141.2, 38.4), LineString([(141.2, 38.4), (141.21, 38.4)])]
    geopandas.GeoDataFrame({"name": ["a", "b"]}, geometry=shapes, crs=6668).to_file(tmp_path / "m.geojson")
    with pytest.raises(UsageError, match="holds LineString, Point"):
        _add(owner, tmp_path / "m.geojson", "mixed")


def test_the_real_school_districts_become_a_layer(owner: Engine, database: Database, samples: Path) -> None:
    path = samples / "facilities" / "yaizu" / "中学校区" / "中学校区.shp"
    assert _add(owner, path, "middle_school", owner="school", is_anywhere=True).inserted == 9
    with database.begin("dept_school") as connection:
        names = connection.execute(text("SELECT item2 FROM layers.middle_school")).scalars().all()
    assert "焼津中学校" in names
