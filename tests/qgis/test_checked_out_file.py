"""A checked-out GeoPackage, opened as it is by the real QGIS, worked on there, and brought back."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from gis.database import SERVICE, Database
from layers.catalogue import load_layers
from layers.offline.checkin import check_in
from layers.offline.checkout import check_out
from layers.offline.reading import read_checkout
from tests.qgis.conftest import Drive


def test_qgis_shows_the_form_and_the_style_of_the_file_and_its_work_comes_back(
    town_database: Database, drive: Drive, tmp_path: Path
) -> None:
    path = tmp_path / "field.gpkg"
    with town_database.begin(SERVICE) as connection:
        layer = load_layers(connection)["evacuation_site"]
        check_out(connection, [layer], path)
    answer = drive("field", path)
    shown = answer["layer"]
    assert answer["is_saved"], answer
    assert shown["is_valid"]
    assert shown["aliases"]["capacity"] == layer.attribute("capacity").title("ja") + (
        f" [{layer.attribute('capacity').unit}]" if layer.attribute("capacity").unit else ""
    )
    assert shown["widgets"]["fid"] == "Hidden"
    assert shown["constraints"]["name"] & 1, "a name is asked for"
    assert shown["color"] == (layer.style.fill or layer.style.color)
    for attribute in layer.table_attributes:
        assert (shown["widgets"][attribute.name] == "ValueMap") == bool(attribute.codes)
    with town_database.begin("dept_disaster", "field", "現地") as connection:
        (done,) = check_in(connection, read_checkout(path), {layer.name: layer}, "現地")
        assert (len(done.outcome.inserted), len(done.outcome.updated), done.outcome.conflicts) == (1, 1, ())
        query = "SELECT name FROM layers.evacuation_site WHERE site_id = 'QGIS-1'"
        assert connection.execute(text(query)).scalar_one() == "新"


def test_a_code_list_is_a_value_map_in_the_file(town_database: Database, drive: Drive, tmp_path: Path) -> None:
    path = tmp_path / "town.gpkg"
    with town_database.begin(SERVICE) as connection:
        check_out(connection, [load_layers(connection)["sewer_pipe"]], path)
    shown = drive("pipes", path)["layer"]
    assert shown["widgets"]["flow"] == "ValueMap"
    assert {name for entry in shown["maps"]["flow"] for name in entry} >= {"自然流下"}
    assert shown["renderer"] == "categorizedSymbol"
