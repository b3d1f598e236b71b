"""Importing: the real layouts come in, and what cannot be right is refused with its row and likely cause."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas
import pytest
from shapely import LineString, Point, Polygon
from sqlalchemy import text

from gis.database import Database
from gis.errors import UsageError
from layers.catalogue import find_layer
from layers.importer import ImportResult, import_file

Run = Callable[..., ImportResult]


@pytest.fixture
def run(database: Database) -> Run:
    """Import a file as the layer's owner department."""

    def import_it(path: Path, layer: str, crs: str | None = None, **options: Any) -> ImportResult:
        with database.begin("machimori_service") as connection:
            definition = find_layer(connection, layer)
        with database.begin(definition.owner_role, account="sato", reason="import") as connection:
            return import_file(connection, path, definition, crs, **options)

    return import_it


def _rows(database: Database, query: str) -> list[Any]:
    with database.begin("machimori_service") as connection:
        return list(connection.execute(text(query)))


def _write_sites(path: Path, *sites: dict[str, Any]) -> Path:
    """A GeoJSON in the layout of GSI's evacuation sites; `at` is the coordinates."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": site.get("at", [141.2, 38.4])},
            "properties": {"共通ID": "E1", "施設・場所名": "試験の丘", "津波": "1", "洪水": ""}
            | {key: value for key, value in site.items() if key != "at"},
        }
        for site in sites
    ]
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False), encoding="utf-8"
    )
    return path


def _write_csv(path: Path, *lines: str, encoding: str = "utf-8-sig") -> Path:
    path.write_bytes("\r\n".join(lines).encode(encoding))
    return path


def test_a_second_import_changes_only_what_differs(run: Run, database: Database, tmp_path: Path) -> None:
    path = tmp_path / "sites.geojson"
    first = run(_write_sites(path, {"共通ID": "E1"}, {"共通ID": "E2"}, {"共通ID": "E3"}), "evacuation_site")
    assert (first.inserted, first.updated, first.unchanged) == (3, 0, 0)
    again = run(path, "evacuation_site")
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, 3)
    _write_sites(path, {"共通ID": "E1", "洪水": "1"}, {"共通ID": "E2", "at": [141.21, 38.4]}, {"共通ID": "E4"})
    third = run(path, "evacuation_site")
    assert (third.inserted, third.updated, third.unchanged) == (1, 2, 0)
    assert _rows(database, "SELECT site_id, version FROM layers.evacuation_site ORDER BY site_id") == [
        ("E1", 2), ("E2", 2), ("E3", 1), ("E4", 1),
    ]  # fmt: skip


def test_an_import_is_one_changeset_with_the_persons_name(run: Run, database: Database, tmp_path: Path) -> None:
    run(_write_sites(tmp_path / "s.geojson", {"共通ID": "E1"}, {"共通ID": "E2"}), "evacuation_site")
    assert _rows(database, "SELECT account, reason FROM gis.changeset") == [("sato", "import")]


def test_a_dry_run_counts_and_leaves_nothing(run: Run, database: Database, tmp_path: Path) -> None:
    path = _write_sites(tmp_path / "s.geojson", {})
    assert run(path, "evacuation_site", is_dry_run=True).inserted == 1
    assert _rows(database, "SELECT 1 FROM layers.evacuation_site") == []
    assert _rows(database, "SELECT 1 FROM history.evacuation_site") == []


def test_real_features_replace_the_invented_ones_in_one_go(run: Run, town_database: Database, tmp_path: Path) -> None:
    result = run(_write_sites(tmp_path / "s.geojson", {}), "evacuation_site")
    assert result.demo_removed == 60
    assert _rows(town_database, "SELECT site_id, is_demo FROM layers.evacuation_site") == [("E1", False)]
    assert _rows(town_database, "SELECT count(*) FROM layers.shelter") == [(20,)]
    assert _rows(town_database, "SELECT count(*) FROM history.evacuation_site WHERE operation = 'delete'") == [(60,)]


def test_a_refused_file_leaves_the_invented_ones_alone(run: Run, town_database: Database, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        run(_write_sites(tmp_path / "s.geojson", {}, {"共通ID": "E2", "津波": "たぶん"}), "evacuation_site")
    assert _rows(town_database, "SELECT count(*) FROM layers.evacuation_site WHERE is_demo") == [(60,)]


def test_an_attribute_the_file_does_not_have_keeps_its_value(run: Run, database: Database, tmp_path: Path) -> None:
    run(_write_sites(tmp_path / "s.geojson", {"想定収容人数": "120"}), "evacuation_site")
    run(_write_sites(tmp_path / "s.geojson", {"津波": ""}), "evacuation_site")
    assert _rows(database, "SELECT capacity, tsunami FROM layers.evacuation_site") == [(120, False)]


@pytest.mark.parametrize(
    ("site", "message"),
    [
        ({"津波": "たぶん"}, r"row 1, 津波 = 'たぶん': is neither ○"),
        ({"共通ID": ""}, r"row 1, 共通ID = '': is missing"),
        ({"想定収容人数": "約百人"}, r"想定収容人数 = '約百人': is no number"),
        ({"想定収容人数": "-5"}, r"is less than 0"),
        ({"at": [38.4, 141.2]}, r"row 1, position: .*lon and lat are swapped"),
        ({"at": [31966.2, -177539.8]}, r"metres read as degrees\?.*--crs EPSG:6678"),
        ({"at": [138.32, 34.86]}, r"is far from Higashi-Matsushima"),
    ],
)
def test_a_row_that_cannot_be_right_is_refused_with_its_likely_cause(
    run: Run, database: Database, tmp_path: Path, site: dict[str, Any], message: str
) -> None:
    path = _write_sites(tmp_path / "s.geojson", site)
    with pytest.raises(UsageError, match=message) as caught:
        run(path, "evacuation_site")
    assert "Nothing was imported" in caught.value.hint
    assert _rows(database, "SELECT 1 FROM layers.evacuation_site") == []


def test_positions_far_from_the_town_come_in_when_that_is_meant(run: Run, tmp_path: Path) -> None:
    path = _write_sites(tmp_path / "s.geojson", {"at": [138.32, 34.86]})
    assert run(path, "evacuation_site", is_anywhere=True).inserted == 1


def test_one_bad_row_among_many_is_named_and_stops_all(run: Run, database: Database, tmp_path: Path) -> None:
    sites = [{"共通ID": f"E{n}"} for n in range(1, 30)]
    sites[16]["at"] = [38.4, 141.2]
    with pytest.raises(UsageError, match="row 17, position"):
        run(_write_sites(tmp_path / "s.geojson", *sites), "evacuation_site")
    assert _rows(database, "SELECT 1 FROM layers.evacuation_site") == []


def test_the_same_key_twice_names_both_rows(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="row 3, 共通ID = 'E1': stands in row 1, too"):
        run(_write_sites(tmp_path / "s.geojson", {}, {"共通ID": "E2"}, {}), "evacuation_site")


def test_a_missing_position_is_named(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "s.geojson"
    _write_sites(path, {})
    path.write_text(path.read_text().replace('{"type": "Point", "coordinates": [141.2, 38.4]}', "null"))
    with pytest.raises(UsageError, match="row 1, position: is missing"):
        run(path, "evacuation_site")


def test_a_polygon_that_crosses_itself_is_refused_with_the_place(run: Run, tmp_path: Path) -> None:
    bow = Polygon([(141.2, 38.4), (141.22, 38.42), (141.22, 38.4), (141.2, 38.42)])
    frame = geopandas.GeoDataFrame({"N03_007": ["04214"], "N03_004": ["東松島市"]}, geometry=[bow], crs=6668)
    frame.to_file(tmp_path / "area.gpkg")
    with pytest.raises(UsageError, match=r"row 1, position: is not valid: Self-intersection\[141\.21 38\.41\]"):
        run(tmp_path / "area.gpkg", "city_area")


def test_a_line_does_not_go_into_a_layer_of_points(run: Run, tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame(
        {"共通ID": ["1"], "名称": ["線"]}, geometry=[LineString([(141.2, 38.4), (141.21, 38.4)])], crs=6668
    )
    frame.to_file(tmp_path / "line.gpkg")
    with pytest.raises(UsageError, match="is a LineString, but the layer holds Point"):
        run(tmp_path / "line.gpkg", "evacuation_site")


def test_single_polygons_become_multipolygons(run: Run, database: Database, tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame(
        {"N03_007": ["04214"], "N03_004": ["東松島市"]}, geometry=[Point(141.2, 38.4).buffer(0.01)], crs=6668
    )
    frame.to_file(tmp_path / "area.gpkg")
    run(tmp_path / "area.gpkg", "city_area")
    assert _rows(database, "SELECT GeometryType(geom), ST_SRID(geom), code FROM layers.city_area") == [
        ("MULTIPOLYGON", 6668, "04214")
    ]


def test_a_code_that_lost_its_leading_zero_says_so(run: Run, tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame(
        {"N03_007": [4214], "N03_004": ["東松島市"]}, geometry=[Point(141.2, 38.4).buffer(0.01)], crs=6668
    )
    frame.to_file(tmp_path / "area.gpkg")
    with pytest.raises(UsageError, match="N03_007 = 4214: has lost its leading zero"):
        run(tmp_path / "area.gpkg", "city_area")


@pytest.mark.parametrize(("epsg", "name"), [(4612, "JGD2000"), (2452, "JGD2000"), (4301, "Tokyo"), (30170, "Tokyo")])
def test_older_datums_are_refused_and_never_shifted_silently(run: Run, tmp_path: Path, epsg: int, name: str) -> None:
    frame = geopandas.GeoDataFrame({"共通ID": ["1"], "名称": ["丘"]}, geometry=[Point(141.2, 38.4)], crs=6668)
    frame.to_crs(epsg).to_file(tmp_path / "old.shp", encoding="utf-8")
    with pytest.raises(UsageError, match=name):
        run(tmp_path / "old.shp", "evacuation_site")
    with pytest.raises(UsageError, match=name):
        run(_write_sites(tmp_path / "s.geojson", {}), "evacuation_site", f"EPSG:{epsg}")


@pytest.mark.parametrize("epsg", [6678, 6677, 4326, 3857, 6668])
def test_current_systems_land_on_the_same_spot(run: Run, database: Database, tmp_path: Path, epsg: int) -> None:
    frame = geopandas.GeoDataFrame({"共通ID": ["1"], "名称": ["丘"]}, geometry=[Point(141.2, 38.4)], crs=6668)
    frame.to_crs(epsg).to_file(tmp_path / "s.shp", encoding="utf-8")
    run(tmp_path / "s.shp", "evacuation_site")
    ((lon, lat),) = _rows(database, "SELECT ST_X(geom), ST_Y(geom) FROM layers.evacuation_site")
    assert (lon, lat) == (pytest.approx(141.2, abs=1e-8), pytest.approx(38.4, abs=1e-8))


def test_the_plane_zone_meets_a_published_point(run: Run, database: Database, tmp_path: Path) -> None:
    """The origin of zone X is 40°N 140°50′E (平成14年国土交通省告示第9号); x is easting here, as files have it."""
    frame = geopandas.GeoDataFrame(
        {"N03_007": ["00000"], "N03_004": ["原点"]}, geometry=[Point(0, 0).buffer(100)], crs=6678
    )
    frame.to_file(tmp_path / "origin.gpkg")
    run(tmp_path / "origin.gpkg", "city_area")
    ((lon, lat),) = _rows(database, "SELECT ST_X(ST_Centroid(geom)), ST_Y(ST_Centroid(geom)) FROM layers.city_area")
    assert (lon, lat) == (pytest.approx(140 + 50 / 60, abs=1e-6), pytest.approx(40, abs=1e-6))


def test_a_shapefile_without_a_reference_system_asks_for_it(run: Run, tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame({"共通ID": ["1"], "名称": ["丘"]}, geometry=[Point(141.2, 38.4)], crs=6668)
    frame.to_file(tmp_path / "s.shp", encoding="utf-8")
    (tmp_path / "s.prj").unlink()
    with pytest.raises(UsageError, match="does not say its coordinate reference system") as caught:
        run(tmp_path / "s.shp", "evacuation_site")
    assert "--crs" in caught.value.hint
    assert run(tmp_path / "s.shp", "evacuation_site", "EPSG:6668").inserted == 1


def test_degrees_that_claim_to_be_metres_are_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="looks like degrees, but is read as metres"):
        run(_write_sites(tmp_path / "s.geojson", {}), "evacuation_site", "EPSG:6678")


@pytest.mark.parametrize("word", ["EPSG:999999", "zone ten"])
def test_a_reference_system_that_is_none_is_refused(run: Run, tmp_path: Path, word: str) -> None:
    with pytest.raises(UsageError, match="is no coordinate reference system"):
        run(_write_sites(tmp_path / "s.geojson", {}), "evacuation_site", word)


@pytest.mark.parametrize("encoding", ["utf-8", "cp932"])
@pytest.mark.parametrize("has_cpg", [True, False])
def test_a_shapefile_is_read_in_its_encoding_said_or_not(
    run: Run, database: Database, tmp_path: Path, encoding: str, has_cpg: bool
) -> None:
    frame = geopandas.GeoDataFrame({"共通ID": ["1"], "名称": ["表示の丘"]}, geometry=[Point(141.2, 38.4)], crs=6668)
    frame.to_file(tmp_path / "s.shp", encoding=encoding)
    if not has_cpg:
        (tmp_path / "s.cpg").unlink(missing_ok=True)
    run(tmp_path / "s.shp", "evacuation_site")
    assert _rows(database, "SELECT name FROM layers.evacuation_site") == [("表示の丘",)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "cp932"])
def test_a_csv_as_offices_write_it_comes_in(run: Run, database: Database, tmp_path: Path, encoding: str) -> None:
    path = _write_csv(
        tmp_path / "s.csv",
        "指定緊急避難場所一覧,,,,,,",
        "令和８年４月１日現在,,,,,,",
        "ID,名称,所在地_連結表記,緯度,経度,災害種別_津波,災害種別_洪水,想定収容人数",
        "1,表の丘,東松島市矢本,38.4,141.2,○,,１２０",
        ",,,,,,",
        '2,"二の丘, 北",東松島市赤井,38.41,141.21,,1,"1,200"',
        encoding=encoding,
    )
    assert run(path, "evacuation_site").inserted == 2
    query = "SELECT name, tsunami, flood, capacity, ST_X(geom) FROM layers.evacuation_site ORDER BY site_id"
    assert _rows(database, query) == [("表の丘", True, False, 120, 141.2), ("二の丘, 北", False, True, 1200, 141.21)]


def test_a_csv_mistake_is_named_by_its_line(run: Run, tmp_path: Path) -> None:
    path = _write_csv(tmp_path / "s.csv", "一覧", "ID,名称,緯度,経度", "1,丘,38.4,141.2", "2,山,141.2,38.4", "3,谷,,")
    with pytest.raises(UsageError, match=r"row 4, position: .*swapped(.|\n)*row 5, position: is missing"):
        run(path, "evacuation_site")


def test_a_csv_without_positions_says_which_columns_it_wants(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none of .* longitude and latitude") as caught:
        run(_write_csv(tmp_path / "s.csv", "ID,名称", "1,丘"), "evacuation_site")
    assert "経度" in caught.value.hint


def test_degrees_minutes_and_seconds_are_refused(run: Run, tmp_path: Path) -> None:
    path = _write_csv(tmp_path / "s.csv", "ID,名称,緯度,経度", "1,丘,38度24分,141度12分")
    with pytest.raises(UsageError, match=r"row 2, position: .*are no numbers"):
        run(path, "evacuation_site")


def test_a_file_without_a_required_column_lists_what_it_has(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no column for 共通ID") as caught:
        run(_write_csv(tmp_path / "s.csv", "名称,緯度,経度", "丘,38.4,141.2"), "evacuation_site")
    assert "名称" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.geojson", "{", "cannot be read"),
        ("s.shp", "this is no shapefile", "cannot be read"),
        ("s.csv", "", "is empty"),
        ("s.csv", "ID,名称,緯度,経度", "has no features"),
    ],
)
def test_a_broken_or_empty_file_is_one_clear_sentence(
    run: Run, tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        run(tmp_path / name, "evacuation_site")


def test_a_file_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no file .*nothing\.shp"):
        run(tmp_path / "nothing.shp", "evacuation_site")


def test_incidents_are_not_imported(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="written by the workers"):
        run(_write_sites(tmp_path / "s.geojson", {}), "incident")


def test_a_layer_without_a_key_takes_only_what_it_does_not_have(run: Run, database: Database, tmp_path: Path) -> None:
    lines = [LineString([(141.2, 38.4), (141.21, 38.4)]), LineString([(141.2, 38.4), (141.2, 38.41)])]
    frame = geopandas.GeoDataFrame({"class": ["national", "市道"], "名称": ["一", "二"]}, geometry=lines, crs=6668)
    frame.to_file(tmp_path / "roads.gpkg")
    assert run(tmp_path / "roads.gpkg", "base_road").inserted == 2
    again = run(tmp_path / "roads.gpkg", "base_road")
    assert (again.inserted, again.unchanged) == (0, 2)
    assert _rows(database, "SELECT class FROM layers.base_road ORDER BY fid") == [("national",), ("municipal",)]


def test_another_department_cannot_import(database: Database, tmp_path: Path) -> None:
    with database.begin("dept_sewer") as connection:
        definition = find_layer(connection, "evacuation_site")
    path = _write_sites(tmp_path / "s.geojson", {})
    with pytest.raises(Exception, match="permission denied"), database.begin("dept_sewer") as connection:
        import_file(connection, path, definition)


# ---- the real files


def test_the_real_evacuation_sites_and_shelters_come_in(run: Run, town_database: Database, samples: Path) -> None:
    sites = run(samples / "facilities" / "higashimatsushima_emergency_sites.geojson", "evacuation_site")
    assert (sites.inserted, sites.demo_removed) == (200, 60)
    shelters = run(samples / "facilities" / "higashimatsushima_shelters.geojson", "shelter")
    assert (shelters.inserted, shelters.demo_removed) == (93, 20)
    query = "SELECT count(*) FILTER (WHERE tsunami), count(*) FILTER (WHERE volcano) FROM layers.evacuation_site"
    ((tsunami, volcano),) = _rows(town_database, query)
    assert 0 < tsunami < 200
    assert volcano == 0


def test_the_real_boundaries_replace_the_drawn_outline(run: Run, town_database: Database, samples: Path) -> None:
    result = run(samples / "boundary" / "miyagi_N03-21.geojson", "city_area")
    assert (result.inserted, result.demo_removed) == (39, 1)
    assert _rows(town_database, "SELECT name, is_demo FROM layers.city_area WHERE code = '04214'") == [
        ("東松島市", False)
    ]
    assert _rows(town_database, "SELECT county, name FROM layers.city_area WHERE code = '04101'") == [
        ("仙台市", "青葉区")
    ]


def test_another_citys_sites_are_refused_by_their_place_and_come_in_when_meant(run: Run, samples: Path) -> None:
    path = samples / "facilities" / "yaizu" / "指定緊急避難場所一覧" / "222127_evacuation_space.csv"
    with pytest.raises(UsageError, match="is far from"):
        run(path, "evacuation_site")
    assert run(path, "evacuation_site", is_anywhere=True).inserted > 0


def test_the_real_jgd2000_shapefile_is_refused(run: Run, samples: Path) -> None:
    path = samples / "facilities" / "yaizu" / "浸水履歴_平成10年" / "浸水履歴_平成10年.shp"
    with pytest.raises(UsageError, match="JGD2000"):
        run(path, "city_area")
