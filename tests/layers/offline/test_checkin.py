"""Work without a network: a file goes out, is worked on, and comes back into a layer that moved on."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyogrio
import pytest
import shapely
from sqlalchemy import Engine, text

from gis.database import SERVICE, Database
from gis.errors import UsageError
from layers.changes import Delete, Insert, Update
from layers.definition import Definition, load_definitions
from layers.editing import apply_changes
from layers.offline.changes import Choice
from layers.offline.checkin import CheckedIn, check_in, conflict_lines, owner_of_work
from layers.offline.checkout import check_out
from layers.offline.geopackage import from_blob, to_blob
from layers.offline.reading import read_checkout
from tests.layers.personal_layer import make_household_layer

LAYER = load_definitions()["evacuation_site"]
ROLE = LAYER.owner_role


def _apply(database: Database, *changes: Insert | Update | Delete) -> list[int]:
    with database.begin(ROLE, "sato") as connection:
        return list(apply_changes(connection, LAYER, changes, "室内").inserted)


@pytest.fixture
def fids(database: Database) -> list[int]:
    sites = [("a", 141.20), ("b", 141.21), ("c", 141.22), ("far", 141.29)]
    return _apply(
        database,
        *(
            Insert({"site_id": name, "name": name, "capacity": 100}, {"type": "Point", "coordinates": [lon, 38.4]})
            for name, lon in sites
        ),
    )


@pytest.fixture
def file(database: Database, fids: list[int], tmp_path: Path) -> Path:
    path = tmp_path / "field.gpkg"
    with database.begin(SERVICE) as connection:
        check_out(connection, [LAYER], path, (141.1, 38.3, 141.25, 38.5))
    return path


def _work(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as db:
        for statement in statements:
            db.execute(statement)


def _check_in(database: Database, path: Path) -> list[CheckedIn]:
    checkout = read_checkout(path)
    with database.begin(ROLE, "field", "現地") as connection:
        return check_in(connection, checkout, {LAYER.name: LAYER}, "現地")


def _rows(database: Database) -> dict[str, tuple[object, ...]]:
    with database.begin(SERVICE) as connection:
        rows = connection.execute(
            text("SELECT site_id, name, capacity, version, round(ST_X(geom)::numeric, 3) FROM layers.evacuation_site")
        )
        return {row[0]: (*row[1:4], float(row[4])) for row in rows}


def _add(path: Path, site_id: str, lon: float = 141.2) -> None:
    with sqlite3.connect(path) as db:
        db.execute(
            "INSERT INTO evacuation_site (geom, site_id, name) VALUES (?, ?, ?)",
            (to_blob(shapely.Point(lon, 38.41)), site_id, site_id),
        )


def test_a_file_nobody_worked_on_changes_nothing(database: Database, file: Path) -> None:
    before = _rows(database)
    assert _check_in(database, file) == []
    assert _rows(database) == before


def test_only_what_lies_in_the_box_leaves(file: Path) -> None:
    with sqlite3.connect(file) as db:
        assert [row[0] for row in db.execute("SELECT site_id FROM evacuation_site ORDER BY 1")] == ["a", "b", "c"]


def test_all_kinds_of_work_come_back_as_one_changeset(database: Database, file: Path, fids: list[int]) -> None:
    _work(
        file,
        "UPDATE evacuation_site SET capacity = 150 WHERE site_id = 'a'",
        "DELETE FROM evacuation_site WHERE site_id = 'b'",
    )
    _add(file, "new")
    (done,) = _check_in(database, file)
    assert (list(done.outcome.updated), done.outcome.deleted) == ([fids[0]], (fids[1],))
    assert _rows(database) == {
        "a": ("a", 150, 2, 141.2), "c": ("c", 100, 1, 141.22), "far": ("far", 100, 1, 141.29),
        "new": ("new", None, 1, 141.2),
    }  # fmt: skip
    with database.begin(SERVICE) as connection:
        query = "SELECT count(*), min(reason) FROM gis.changeset WHERE account = 'field'"
        assert tuple(connection.execute(text(query)).one()) == (1, "現地")


def test_the_same_file_again_changes_nothing(database: Database, file: Path) -> None:
    _work(
        file,
        "UPDATE evacuation_site SET capacity = 150 WHERE site_id = 'a'",
        "DELETE FROM evacuation_site WHERE site_id = 'b'",
    )
    _add(file, "new")
    _check_in(database, file)
    before = _rows(database)
    assert _check_in(database, file) == []
    assert _rows(database) == before


def test_more_work_in_the_same_file_is_new_work_alone(database: Database, file: Path) -> None:
    _add(file, "new")
    _add(file, "short-lived", 141.3)
    _check_in(database, file)
    _work(
        file,
        "UPDATE evacuation_site SET capacity = 7 WHERE site_id = 'new'",
        "DELETE FROM evacuation_site WHERE site_id = 'short-lived'",
    )
    _check_in(database, file)
    rows = _rows(database)
    assert rows["new"] == ("new", 7, 2, 141.2)
    assert "short-lived" not in rows


def test_conflicts_are_listed_and_the_rest_is_applied(database: Database, file: Path, fids: list[int]) -> None:
    _work(
        file,
        "UPDATE evacuation_site SET capacity = 150, name = 'A' WHERE site_id = 'a'",
        "UPDATE evacuation_site SET capacity = 60 WHERE site_id = 'b'",
        "UPDATE evacuation_site SET capacity = 70 WHERE site_id = 'c'",
    )
    _apply(database, Update(fids[0], 1, {"capacity": 120}), Update(fids[1], 1, {"name": "B"}), Delete(fids[2], 1))
    (done,) = _check_in(database, file)
    words = [conflict_lines(LAYER, conflict, "en") for conflict in done.outcome.conflicts]
    assert words == [
        ["Capacity: was 100, is now 120, the file says 150"],
        ["was deleted meanwhile, the file changes it"],
    ]
    assert _rows(database)["a"] == ("a", 120, 2, 141.2)
    assert _rows(database)["b"] == ("B", 60, 3, 141.21)


def test_a_moved_point_comes_back_and_a_rewritten_header_is_no_move(database: Database, file: Path) -> None:
    with sqlite3.connect(file) as db:
        (blob,) = db.execute("SELECT geom FROM evacuation_site WHERE site_id = 'b'").fetchone()
        plain = blob[:3] + b"\x01" + blob[4:8] + blob[40:]  # without its envelope, as other programs write points
        assert from_blob(plain) == from_blob(blob)
        db.execute("UPDATE evacuation_site SET geom = ? WHERE site_id = 'b'", (plain,))
        db.execute("UPDATE evacuation_site SET geom = ? WHERE site_id = 'a'", (to_blob(shapely.Point(141.23, 38.4)),))
    _check_in(database, file)
    rows = _rows(database)
    assert rows["a"] == ("a", 100, 2, 141.23)
    assert rows["b"] == ("b", 100, 1, 141.21)


def test_every_bad_value_is_named_and_nothing_changes(database: Database, file: Path, fids: list[int]) -> None:
    _work(
        file,
        "UPDATE evacuation_site SET capacity = -1 WHERE site_id = 'a'",
        "UPDATE evacuation_site SET name = NULL WHERE site_id = 'b'",
        "UPDATE evacuation_site SET capacity = 5 WHERE site_id = 'c'",
    )
    before = _rows(database)
    with pytest.raises(UsageError) as refusal:
        _check_in(database, file)
    assert f"(evacuation_site), row {fids[0]}: Capacity must be at least 0, not -1." in refusal.value.message
    assert f"(evacuation_site), row {fids[1]}: Name" in refusal.value.message
    assert _rows(database) == before


def _rebuild(path: Path) -> None:
    _work(path, "ALTER TABLE evacuation_site DROP COLUMN note")


def _lose_versions(path: Path) -> None:
    _work(path, "DROP TABLE machimori_base_evacuation_site")


def _lose_origin(path: Path) -> None:
    _work(path, "DROP TABLE machimori_checkout")


def _other_town(path: Path) -> None:
    _work(path, "UPDATE machimori_checkout SET town = '01100'")


def _garble_shape(path: Path) -> None:
    _work(path, "UPDATE evacuation_site SET geom = x'00'")


def _no_file(path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_rebuild, "note is missing or new"),
        (_lose_versions, "copy with the versions"),
        (_lose_origin, "not made by layers checkout"),
        (_other_town, "of the town 01100"),
        (_garble_shape, "none of GeoPackage"),
        (_no_file, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused(file: Path, damage: Callable[[Path], None], words: str) -> None:
    damage(file)
    with pytest.raises(UsageError, match=words):
        read_checkout(file)


def test_a_feature_that_never_was_is_refused(database: Database, file: Path) -> None:
    _work(
        file,
        "UPDATE machimori_base_evacuation_site SET version = 9 WHERE site_id = 'a'",
        "UPDATE evacuation_site SET capacity = 1 WHERE site_id = 'a'",
    )
    with pytest.raises(UsageError, match="never had a version 9"):
        _check_in(database, file)


def _as_if_real(path: Path) -> None:
    """The file as it would be, had the layer's capacity become a whole number since."""
    old, new = '["capacity","integer",', '["capacity","real",'
    _work(path, f"UPDATE machimori_checkout SET columns = replace(columns, '{old}', '{new}')")


def test_only_work_in_an_attribute_that_is_no_more_is_refused(database: Database, file: Path, fids: list[int]) -> None:
    _as_if_real(file)
    _work(file, "UPDATE evacuation_site SET name = 'A' WHERE site_id = 'a'")
    _check_in(database, file)
    assert _rows(database)["a"] == ("A", 100, 2, 141.2)
    _work(file, "UPDATE evacuation_site SET capacity = 7, name = 'B' WHERE site_id = 'b'")
    with pytest.raises(UsageError, match=rf"row {fids[1]}: capacity is no longer"):
        _check_in(database, file)
    checkout = read_checkout(file)
    with database.begin(ROLE, "field", "現地") as connection:
        check_in(connection, checkout, {LAYER.name: LAYER}, "現地", is_outdated_left_out=True)
    assert _rows(database)["b"] == ("B", 100, 2, 141.21)


def test_a_renamed_attribute_takes_the_work_under_its_old_name(database: Database, file: Path) -> None:
    from dataclasses import replace

    from layers.offline.changes import names_of_today

    changed = replace(
        LAYER,
        attributes=tuple(
            replace(one, name="seats", origin="capacity") if one.name == "capacity" else one for one in LAYER.attributes
        ),
    )
    (work,) = read_checkout(file).layers
    assert names_of_today(work.columns, changed)["capacity"] == "seats"


def test_the_same_file_again_stays_quiet_though_others_edited_since(
    database: Database, file: Path, fids: list[int]
) -> None:
    _work(file, "UPDATE evacuation_site SET capacity = 150 WHERE site_id = 'a'")
    _add(file, "new")
    _check_in(database, file)
    with database.begin(SERVICE) as connection:
        new = connection.execute(text("SELECT fid FROM layers.evacuation_site WHERE site_id = 'new'")).scalar_one()
    _apply(database, Update(fids[0], 2, {"capacity": 200}), Update(new, 1, {"name": "renamed"}))
    assert _check_in(database, file) == []
    assert _rows(database)["a"][1] == 200
    _work(file, "UPDATE evacuation_site SET capacity = 100 WHERE site_id = 'a'")
    (back,) = _check_in(database, file)
    assert [conflict.names for conflict in back.outcome.conflicts] == [("capacity",)], "the way back is work, too"


def _choose(database: Database, path: Path, *choices: tuple[int, Choice]) -> list[CheckedIn]:
    with database.begin(ROLE, "field", "現地") as connection:
        chosen = {(LAYER.name, fid): choice for fid, choice in choices}
        return check_in(connection, read_checkout(path), {LAYER.name: LAYER}, "現地", chosen)


def test_a_chosen_conflict_never_comes_again(database: Database, file: Path, fids: list[int]) -> None:
    _work(
        file,
        "UPDATE evacuation_site SET capacity = 150, name = 'A' WHERE site_id = 'a'",
        "UPDATE evacuation_site SET capacity = 60 WHERE site_id = 'b'",
        "DELETE FROM evacuation_site WHERE site_id = 'c'",
    )
    _apply(
        database,
        Update(fids[0], 1, {"capacity": 120}),
        Update(fids[1], 1, {"capacity": 61}),
        Update(fids[2], 1, {"capacity": 9}),
    )
    (held,) = _check_in(database, file)
    assert len(held.outcome.conflicts) == 3
    (done,) = _choose(
        database,
        file,
        (fids[0], Choice(2, frozenset({"capacity"}))),
        (fids[1], Choice(2)),
        (fids[2], Choice(2, frozenset({"capacity"}))),
    )
    assert (done.outcome.conflicts, done.given_up) == ((), (fids[2],))
    assert _rows(database)["a"] == ("A", 120, 3, 141.2)
    assert _rows(database)["b"] == ("b", 60, 3, 141.21)
    assert _rows(database)["c"] == ("c", 9, 2, 141.22)
    assert _check_in(database, file) == []


def test_a_choice_made_beside_an_older_version_is_asked_again(database: Database, file: Path, fids: list[int]) -> None:
    _work(file, "UPDATE evacuation_site SET capacity = 150 WHERE site_id = 'a'")
    _apply(database, Update(fids[0], 1, {"capacity": 120}))
    _check_in(database, file)
    _apply(database, Update(fids[0], 2, {"capacity": 130}))
    (done,) = _choose(database, file, (fids[0], Choice(2)))
    assert [conflict.theirs_version for conflict in done.outcome.conflicts] == [3]
    assert _rows(database)["a"][1] == 130


def test_what_both_sides_deleted_is_no_conflict(database: Database, file: Path, fids: list[int]) -> None:
    _work(file, "DELETE FROM evacuation_site WHERE site_id = 'a'")
    _apply(database, Delete(fids[0], 1))
    (done,) = _check_in(database, file)
    assert done.outcome == type(done.outcome)(unchanged=(fids[0],))


def test_a_feature_split_in_the_field_comes_back_as_two(database: Database, file: Path) -> None:
    """QGIS splits by reshaping the old row and adding another with the same values."""
    _work(file, "UPDATE evacuation_site SET name = 'a1' WHERE site_id = 'a'")
    with sqlite3.connect(file) as db:
        db.execute(
            "INSERT INTO evacuation_site (geom, site_id, name, capacity)"
            " SELECT geom, 'a2', 'a2', capacity FROM evacuation_site WHERE site_id = 'a'"
        )
    _check_in(database, file)
    rows = _rows(database)
    assert (rows["a"][0], rows["a2"][1]) == ("a1", 100)


def test_columns_and_tables_of_programs_are_left_alone_until_somebody_fills_them(file: Path) -> None:
    _work(
        file,
        "ALTER TABLE evacuation_site ADD COLUMN qfield_note TEXT",
        "CREATE TABLE qfield_log (id INTEGER PRIMARY KEY)",
    )
    assert not read_checkout(file).layers[0].updated
    _work(file, "UPDATE evacuation_site SET qfield_note = '重要' WHERE site_id = 'a'")
    with pytest.raises(UsageError, match="qfield_note is missing or new"):
        read_checkout(file)


def test_features_in_a_table_of_somebody_elses_are_refused_not_lost(file: Path) -> None:
    _work(
        file,
        "CREATE TABLE found (fid INTEGER PRIMARY KEY, geom POINT)",
        "INSERT INTO found (geom) VALUES (NULL)",
        "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('found', 'features', 'found')",
    )
    with pytest.raises(UsageError, match="features in found"):
        read_checkout(file)


def test_a_background_layer_goes_along_to_be_looked_at_only(
    database: Database, fids: list[int], tmp_path: Path
) -> None:
    path = tmp_path / "field.gpkg"
    shelter = load_definitions()["shelter"]
    with database.begin(SERVICE, "field") as connection:
        check_out(connection, [shelter], path, backgrounds=[LAYER, shelter])
        noted = connection.execute(text("SELECT account, layers, returned_at FROM gis.checkout")).one()
    assert tuple(noted) == ("field", ["shelter"], None)
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM evacuation_site").fetchone() == (len(fids),)
        with pytest.raises(sqlite3.IntegrityError, match="background only"):
            db.execute("DELETE FROM evacuation_site")
    assert [work.layer for work in read_checkout(path).layers] == ["shelter"]


def test_other_departments_cannot_read_what_was_taken_in(database: Database, file: Path) -> None:
    _work(file, "UPDATE evacuation_site SET capacity = 150 WHERE site_id = 'a'")
    _check_in(database, file)
    query = text("SELECT count(*) FROM gis.checked_in_change")
    with database.begin(ROLE) as connection:
        assert connection.execute(query).scalar_one() == 1
    with database.begin("dept_sewer") as connection:
        assert connection.execute(query).scalar_one() == 0


def test_work_for_two_departments_is_refused(database: Database, fids: list[int], tmp_path: Path) -> None:
    definitions = {name: load_definitions()[name] for name in ("evacuation_site", "sewer_manhole")}
    path = tmp_path / "both.gpkg"
    with database.begin(SERVICE) as connection:
        check_out(connection, list(definitions.values()), path)
    _work(
        path,
        "DELETE FROM evacuation_site",
        "INSERT INTO sewer_manhole (manhole_id) VALUES ('x')",
    )
    with pytest.raises(UsageError, match="disaster, sewer"):
        owner_of_work(read_checkout(path), definitions)


def test_another_department_may_not(database: Database, file: Path) -> None:
    _work(file, "UPDATE evacuation_site SET capacity = 150 WHERE site_id = 'a'")
    with pytest.raises(UsageError, match="may not"), database.begin("dept_sewer", "x") as connection:
        check_in(connection, read_checkout(file), {LAYER.name: LAYER}, "x")


def test_personal_attributes_never_leave(database: Database, owner: Engine, tmp_path: Path) -> None:
    household: Definition = make_household_layer(owner)
    with database.begin("dept_citizens", "mori") as connection:
        point = {"type": "Point", "coordinates": [141.2, 38.4]}
        apply_changes(connection, household, [Insert({"number": "1", "resident": "秘密の名前"}, point)])
    with database.begin(SERVICE) as connection:
        check_out(connection, [household], tmp_path / "h.gpkg")
    assert "秘密の名前".encode() not in (tmp_path / "h.gpkg").read_bytes()


def test_a_file_is_never_overwritten(database: Database, file: Path) -> None:
    with database.begin(SERVICE) as connection, pytest.raises(UsageError, match="there already"):
        check_out(connection, [LAYER], file)


def test_gdal_reads_the_file_and_its_work_comes_back(town_database: Database, tmp_path: Path) -> None:
    definitions = load_definitions()
    path = tmp_path / "town.gpkg"
    with town_database.begin(SERVICE) as connection:
        done = check_out(connection, [definitions["sewer_pipe"], definitions["incident"]], path)
    frame = pyogrio.read_dataframe(path, layer="sewer_pipe")
    assert len(frame) == done[0].feature_count > 0
    assert frame.crs.to_epsg() == 6668
    assert not read_checkout(path).layers[0].updated


def test_gdals_own_checker_finds_no_fault(town_database: Database, tmp_path: Path) -> None:
    python, module = "/usr/bin/python3", "osgeo_utils.samples.validate_gpkg"
    if not Path(python).exists() or subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode:
        pytest.skip("GDAL's validate_gpkg is not installed (Debian: python3-gdal)")
    definitions = load_definitions()
    path = tmp_path / "town.gpkg"
    with town_database.begin(SERVICE) as connection:
        wanted = ("sewer_pipe", "sewer_manhole", "hazard_tsunami", "incident", "shelter")
        check_out(connection, [definitions[name] for name in wanted], path, backgrounds=[definitions["base_road"]])
    command = [python, "-m", module, "--extra", "--warning-as-error", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
