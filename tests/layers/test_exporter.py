"""What leaves in a file is what is stored, and comes back the same."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas
import pytest
from sqlalchemy import text

from gis.database import Database
from gis.errors import UsageError
from layers.catalogue import find_layer
from layers.exporter import export_layer
from layers.importer import import_file


def _export(database: Database, layer: str, path: Path, *options: object) -> int:
    with database.begin("dept_disaster") as connection:
        return export_layer(connection, find_layer(connection, layer), path, *options)  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", ["geojson", "gpkg", "shp", "fgb", "csv"])
def test_a_layer_comes_back_unchanged_from_every_format(town_database: Database, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"shelters.{suffix}"
    assert _export(town_database, "shelter", path) == 20
    with town_database.begin("dept_disaster") as connection:
        connection.execute(text("UPDATE layers.shelter SET is_demo = false"))
        definition = find_layer(connection, "shelter")
        result = import_file(connection, path, definition)
    assert (result.inserted, result.updated, result.unchanged) == (0, 0, 20)


def test_a_geojson_is_in_lon_lat_without_a_crs_member(town_database: Database, tmp_path: Path) -> None:
    _export(town_database, "shelter", tmp_path / "s.geojson")
    document = json.loads((tmp_path / "s.geojson").read_text(encoding="utf-8"))
    lon, lat = document["features"][0]["geometry"]["coordinates"]
    assert 141 < lon < 142
    assert 38 < lat < 39
    assert "6668" not in json.dumps(document.get("crs", ""))


def test_metres_of_the_plane_zone_have_easting_first(town_database: Database, tmp_path: Path) -> None:
    _export(town_database, "city_area", tmp_path / "s.gpkg", "EPSG:6678")
    frame = geopandas.read_file(tmp_path / "s.gpkg")
    west, south, east, north = frame.total_bounds
    assert frame.crs.to_epsg() == 6678
    assert 20_000 < west < east < 40_000  # east of 140°50'
    assert -190_000 < south < north < -160_000  # south of 40°


def test_a_box_takes_only_what_meets_it(town_database: Database, tmp_path: Path) -> None:
    every = _export(town_database, "base_building", tmp_path / "all.gpkg")
    some = _export(town_database, "base_building", tmp_path / "some.gpkg", None, (141.20, 38.41, 141.22, 38.43))
    assert 0 < some < every
    frame = geopandas.read_file(tmp_path / "some.gpkg")
    assert frame.total_bounds[0] > 141.19


@pytest.mark.parametrize(
    ("layer", "name", "crs", "message"),
    [
        ("shelter", "s.dwg", None, "is no format we write"),
        ("shelter", "s.gpkg", "EPSG:4612", "JGD2000"),
        ("city_area", "s.csv", None, "is no layer of points"),
        ("shelter", "no/such/folder/s.gpkg", None, "cannot be written"),
        ("shelter", "no/such/folder/s.csv", None, "cannot be written"),
    ],
)
def test_an_export_that_cannot_be_is_refused(
    town_database: Database, tmp_path: Path, layer: str, name: str, crs: str | None, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        _export(town_database, layer, tmp_path / name, crs)


def test_an_empty_layer_becomes_an_empty_file(database: Database, tmp_path: Path) -> None:
    assert _export(database, "shelter", tmp_path / "s.geojson") == 0
    assert json.loads((tmp_path / "s.geojson").read_text())["features"] == []
