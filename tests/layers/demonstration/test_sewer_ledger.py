"""Ledgers and open data as departments export them go into the shipped layers; the demonstration town fills them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import geopandas
import pytest
from shapely import LineString
from sqlalchemy import Connection, Engine, text

from gis.database import Database
from layers.catalogue import load_layers
from layers.definition import load_definitions
from layers.demonstration.loading import load_demonstration_layers
from layers.importer import import_file

# What dBASE leaves of a ledger's headers: ten bytes, five characters in cp932.
CUT_LEDGER: dict[str, list[Any]] = {
    "管渠番号": ["A-1", "A-2", "A-3"],
    "処理分区": ["西部", "西部", "西部"],
    "雨汚種別": ["汚水", "雨水", "合流"],
    "上流人孔番": ["101", "102", "103"],
    "下流人孔番": ["102", "103", "104"],
    "上流人孔規": ["1号", "1号", "2号"],
    "上流管底高": [3.25, 9999.00, 2.1],
    "下流管底高": [3.1, 999.99, 2.0],
    "上流土被り": [1.4, 999.99, 1.6],
    "管渠材質": ["塩ビ管", "ヒューム管", "VU"],
    "管径": [200, 250, 9999],
    "管渠延長": [31.5, 40.0, 999.99],
    "勾配": [4.7, 999.99, 2.5],
    "流下方式": ["自然流下", "自然流下", "圧送"],
    "供用年月日": ["1998-04-01", None, "2003/10/1"],
}


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    lines = [LineString([(141.20 + n / 1000, 38.42), (141.2005 + n / 1000, 38.4203)]) for n in range(3)]
    path = tmp_path / "管渠.shp"
    geopandas.GeoDataFrame(CUT_LEDGER, geometry=lines, crs=6668).to_file(path, encoding="cp932", engine="pyogrio")
    return path


def test_a_ledger_with_cut_headers_and_placeholders_becomes_pipes(database: Database, ledger: Path) -> None:
    with database.begin("dept_sewer") as connection:
        result = import_file(connection, ledger, load_definitions()["sewer_pipe"])
        rows = connection.execute(text("SELECT * FROM layers.sewer_pipe ORDER BY pipe_id")).mappings().all()
    assert (result.inserted, result.unused_headers) == (3, ())
    assert [row["material"] for row in rows] == ["pvc", "concrete", "pvc"]
    assert [row["drainage"] for row in rows] == ["sanitary", "storm", "combined"]
    assert [row["upstream_invert_m"] for row in rows] == [3.25, None, 2.1]
    assert [row["downstream_invert_m"] for row in rows] == [3.1, None, 2.0]
    assert [row["diameter_mm"] for row in rows] == [200, 250, None]
    assert [row["pipe_length_m"] for row in rows] == [31.5, 40.0, None]
    assert rows[0]["upstream_manhole_class"] == "1号"
    assert [row["in_service_on"] for row in rows] == [date(1998, 4, 1), None, date(2003, 10, 1)]


@pytest.mark.parametrize(
    ("layer", "file", "count"),
    [
        ("aed", "AED設置箇所一覧/222127_aed.csv", 82),
        ("broadcast_speaker", "同報無線子局一覧/222127_douhoumusenkokyoku.csv", 200),
        ("tsunami_evacuation_building", "指定津波避難ビル一覧/222127_shiteitsunamihinanbiru.csv", 125),
    ],
)
def test_open_data_of_a_real_city_goes_in_as_published(
    database: Database, samples: Path, layer: str, file: str, count: int
) -> None:
    with database.begin("dept_disaster") as connection:
        result = import_file(
            connection,
            samples / "facilities" / "yaizu" / file,
            load_definitions()[layer],
            "EPSG:6668",
            is_anywhere=True,
        )
        names = connection.execute(text(f"SELECT count(name) FROM layers.{layer} WHERE name <> ''")).scalar_one()
    assert result.inserted == names
    assert abs(result.inserted - count) <= 1


def test_the_demonstration_town_fills_every_shipped_layer_but_incidents(owner: Engine, database: Database) -> None:
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL ROLE machimori_owner"))
        assert load_demonstration_layers(connection)
        counts = _counts(connection)
        invented = {layer: connection.execute(text(_invented(layer))).scalar_one() for layer in counts}
    empty = [layer for layer, count in counts.items() if count == 0]
    assert empty == ["incident"]
    assert invented == counts


def test_citizens_see_hazards_and_no_sewers(owner: Engine, database: Database) -> None:
    with database.begin("citizen") as connection:
        views = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'open'"
        visible = set(connection.execute(text(views)).scalars())
    assert {"hazard_tsunami", "hazard_flood", "aed", "store", "fire_water", "town_block"} <= visible
    assert not {name for name in visible if name.startswith("sewer_")}


def _counts(connection: Connection) -> dict[str, int]:
    return {
        layer: connection.execute(text(f"SELECT count(*) FROM layers.{layer}")).scalar_one()
        for layer in load_layers(connection)
    }


def _invented(layer: str) -> str:
    return f"SELECT count(*) FROM layers.{layer} WHERE is_demo"
