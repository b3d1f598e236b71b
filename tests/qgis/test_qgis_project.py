"""A project made by us, opened by the real QGIS; edits that go through QGIS into the history."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from gis.database import SERVICE, Database
from gis.direct_access import server_address
from layers.catalogue import load_layers
from layers.qgis.project import write_project
from tests.qgis.conftest import PERSON, Drive


@pytest.fixture
def project(town_database: Database, person: dict[str, str], tmp_path: Path) -> Path:
    path = tmp_path / "town.qgz"
    with town_database.begin(SERVICE) as connection:
        write_project(connection, path, server_address(connection), PERSON)
    return path


@pytest.fixture
def opened(project: Path, drive: Drive) -> dict[str, Any]:
    return drive("describe", project)


def _table(layer_id: str) -> str:
    return layer_id.removeprefix("machimori_").rpartition("_")[0]


def test_the_project_holds_no_password(project: Path, person: dict[str, str]) -> None:
    with zipfile.ZipFile(project) as archive:
        body = archive.read("town.qgs").decode()
    assert person["password"] not in body
    assert "password" not in body
    assert f"user='{PERSON}'" in body


def test_qgis_opens_every_layer_as_our_pages_draw_it(opened: dict[str, Any], town_database: Database) -> None:
    layers = opened["layers"]
    with town_database.begin(SERVICE) as connection:
        definitions = load_layers(connection)
        counts = {
            name: connection.execute(text(f'SELECT count(*) FROM layers."{name}"')).scalar_one() for name in definitions
        }
    assert [layer["name"] for layer in layers.values() if not layer["is_valid"]] == []
    assert {_table(key) for key in layers} == set(definitions)
    assert layers["machimori_sewer_pipe_line"]["count"] == counts["sewer_pipe"] > 0
    assert {layer["crs"] for layer in layers.values()} == {"EPSG:6668"}
    for key, layer in layers.items():
        style = definitions[_table(key)].style
        assert layer["renderer"] == ("categorizedSymbol" if style.classes else "singleSymbol")
        assert layer["has_labels"] == bool(style.label)
    assert layers["machimori_sewer_pipe_line"]["color"] == "#7a4a21"


def test_every_feature_falls_into_the_class_of_its_value(opened: dict[str, Any], town_database: Database) -> None:
    with town_database.begin(SERVICE) as connection:
        pipes = connection.execute(text("SELECT flow, count(*) FROM layers.sewer_pipe GROUP BY flow")).all()
        pumping = connection.execute(text("SELECT count(*) FROM layers.sewer_manhole WHERE is_pumping")).scalar_one()
        codes = load_layers(connection)["sewer_pipe"].attribute("flow").codes
    assert codes is not None
    names = {code.value: code.name("ja") for code in codes.codes}
    assert opened["layers"]["machimori_sewer_pipe_line"]["classes"] == {names[flow]: count for flow, count in pipes}
    assert opened["layers"]["machimori_sewer_manhole_point"]["classes"].get("圧送機能あり", 0) == pumping


def test_the_view_is_the_town_in_its_plane_system(opened: dict[str, Any]) -> None:
    assert opened["crs"] == "EPSG:6678"
    xmin, ymin, xmax, ymax = opened["extent"]
    assert 10_000 < xmin < xmax < 60_000
    assert -200_000 < ymin < ymax < -150_000
    assert opened["groups"][:2] == ["防災課", "下水道課"]
    shapes = [key.rpartition("_")[2] for key in opened["order"]]
    assert shapes == sorted(shapes, key=["point", "line", "area"].index)


def test_the_form_follows_the_definition(opened: dict[str, Any]) -> None:
    manhole = opened["layers"]["machimori_sewer_manhole_point"]
    assert manhole["widgets"]["class"] == "ValueMap"
    assert manhole["widgets"]["is_pumping"] == "CheckBox"
    assert manhole["widgets"]["installed_on"] == "DateTime"
    assert manhole["aliases"]["depth_m"] == "人孔深 [m]"
    assert manhole["rules"]["diameter_mm"] == '"diameter_mm" IS NULL OR ("diameter_mm" >= 1 AND "diameter_mm" <= 20000)'
    assert {"分流汚水", "合流"} & {name for entry in manhole["maps"]["drainage"] for name in entry} or manhole["maps"]
    site = opened["layers"]["machimori_evacuation_site_point"]
    assert site["constraints"]["name"] & 1  # NOT NULL
    assert manhole["constraints"]["manhole_id"] & 2  # unique
    assert site["is_read_only"]
    assert not manhole["is_read_only"]
    assert manhole["scales"][0] > manhole["scales"][1] > 0


def test_an_edit_in_qgis_stands_in_the_history_with_the_persons_name(
    project: Path, drive: Drive, town_database: Database
) -> None:
    answer = drive("edit", project)
    assert answer["is_saved"], answer
    with town_database.begin(SERVICE) as connection:
        rows = connection.execute(
            text(
                "SELECT h.manhole_id, h.operation, c.account, h.note, h.depth_m FROM history.sewer_manhole h"
                " JOIN gis.changeset c ON c.id = h.changeset WHERE c.account = :person ORDER BY h.operation"
            ),
            {"person": PERSON},
        ).all()
    assert [tuple(row) for row in rows] == [
        ("QGIS-1", "insert", PERSON, None, 2.5),
        (answer["changed"], "update", PERSON, "QGISで確認", rows[1].depth_m),
    ]
    assert not answer["is_foreign_started"]
    assert not answer["is_foreign_added"]


def test_what_is_not_granted_is_refused_in_postgresqls_own_words(
    drive: Drive, person: dict[str, str], town_database: Database, tmp_path: Path
) -> None:
    words = dict(word.split("=", 1) for word in person["words"].split())
    server = f"dbname='{words['dbname']}' host={words['host']} port={words['port']} user='{words['user']}'"
    statements = [
        "UPDATE layers.shelter SET name = 'x'",
        "SELECT * FROM alerts.subscriber",
        "DELETE FROM gis.changeset",
    ]
    asked = tmp_path / "asked.json"
    asked.write_text(
        json.dumps(
            {"server": server, "uri": f'{server} key=\'id\' table="alerts"."subscriber"', "statements": statements}
        )
    )
    answer = drive("look", asked)
    assert not answer["is_valid"]
    for statement in statements:
        assert "permission denied" in answer["answers"][statement]
    assert "sewer_pipe" in answer["tables"]


def test_personal_tables_are_listed_for_their_department_alone(
    drive: Drive, owner: Engine, database: Database, person: dict[str, str], tmp_path: Path
) -> None:
    from tests.layers.personal_layer import make_household_layer

    make_household_layer(owner)
    path = tmp_path / "p.qgz"
    with database.begin(SERVICE) as connection:
        tables = write_project(connection, path, server_address(connection), PERSON)
    assert "household" in tables
    assert "household_personal" not in tables
    assert drive("describe", path)["layers"]["machimori_household_point"]["is_valid"]
