"""Attributes come, change their name and go out of use while the layer's values, history and rights stay whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from lxml import etree
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from gis.database import Database
from gis.errors import UsageError
from gis.settings import Settings
from layers import reshaping
from layers.agreement import check_layer
from layers.catalogue import change_layer, create_layer, find_layer, sync
from layers.changes import Insert, Update
from layers.codes import parse_codes
from layers.definition import Attribute, Definition, parse_definition
from layers.editing import apply_changes
from layers.fitting import MisfitError, require_fit
from layers.history import feature_history
from layers.past import features_at
from layers.qgis.form import form_elements
from layers.qgis.project import granted_tables
from layers.refusals import ChangedMeanwhileError
from layers.tiles import render_tile
from layers.undo import undo_changeset
from layers.viewing import find_feature
from tests.layers.keepers import add_person
from webmap.cli import main

PLACE = {"type": "Point", "coordinates": (141.2, 38.4)}
SEAT: dict[str, Any] = {
    "name": "bench_seat",
    "title": {"ja": "ベンチ", "en": "Benches"},
    "owner": "planning",
    "geometry": "Point",
    "visibility": "public",
    "key": "number",
    "style": {"label": "material"},
    "attribute": [
        {"name": "number", "label": {"ja": "番号", "en": "Number"}, "required": True},
        {"name": "material", "label": {"ja": "材質", "en": "Material"}, "drawn": True},
        {"name": "width_cm", "label": {"ja": "幅", "en": "Width"}, "type": "integer", "drawn": True},
        {"name": "donor", "label": {"ja": "寄贈者", "en": "Donor"}, "personal": True},
    ],
}


@pytest.fixture
def keeper(owner: Engine) -> str:
    return add_person(owner)


@pytest.fixture
def seat(database: Database, keeper: str) -> Definition:
    definition = parse_definition(SEAT, "bench_seat")
    with database.begin("dept_planning", keeper) as connection:
        create_layer(connection, definition)
        values = {"number": "1", "material": "木", "width_cm": 150, "donor": "山田"}
        apply_changes(connection, definition, [Insert(values, PLACE)], "新設")
    return definition


@pytest.fixture
def at_work(database: Database, keeper: str) -> Iterator[Connection]:
    with database.begin("dept_planning", keeper) as connection:
        yield connection


def columns(connection: Connection, table: str) -> set[str]:
    return set(connection.execute(text(f"SELECT * FROM {table} LIMIT 0")).keys())


def number_of(connection: Connection, key: str) -> int:
    query = text("SELECT fid FROM layers.bench_seat WHERE number = :key")
    return int(connection.execute(query, {"key": key}).scalar_one())


def test_an_attribute_added_at_run_time_is_there_through_every_door(seat: Definition, at_work: Connection) -> None:
    colour = Attribute("colour", {"ja": "色", "en": "Colour"}, drawn=True, default="茶")
    phone = Attribute("phone", {"ja": "電話", "en": "Telephone"}, personal=True)
    wider = reshaping.add_attribute(reshaping.add_attribute(seat, colour), phone)
    change_layer(at_work, seat, wider)
    for table in ("layers.bench_seat", "history.bench_seat", "open.bench_seat"):
        assert at_work.execute(text(f"SELECT colour FROM {table}")).scalars().all() == ["茶"], table
    apply_changes(at_work, wider, [Insert({"number": "2", "colour": "赤", "phone": "0225"}, PLACE)], "新設")
    assert at_work.execute(text("SELECT phone FROM layers.bench_seat_personal ORDER BY fid DESC")).scalar() == "0225"
    assert "phone" not in columns(at_work, "open.bench_seat")
    assert check_layer(at_work, find_layer(at_work, "bench_seat")) == []


def test_the_first_personal_attribute_makes_its_own_table_for_the_owner_alone(database: Database, keeper: str) -> None:
    plain = parse_definition({**SEAT, "attribute": SEAT["attribute"][:3]}, "bench_seat")
    phone = Attribute("phone", {"ja": "電話", "en": "Telephone"}, personal=True)
    with database.begin("dept_planning", keeper) as connection:
        create_layer(connection, plain)
        wider = reshaping.add_attribute(plain, phone)
        change_layer(connection, plain, wider)
        apply_changes(connection, wider, [Insert({"number": "2", "phone": "0225"}, PLACE)], "新設")
    for role in ("dept_sewer", "machimori_service", "citizen"):
        with pytest.raises(DBAPIError, match="permission denied"), database.begin(role) as connection:
            connection.execute(text("SELECT * FROM layers.bench_seat_personal"))


def test_a_renamed_attribute_keeps_its_values_its_history_and_the_past(
    seat: Definition, database: Database, keeper: str
) -> None:
    before = datetime.now(UTC)
    with database.begin("dept_planning", keeper) as connection:
        renamed = reshaping.rename_attribute(seat, "material", "stuff")
        change_layer(connection, seat, renamed, {"material": "stuff"})
        assert renamed.style.label == "stuff"
        assert renamed.attribute("stuff").aliases == ("material",), "files go on being understood"
    with database.begin("dept_planning", keeper) as connection:
        found = find_layer(connection, "bench_seat")
        fid = number_of(connection, "1")
        apply_changes(connection, found, [Update(fid, 1, {"stuff": "石"})], "石に替えた")
    with database.begin("dept_planning", keeper) as connection:
        assert features_at(connection, found, before)[0].values["stuff"] == "木"
        reasons = [entry.changeset.reason for entry in feature_history(connection, found, fid)]
        assert "石に替えた" in (reasons[0], reasons[-1])
        assert connection.execute(text("SELECT stuff FROM open.bench_seat")).scalar_one() == "石"
        assert render_tile(connection, "bench_seat", 0, 0, 0)
        assert check_layer(connection, found) == []
        change_layer(connection, found, reshaping.rename_attribute(found, "stuff", "material"), {"stuff": "material"})
        assert check_layer(connection, find_layer(connection, "bench_seat")) == []


def test_a_retired_attribute_is_nowhere_but_in_the_tables_and_comes_back_with_its_values(
    seat: Definition, database: Database, keeper: str
) -> None:
    with database.begin("dept_planning", keeper) as connection:
        gone = reshaping.retire_attribute(seat, "width_cm")
        change_layer(connection, seat, gone)
    with database.begin("dept_planning", keeper) as connection:
        assert "width_cm" in columns(connection, "layers.bench_seat") & columns(connection, "history.bench_seat")
        assert "width_cm" not in columns(connection, "open.bench_seat")
        found = find_layer(connection, "bench_seat")
        fid = number_of(connection, "1")
        feature = find_feature(connection, found, fid)
        assert feature is not None and "width_cm" not in feature.values
        apply_changes(connection, found, [Update(fid, 1, {"material": "石"})], "石に替えた")
        connection.execute(text("DELETE FROM layers.bench_seat"))
        changeset = connection.execute(text("SELECT gis.current_changeset()")).scalar_one()
    with database.begin("dept_planning", keeper) as connection:
        undo_changeset(connection, changeset, "誤り")
    with database.begin("dept_planning", keeper) as connection:
        found = find_layer(connection, "bench_seat")
        change_layer(connection, found, reshaping.restore_attribute(found, "width_cm"))
    with database.begin("dept_planning", keeper) as connection:
        for table in ("layers.bench_seat", "open.bench_seat"):
            assert connection.execute(text(f"SELECT width_cm FROM {table}")).scalar_one() == 150, table


def test_a_required_attribute_out_of_use_does_not_keep_people_from_saving(
    seat: Definition, database: Database, keeper: str
) -> None:
    with database.begin("dept_planning", keeper) as connection:
        must = reshaping.change_attribute(seat, "width_cm", {"required": True, "minimum": 10.0})
        require_fit(connection, seat, must)
        change_layer(connection, seat, must)
        with pytest.raises(DBAPIError), connection.begin_nested():
            connection.execute(text("UPDATE layers.bench_seat SET width_cm = 9"))
        change_layer(connection, must, reshaping.retire_attribute(must, "width_cm"))
        apply_changes(connection, find_layer(connection, "bench_seat"), [Insert({"number": "2"}, PLACE)], "新設")


BAMBOO = parse_codes([{"value": "竹", "ja": "竹", "en": "Bamboo"}], "bamboo")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [({"required": True}, "required"), ({"pattern": "^[a-z]+$"}, "pattern"), ({"choices": BAMBOO}, "code")],
)
def test_a_rule_that_values_break_is_refused_with_their_number_and_the_first_of_them(
    seat: Definition, at_work: Connection, changes: dict[str, Any], rule: str
) -> None:
    more: list[Insert] = [Insert({"number": str(number)}, PLACE) for number in range(2, 9)]
    apply_changes(at_work, seat, more, "新設")
    wanted = reshaping.change_attribute(seat, "material", changes)
    with pytest.raises(MisfitError) as refusal:
        require_fit(at_work, seat, wanted)
    (misfit,) = refusal.value.misfits
    first = number_of(at_work, "2" if rule == "required" else "1")
    assert (misfit.rule, misfit.count, misfit.fids[0]) == (rule, 7 if rule == "required" else 1, first)
    assert len(misfit.fids) <= 5
    with pytest.raises(UsageError, match="do not fit"), at_work.begin_nested():
        change_layer(at_work, seat, wanted)  # the database holds it, also when nobody asked first
    assert find_layer(at_work, "bench_seat") == seat


def test_a_key_with_doubles_is_refused(seat: Definition, at_work: Connection) -> None:
    apply_changes(at_work, seat, [Insert({"number": "2", "material": "木"}, PLACE)], "新設")
    wanted = reshaping.change_settings(seat, {"key": "material"})
    with pytest.raises(MisfitError, match="cannot be the key"):
        require_fit(at_work, seat, wanted)
    apply_changes(at_work, seat, [Update(number_of(at_work, "2"), 1, {"material": "石"})], "石")
    require_fit(at_work, seat, wanted)
    change_layer(at_work, seat, wanted)
    with pytest.raises(DBAPIError), at_work.begin_nested():
        at_work.execute(text("UPDATE layers.bench_seat SET material = '石'"))


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (lambda seat: reshaping.retire_attribute(seat, "number"), "key"),
        (lambda seat: reshaping.retire_attribute(seat, "material"), "style"),
        (lambda seat: reshaping.retire_attribute(seat, "nothing"), "unknown"),
        (lambda seat: reshaping.restore_attribute(seat, "number"), "not_retired"),
        (lambda seat: reshaping.rename_attribute(seat, "number", "material"), "taken"),
        (lambda seat: reshaping.change_attribute(seat, "number", {"type": "integer"}), "fixed"),
        (lambda seat: reshaping.change_attribute(seat, "donor", {"personal": False}), "fixed"),
        (lambda seat: reshaping.change_settings(seat, {"owner": "sewer"}), "fixed"),
        (lambda seat: reshaping.change_settings(seat, {"key": "donor"}), "personal_key"),
        (lambda seat: reshaping.retire_attribute(replace(seat, relied_on=("width_cm",)), "width_cm"), "relied_on"),
    ],
)
def test_what_would_break_the_layer_is_refused_with_its_reason(action: Any, code: str) -> None:
    with pytest.raises(reshaping.ReshapeRefusedError) as refusal:
        action(parse_definition(SEAT, "bench_seat"))
    assert refusal.value.code == code


@pytest.mark.parametrize("name", ["Fid", "fid", "valid_from", "a b", 'a"; DROP TABLE layers.shelter', "", "x" * 41])
def test_a_name_that_cannot_be_a_column_is_refused(name: str) -> None:
    seat = parse_definition(SEAT, "bench_seat")
    with pytest.raises(UsageError):
        reshaping.add_attribute(seat, Attribute(name, {"ja": "a", "en": "a"}))
    with pytest.raises(UsageError):
        reshaping.rename_attribute(seat, "width_cm", name)


def test_a_change_waits_for_nobody_for_ever_and_says_so(
    seat: Definition, settings: Settings, database: Database, keeper: str
) -> None:
    wider = reshaping.add_attribute(seat, Attribute("colour", {"ja": "色", "en": "Colour"}))
    with psycopg.connect(settings.owner_url()) as busy:
        busy.execute("UPDATE layers.bench_seat SET width_cm = 160")
        with pytest.raises(ChangedMeanwhileError), database.begin("dept_planning", keeper) as connection:
            connection.execute(text("SET LOCAL lock_timeout = '200ms'"))
            change_layer(connection, seat, wider)
    with database.begin("dept_planning", keeper) as connection:
        change_layer(connection, seat, wider)


def test_a_departments_changes_lie_over_the_file_and_the_files_news_still_arrive(
    owner: Engine, database: Database, keeper: str
) -> None:
    file = parse_definition(SEAT, "bench_seat")
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL ROLE machimori_owner"))
        sync(connection, {"bench_seat": file})
    with database.begin("dept_planning", keeper) as connection:
        changed = reshaping.rename_attribute(file, "width_cm", "broad_cm")
        change_layer(connection, file, changed, {"width_cm": "broad_cm"})
        wider = reshaping.add_attribute(changed, Attribute("colour", {"ja": "色", "en": "Colour"}))
        wider = reshaping.change_settings(wider, {"licence": "CC BY 4.0"})
        wider = reshaping.change_attribute(wider, "number", {"label": {"ja": "台帳番号", "en": "Ledger number"}})
        wider = reshaping.retire_attribute(reshaping.change_style(wider, file.style), "broad_cm")
        change_layer(connection, changed, wider)
    news = {
        **SEAT,
        "source": "公園台帳",
        "title": {"ja": "ベンチ", "en": "Seats"},
        "style": {"label": "material", "color": "#112233"},
        "attribute": [
            *SEAT["attribute"][:2],
            {**SEAT["attribute"][2], "unit": "cm", "aliases": ["幅員"]},
            SEAT["attribute"][3],
            {"name": "roof", "label": {"ja": "屋根", "en": "Roof"}, "type": "boolean"},
        ],
    }
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL ROLE machimori_owner"))
        assert sync(connection, {"bench_seat": parse_definition(news, "bench_seat")}) == ["bench_seat"]
        now = find_layer(connection, "bench_seat")
        assert sync(connection, {"bench_seat": parse_definition(news, "bench_seat")}) == []
        assert check_layer(connection, now) == []
    assert (now.licence, now.source, now.title["en"], now.style.color) == ("CC BY 4.0", "公園台帳", "Seats", "#112233")
    assert {attribute.name for attribute in now.attributes} == {"number", "material", "donor", "colour", "roof"}
    assert now.attribute("number").label["ja"] == "台帳番号"
    (retired,) = now.retired
    assert (retired.name, retired.origin, retired.unit) == ("broad_cm", "width_cm", "cm")
    assert set(retired.aliases) == {"width_cm", "幅員"}


def test_the_command_line_changes_attributes_and_refuses_with_exit_code_2(
    settings: Settings,
    seat: Definition,
    owner: Engine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MACHIMORI_VAR", str(settings.var_dir))
    monkeypatch.setenv("MACHIMORI_DATABASE_URL", settings.owner_url())
    monkeypatch.setenv("MACHIMORI_APP_DATABASE_URL", settings.app_url())
    run = ["layers", "attribute"]
    added = [*run, "add", "bench_seat", "depth_m", "--label", "奥行", "Depth", "--type", "real", "--unit", "m"]
    assert main([*added, "--minimum", "0"]) == 0
    assert main([*run, "rename", "bench_seat", "depth_m", "deep_m"]) == 0
    assert main([*run, "change", "bench_seat", "deep_m", "--required"]) == 2
    assert "deep_m must be filled in, and 1 features have nothing there" in capsys.readouterr().err
    assert main([*run, "change", "bench_seat", "deep_m", "--maximum", "3", "--minimum", ""]) == 0
    assert main([*run, "retire", "bench_seat", "deep_m", "--reason", "不要"]) == 0
    assert main([*run, "restore", "bench_seat", "deep_m"]) == 0
    assert main([*run, "retire", "shelter", "name"]) == 2
    with owner.begin() as connection:
        deep = find_layer(connection, "bench_seat").attribute("deep_m")
        reasons = connection.execute(text("SELECT reason FROM gis.layer_change ORDER BY id")).scalars().all()
    assert (deep.minimum, deep.maximum, deep.unit) == (None, 3.0, "m")
    assert any(reason.startswith("不要") for reason in reasons)


def test_a_qgis_project_hides_what_is_out_of_use(
    seat: Definition, database: Database, keeper: str, owner: Engine
) -> None:
    gone = reshaping.retire_attribute(seat, "width_cm")
    elements = form_elements(gone.table_attributes, gone.key, "ja", retired=tuple(one.name for one in gone.retired))
    written = b"".join(etree.tostring(element) for element in elements).decode()
    assert re.search(r'<field name="width_cm"[^>]*><editWidget type="Hidden">', written)
    assert '<column type="field" name="width_cm" hidden="1"' in written
    retired = reshaping.change_settings(seat, {"is_retired": True})
    with database.begin("dept_planning", keeper) as connection:
        change_layer(connection, seat, retired)
    with owner.begin() as connection:
        assert "bench_seat" not in {table.table for table in granted_tables(connection, None)}


def test_who_saves_with_a_name_that_was_just_changed_is_told_to_look_again(
    seat: Definition, database: Database, keeper: str
) -> None:
    with database.begin("dept_planning", keeper) as connection:
        renamed = reshaping.rename_attribute(seat, "material", "stuff")
        change_layer(connection, seat, renamed, {"material": "stuff"})
        fid = number_of(connection, "1")
    with pytest.raises(ChangedMeanwhileError), database.begin("dept_planning", keeper) as connection:
        apply_changes(connection, seat, [Update(fid, 1, {"material": "石"})], "石")
