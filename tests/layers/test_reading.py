"""Files of every kind that is read, and files that are not what they should be."""

from __future__ import annotations

from pathlib import Path

import geopandas
import pandas
import pyogrio
import pytest
from shapely import LineString, Point, Polygon

from gis.errors import UsageError
from layers.creating import draft_layer, examine, finish_draft
from layers.guessing import commonest_geometry, count_geometries, guess_draft, looks_swapped
from layers.importer import NoReferenceSystemError
from layers.reading import Reading, list_tables, read_features

SPOTS = geopandas.GeoDataFrame({"Name": ["丘", "山"]}, geometry=[Point(141.2, 38.4), Point(141.21, 38.41)], crs=4326)


@pytest.mark.parametrize(
    ("ending", "driver"),
    [
        ("kml", "KML"),
        ("gml", "GML"),
        ("gpkg", "GPKG"),
        ("geojson", "GeoJSON"),
        ("fgb", "FlatGeobuf"),
        ("shp", "ESRI Shapefile"),
    ],
)
def test_every_kind_of_file_gives_the_same_features(tmp_path: Path, ending: str, driver: str) -> None:
    path = tmp_path / f"spots.{ending}"
    SPOTS.to_file(path, driver=driver, encoding="utf-8")
    file = read_features(path)
    assert {row.values["Name"] for row in file.rows} == {"丘", "山"}
    assert count_geometries(file) == {"Point": 2}
    draft = guess_draft(file, "spot", "planning", "spots", commonest_geometry(file))
    assert len(examine(file, finish_draft(draft), None).rows) == 2


def test_a_drawing_has_lines_of_metres_and_no_system(tmp_path: Path) -> None:
    path = tmp_path / "plan.dxf"
    line = LineString([(31966, -177540), (31990, -177500)])
    pyogrio.write_dataframe(geopandas.GeoDataFrame({"Layer": ["0"]}, geometry=[line]), path, driver="DXF")
    file = read_features(path)
    definition = finish_draft(draft_layer(file, "plan", "construction"))
    assert definition.geometry == "MultiLineString"
    with pytest.raises(NoReferenceSystemError):
        examine(file, definition, None)
    assert len(examine(file, definition, "EPSG:6678").rows) == 1


def test_a_workbook_is_read_by_sheet_with_title_rows(tmp_path: Path) -> None:
    path = tmp_path / "wells.xlsx"
    table = pandas.DataFrame({"a": ["一覧", "名称", "井戸"], "b": ["", "経度", "141.2"], "c": ["", "緯度", "38.4"]})
    pyogrio.write_dataframe(table, path, layer="台帳", driver="XLSX")
    file = read_features(path)
    assert (list_tables(path), file.reading.table) == (["台帳"], "台帳")
    assert [row.values["名称"] for row in file.rows] == ["井戸"]
    with pytest.raises(UsageError, match="no sheet"):
        read_features(path, Reading(table="別"))


def test_a_file_that_mixes_shapes_keeps_the_commonest_and_names_the_others(tmp_path: Path) -> None:
    shapes = [Point(141.2, 38.4), Point(141.21, 38.4), LineString([(141.2, 38.4), (141.21, 38.4)])]
    geopandas.GeoDataFrame({"n": [1, 2, 3]}, geometry=shapes, crs=6668).to_file(tmp_path / "m.geojson")
    file = read_features(tmp_path / "m.geojson")
    examination = examine(file, finish_draft(draft_layer(file, "mix", "planning", "", "Point")), None)
    assert (len(examination.rows), examination.rejected_rows) == (2, 1)
    assert "is a LineString" in str(examination.rejected[0])
    any_kind = finish_draft(draft_layer(file, "mix", "planning", "", "Geometry"))
    assert len(examine(file, any_kind, None).rows) == 3


def test_positions_that_are_no_numbers_or_have_heights(tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    path.write_text("名称,経度,緯度\na,NaN,38.4\nb,inf,38.4\nc,141.2,38.4\n", encoding="utf-8")
    file = read_features(path)
    examination = examine(file, finish_draft(draft_layer(file, "n", "planning")), None)
    assert (len(examination.rows), examination.rejected_rows) == (1, 2)
    shape = Polygon([(141.2, 38.4, 5), (141.21, 38.4, 5), (141.2, 38.41, 5)])
    high = geopandas.GeoDataFrame({"n": [1]}, geometry=[shape], crs=6668)
    high.to_file(tmp_path / "z.gpkg")
    file = read_features(tmp_path / "z.gpkg")
    assert not examine(file, finish_draft(draft_layer(file, "z", "planning")), None).rows[0].geometry.has_z


def test_swapping_is_noticed_only_where_it_helps(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("名称,経度,緯度\na,38.4,141.2\n", encoding="utf-8")
    assert looks_swapped(read_features(path))
    assert not looks_swapped(read_features(path, Reading(is_swapped=True)))


def test_headers_tell_units_people_flags_and_known_names(tmp_path: Path) -> None:
    path = tmp_path / "g.csv"
    head = "施設番号,名称,口径（㎜）,世帯主,耐震化,市町村コード,面積[ha],経度,緯度"
    path.write_text(head + "\n01,a,100,佐藤,○,4214,1.5,141.2,38.4\n02,b,不明,,,4214,2,141.2,38.4\n", encoding="utf-8")
    draft = draft_layer(read_features(path), "g", "planning")
    found = {entry["aliases"][0]: entry for entry in draft["attribute"]}
    assert (found["口径（㎜）"]["unit"], found["口径（㎜）"]["type"]) == ("mm", "integer")
    assert (found["面積[ha]"]["unit"], found["面積[ha]"]["type"]) == ("ha", "real")
    assert found["世帯主"]["personal"]
    assert (found["耐震化"]["type"], found["市町村コード"]["type"]) == ("boolean", "text")
    assert (draft["key"], found["名称"]["name"]) == (found["施設番号"]["name"], "name")
    assert "経度" not in found
