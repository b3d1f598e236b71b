"""Tiles hold what the role may see, where it is, with the drawn attributes; read back by GDAL's own MVT reader."""

from __future__ import annotations

import math
from pathlib import Path

import geopandas
import pyogrio
import pytest
import shapely
from sqlalchemy import Engine, text

from gis.database import Database
from layers import catalogue
from layers.catalogue import UnknownLayerError
from layers.definition import load_definitions, parse_definition
from layers.past import render_tile_at
from layers.tiles import render_tile

LON, LAT = 141.2, 38.4


def _tile_at(z: int, lon: float = LON, lat: float = LAT) -> tuple[int, int, int]:
    turn = math.asinh(math.tan(math.radians(lat))) / math.pi
    return z, int((lon + 180) / 360 * 2**z), int((1 - turn) / 2 * 2**z)


def _read(tile: bytes, z: int, x: int, y: int, folder: Path) -> geopandas.GeoDataFrame:
    path = folder / f"{z}" / f"{x}" / f"{y}.mvt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tile)
    return pyogrio.read_dataframe(path, X=x, Y=y, Z=z)


def _put_incident(database: Database, geometry: str, publication: str = "published") -> int:
    with database.begin("machimori_service") as connection:
        return int(
            connection.execute(
                text(
                    "INSERT INTO layers.incident (kind, status, event_key, level, headline, office, publication, geom)"
                    " VALUES ('fire', 'Actual', :geometry, 3, '火事です', '消防', :publication,"
                    " ST_GeomFromText(:geometry, 6668)) RETURNING fid"
                ),
                {"geometry": geometry, "publication": publication},
            ).scalar_one()
        )


@pytest.mark.parametrize("z", [6, 12, 16, 20])
def test_a_point_is_where_it_is_and_brings_its_drawn_attributes(database: Database, tmp_path: Path, z: int) -> None:
    fid = _put_incident(database, f"POINT({LON} {LAT})")
    address = _tile_at(z)
    with database.begin("citizen") as connection:
        found = _read(render_tile(connection, "incident", *address), *address, tmp_path)
    assert len(found) == 1
    row = found.iloc[0]
    assert (row["mvt_id"], row["headline"], row["level"], bool(row["is_demo"])) == (fid, "火事です", 3, False)
    assert not {"office", "publication", "created_by"} & set(found.columns)
    unit_m = 2 * math.pi * 6378137 / 2**z / 4096
    assert row.geometry.x == pytest.approx(LON * 111319.490793, abs=unit_m)


@pytest.mark.parametrize("lat", [38.4, -66.5, 84.9])
def test_tiles_that_are_not_projected_hold_the_places_of_web_mercator(
    database: Database, tmp_path: Path, lat: float
) -> None:
    z, x, y = _tile_at(10, LON, lat)
    north, south = (math.atan(math.sinh(math.pi * (1 - 2 * row / 2**z))) for row in (y, y + 1))
    lats = [math.degrees(south + (north - south) * step / 20) for step in range(1, 20)]
    lon = (x + 0.5) / 2**z * 360 - 180
    for place in lats:
        _put_incident(database, f"POINT({lon} {place})")
    with database.begin("citizen") as connection:
        found = _read(render_tile(connection, "incident", z, x, y), z, x, y, tmp_path)
    unit_m = 2 * math.pi * 6378137 / 2**z / 4096
    exact = [6378137 * math.asinh(math.tan(math.radians(place))) for place in lats]
    off = [abs(y - wanted) / unit_m for y, wanted in zip(sorted(found.geometry.y), exact, strict=True)]
    assert max(off) < 4  # a quarter of a pixel of a 256 pixel tile


def test_what_lies_beyond_web_mercator_is_cut_from_wide_tiles(database: Database, tmp_path: Path) -> None:
    _put_incident(database, "POLYGON((0 80, 10 80, 10 90, 0 90, 0 80))")
    with database.begin("citizen") as connection:
        found = _read(render_tile(connection, "incident", 2, 2, 0), 2, 2, 0, tmp_path)
    assert 20_000_000 < found.total_bounds[3] < 20_500_000


def test_the_neighbour_tile_and_an_empty_layer_are_empty(database: Database) -> None:
    z, x, y = _tile_at(16)
    with database.begin("citizen") as connection:
        assert render_tile(connection, "incident", z, x, y) == b""
    _put_incident(database, f"POINT({LON} {LAT})")
    with database.begin("citizen") as connection:
        assert render_tile(connection, "incident", z, x + 2, y) == b""
        assert render_tile(connection, "incident", z, x, y) != b""


@pytest.mark.parametrize("publication", ["pending", "held", "rejected"])
def test_what_is_not_published_is_in_no_tile(database: Database, publication: str) -> None:
    _put_incident(database, f"POINT({LON} {LAT})", publication)
    for role in ("citizen", "dept_disaster"):
        with database.begin(role) as connection:
            assert render_tile(connection, "incident", *_tile_at(12)) == b""


def test_what_is_over_is_drawn_on_maps_of_its_time_only(database: Database) -> None:
    fid = _put_incident(database, f"POINT({LON} {LAT})")
    place = _tile_at(12)
    incidents = load_definitions()["incident"]
    with database.begin("machimori_service") as connection:
        then = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        update = text("UPDATE layers.incident SET state = 'resolved' WHERE fid = :fid")
        connection.execute(update, {"fid": fid})
    with database.begin("dept_disaster") as connection:
        now = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        assert render_tile(connection, "incident", *place) == b""
        assert render_tile_at(connection, incidents, *place, now) == b""
        assert render_tile_at(connection, incidents, *place, then) != b""


def test_tiles_of_a_layer_of_which_most_is_over_use_the_index_of_the_rest(database: Database, owner: Engine) -> None:
    fill = text(
        "INSERT INTO layers.incident (kind, status, event_key, state, publication, geom)"
        " SELECT 'fire', 'Actual', n::text, CASE WHEN n % 500 = 0 THEN 'open' ELSE 'resolved' END, 'published',"
        " ST_SetSRID(ST_Point(141.2, 38.4), 6668) FROM generate_series(1, 3000) n"
    )
    with database.begin("machimori_service") as connection:
        connection.execute(fill)
    with owner.begin() as connection:
        connection.execute(text("ANALYZE layers.incident"))
    where = "geom && ST_MakeEnvelope(141, 38, 142, 39, 6668) AND state IN ('open', 'updated')"
    with database.begin("citizen") as connection:
        plan = connection.execute(text(f"EXPLAIN SELECT fid FROM open.incident WHERE {where}")).scalars().all()
    assert any("incident_drawn" in line or "incident_by_state" in line for line in plan), plan


def test_a_features_line_at_the_edge_is_drawn_by_both_neighbours(database: Database) -> None:
    z, x, y = _tile_at(14)
    edge_lon = (x + 1) / 2**z * 360 - 180
    _put_incident(database, f"POINT({edge_lon - 0.0001} {LAT})")
    with database.begin("citizen") as connection:
        assert render_tile(connection, "incident", z, x, y)
        assert render_tile(connection, "incident", z, x + 1, y)


def test_shapes_are_simplified_at_low_zooms_and_whole_at_high_ones(database: Database, tmp_path: Path) -> None:
    circle = f"ST_Buffer(ST_SetSRID(ST_Point({LON}, {LAT}), 6668), 0.002, 100)"
    with database.begin("dept_planning") as connection:
        connection.execute(
            text(f"INSERT INTO layers.city_area (code, name, geom) VALUES ('00001', '円', ST_Multi({circle}))")
        )
    points = {}
    with database.begin("citizen") as connection:
        for z in (8, 15):
            address = _tile_at(z)
            shape = _read(render_tile(connection, "city_area", *address), *address, tmp_path / str(z)).geometry.iloc[0]
            points[z] = shapely.get_num_coordinates(shape)
    assert points[8] < 20 < 40 < points[15]


def test_buildings_appear_only_from_the_zoom_their_definition_names(town_database: Database) -> None:
    min_zoom = load_definitions()["base_building"].style.min_zoom
    assert min_zoom > 0
    with town_database.begin("citizen") as connection:
        assert render_tile(connection, "base_building", *_tile_at(min_zoom - 1, 141.212, 38.424)) == b""
        assert render_tile(connection, "base_building", *_tile_at(min_zoom, 141.212, 38.424)) != b""


def test_an_internal_layer_is_drawn_for_the_city_office_and_unknown_to_citizens(
    database: Database, owner: Engine
) -> None:
    definition = parse_definition(
        {
            "name": "key_box",
            "title": {"ja": "鍵箱", "en": "Key boxes"},
            "owner": "disaster",
            "geometry": "Point",
            "attribute": [{"name": "code", "label": {"ja": "番号", "en": "Code"}, "drawn": True}],
        },
        "key_box",
    )
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL ROLE machimori_owner"))
        catalogue.create_layer(connection, definition)
    with database.begin("dept_disaster") as connection:
        connection.execute(
            text(f"INSERT INTO layers.key_box (code, geom) VALUES ('1', ST_SetSRID(ST_Point({LON}, {LAT}), 6668))")
        )
    with database.begin("dept_sewer") as connection:
        assert render_tile(connection, "key_box", *_tile_at(12)) != b""
    with database.begin("citizen") as connection, pytest.raises(UnknownLayerError):
        render_tile(connection, "key_box", *_tile_at(12))


@pytest.mark.parametrize("name", ["nothing", "incident; DROP TABLE layers.incident", "alert", ""])
def test_a_name_that_is_no_layer_is_refused(database: Database, name: str) -> None:
    with database.begin("citizen") as connection, pytest.raises(UnknownLayerError):
        render_tile(connection, name, 0, 0, 0)
