"""The project file itself; tests/qgis opens it with the real QGIS."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree
from sqlalchemy import Engine

from gis.accounts import add_account
from gis.database import SERVICE, Database
from gis.db_login import make_db_login, revoke_db_login
from gis.direct_access import ServerAddress
from gis.errors import UsageError
from layers.definition import Definition, parse_definition
from layers.qgis.form import form_elements
from layers.qgis.project import write_project
from layers.qgis.symbols import renderer
from tests.layers.personal_layer import make_household_layer

ADDRESS = ServerAddress("127.0.0.1", 5433, "machimori")


def _pond(**style: object) -> Definition:
    return parse_definition(
        {
            "name": "pond",
            "title": {"ja": "ため池", "en": "Ponds"},
            "owner": "construction",
            "geometry": "MultiPolygon",
            "attribute": [
                {"name": "depth_m", "label": {"ja": "深さ", "en": "Depth"}, "type": "real", "unit": "m", "minimum": 0,
                 "drawn": True},
                {"name": "number", "label": {"ja": "番号", "en": "Number"}, "pattern": "^P\\d+$"},
            ],
            "style": style,
        },
        "pond",
    )  # fmt: skip


def test_ranges_become_a_graduated_renderer_whose_bounds_belong_to_the_range_above() -> None:
    pond = _pond(by="depth_m", classes=[{"max": 3, "fill": "#ff0000"}, {"min": 3, "fill": "#0000ff"}])
    element = renderer(pond, "ja", "area")
    assert element.get("type") == "graduatedSymbol"
    ranges = [(float(item.get("lower")), float(item.get("upper")), item.get("label")) for item in element.iter("range")]
    assert ranges == [(3, 1e18, "≥ 3 m"), (-1e18, 3, "< 3 m")]
    fills = [item.get("value") for item in element.iter("Option") if item.get("name") == "color"]
    assert fills == ["0,0,255,153", "255,0,0,153"]


def test_values_and_ranges_together_become_rules() -> None:
    element = renderer(_pond(by="depth_m", classes=[{"value": 0}, {"min": 1}]), "ja", "area")
    assert [rule.get("filter") for rule in element.iter("rule")] == [
        "\"depth_m\" = '0'", '"depth_m" >= 1.0 AND "depth_m" < 1e+18', "ELSE",
    ]  # fmt: skip


def test_rules_of_attributes_let_null_pass() -> None:
    *_, expressions, _editable = form_elements(_pond().table_attributes, "", "ja")
    assert {item.get("field"): item.get("exp") for item in expressions} == {
        "depth_m": '"depth_m" IS NULL OR ("depth_m" >= 0)',
        "number": '"number" IS NULL OR (regexp_match("number", \'^P\\\\d+$\') > 0)',
    }


def test_personal_attributes_are_a_table_without_position_for_their_department(
    database: Database, owner: Engine, tmp_path: Path
) -> None:
    make_household_layer(owner)
    with owner.begin() as connection:
        add_account(connection, "mori", "森", "citizens", "a long password", roles=["editor"])
        make_db_login(connection, "mori", "citizens")
    try:
        with database.begin(SERVICE) as connection:
            assert "household_personal" in write_project(connection, tmp_path / "p.qgs", ADDRESS, "mori", "en")
            assert "household_personal" not in write_project(connection, tmp_path / "all.qgs", ADDRESS)
    finally:
        with owner.begin() as connection:
            revoke_db_login(connection, "mori")
    project = etree.parse(tmp_path / "p.qgs")
    (layer,) = [
        item for item in project.iter("maplayer") if item.findtext("id") == "machimori_household_personal_table"
    ]
    assert layer.get("geometry") == "No geometry"
    assert "geom" not in layer.findtext("datasource")
    assert layer.findtext("layername") == "Households in need of help (personal data)"


def test_a_layer_of_somebody_else_is_locked(database: Database, owner: Engine, tmp_path: Path) -> None:
    with owner.begin() as connection:
        add_account(connection, "mori", "森", "sewer", "a long password", roles=["editor"])
        make_db_login(connection, "mori", "sewer")
    try:
        with database.begin(SERVICE) as connection:
            write_project(connection, tmp_path / "p.qgs", ADDRESS, "mori")
    finally:
        with owner.begin() as connection:
            revoke_db_login(connection, "mori")
    locked = {layer.findtext("id"): layer.get("readOnly") for layer in etree.parse(tmp_path / "p.qgs").iter("maplayer")}
    assert locked["machimori_sewer_pipe_line"] == "0"
    assert locked["machimori_shelter_point"] == "1"


def test_bad_input_is_named(database: Database, tmp_path: Path) -> None:
    with database.begin(SERVICE) as connection:
        with pytest.raises(UsageError, match="no QGIS project"):
            write_project(connection, tmp_path / "p.zip", ADDRESS)
        with pytest.raises(UsageError, match="no login 'nobody'"):
            write_project(connection, tmp_path / "p.qgz", ADDRESS, "nobody")
        with pytest.raises(UsageError, match="cannot be written"):
            write_project(connection, tmp_path / "missing" / "p.qgz", ADDRESS)
