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
    (again,) = _check_in(database, file)
    assert again.outcome.changeset is None
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
    assert f"evacuation_site, row {fids[0]}: Capacity must be at least 0, not -1." in refusal.value.message
    assert f"evacuation_site, row {fids[1]}: Name" in refusal.value.message
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


def test_an_attribute_that_changed_its_type_meanwhile_is_refused(database: Database, file: Path) -> None:
    with sqlite3.connect(file) as db:
        db.execute(
            'UPDATE machimori_checkout SET columns = replace(columns, \'"capacity","integer"\', \'"capacity","real"\')'
        )
    with pytest.raises(UsageError, match="capacity is no longer"):
        _check_in(database, file)


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
        check_out(connection, [definitions[name] for name in wanted], path)
    command = [python, "-m", module, "--extra", "--warning-as-error", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
