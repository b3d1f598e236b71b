"""A forbidden edit is refused by the database, through whichever door it comes."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, text

from gis.accounts import Account, add_account
from gis.database import Database
from gis.db_login import connection_words, make_db_login, revoke_db_login
from gis.settings import Settings
from layers.catalogue import find_layer, sync
from layers.changes import Insert, Update
from layers.definition import load_definitions
from layers.editing import apply_changes
from layers.grants import list_grants, may_manage
from layers.refusals import NotAllowedError
from tests.layers.personal_layer import make_household_layer
from webmap.cli import main

INSIDE, OUTSIDE = (141.2, 38.4), (141.5, 38.4)
SQUARE = {
    "type": "Polygon",
    "coordinates": [[[141.1, 38.3], [141.3, 38.3], [141.3, 38.5], [141.1, 38.5], [141.1, 38.3]]],
}


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MACHIMORI_VAR", str(settings.var_dir))
    monkeypatch.setenv("MACHIMORI_DATABASE_URL", settings.owner_url())
    monkeypatch.setenv("MACHIMORI_APP_DATABASE_URL", settings.app_url())


@pytest.fixture
def area(tmp_path: Path) -> str:
    path = tmp_path / "yamoto.geojson"
    path.write_text(json.dumps(SQUARE))
    return str(path)


def insert(database: Database, place: tuple[float, float], key: str, department: str = "sewer") -> None:
    """Add a shelter (a layer of the disaster office) as the editor does."""
    with database.begin(f"dept_{department}") as connection:
        definition = find_layer(connection, "shelter")
        values = {"shelter_id": key, "name": key}
        apply_changes(connection, definition, [Insert(values, {"type": "Point", "coordinates": place})], "試験")


def write_file(folder: Path, place: tuple[float, float]) -> str:
    path = folder / "shelters.geojson"
    feature = {
        "type": "Feature",
        "properties": {"shelter_id": "F1", "name": "F1"},
        "geometry": {"type": "Point", "coordinates": place},
    }
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return str(path)


def count(owner: Engine) -> int:
    with owner.begin() as connection:
        return int(connection.execute(text("SELECT count(*) FROM layers.shelter")).scalar_one())


def grant(*more: str) -> int:
    return main(["layers", "grant", "shelter", "--department", "sewer", "--right", "edit", *more])


def test_a_grant_opens_a_layer_and_its_end_closes_it(database: Database, owner: Engine, command: None) -> None:
    with pytest.raises(NotAllowedError):
        insert(database, INSIDE, "A")
    assert grant() == 0
    insert(database, INSIDE, "A")
    with pytest.raises(NotAllowedError):
        insert(database, INSIDE, "B", department="school")
    assert main(["layers", "revoke", "shelter", "--department", "sewer"]) == 0
    with pytest.raises(NotAllowedError):
        insert(database, INSIDE, "C")
    assert count(owner) == 1


def test_edits_stay_inside_the_area(database: Database, owner: Engine, command: None, area: str) -> None:
    assert grant("--area", area) == 0
    insert(database, INSIDE, "A")
    with pytest.raises(NotAllowedError):
        insert(database, OUTSIDE, "B")
    insert(database, OUTSIDE, "C", department="disaster")
    with owner.begin() as connection:
        fids = dict(connection.execute(text("SELECT shelter_id, fid FROM layers.shelter")).all())
    far = {"type": "Point", "coordinates": OUTSIDE}
    for change in (Update(fids["A"], 1, {}, far), Update(fids["C"], 1, {"name": "x"})):
        with pytest.raises(NotAllowedError), database.begin("dept_sewer") as connection:
            apply_changes(connection, find_layer(connection, "shelter"), [change], "試験")
    with database.begin("dept_school_viewer") as connection:
        assert connection.execute(text("SELECT count(*) FROM layers.shelter")).scalar_one() == 2, "all may see all"
    assert grant() == 0, "the wider right takes the place of the narrower"
    insert(database, OUTSIDE, "D")


def test_the_import_command_is_held_back_too(
    database: Database, owner: Engine, command: None, area: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load = ["layers", "import", write_file(tmp_path, OUTSIDE), "--layer", "shelter", "--department", "sewer"]
    assert main([*load, "--anywhere"]) == 2
    assert grant("--area", area) == 0
    assert main([*load, "--anywhere"]) == 2
    assert count(owner) == 0
    write_file(tmp_path, INSIDE)
    assert main(load) == 0, capsys.readouterr().err
    assert count(owner) == 1


def test_a_persons_own_connection_is_held_back_too(owner: Engine, command: None, area: str) -> None:
    with owner.begin() as connection:
        add_account(connection, "kimura", "木村", "sewer", "a long password", roles=["editor"])
        password = make_db_login(connection, "kimura", "sewer")
        words = f"{connection_words(connection, 'kimura')} password={password}"
    statement = "INSERT INTO layers.shelter (geom, shelter_id, name) VALUES (ST_Point(%s, %s, 6668), 'Q', 'Q')"
    try:
        with psycopg.connect(words) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement, INSIDE)
        assert grant("--area", area) == 0
        with psycopg.connect(words) as connection:
            connection.execute(statement, INSIDE)
        with psycopg.connect(words) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement, OUTSIDE)
    finally:
        with owner.begin() as connection:
            revoke_db_login(connection, "kimura")
    assert count(owner) == 1


def test_regenerated_tables_keep_what_was_granted(database: Database, owner: Engine, command: None, area: str) -> None:
    assert grant("--area", area) == 0
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL ROLE machimori_owner"))
        connection.execute(text("UPDATE gis.layer SET ddl_sha256 = 'old' WHERE name = 'shelter'"))
        assert "shelter" in sync(connection, load_definitions())
    insert(database, INSIDE, "A")
    with pytest.raises(NotAllowedError):
        insert(database, OUTSIDE, "B")


def test_personal_attributes_need_a_grant_of_their_own(database: Database, owner: Engine, command: None) -> None:
    make_household_layer(owner)
    read = text("SELECT count(*) FROM layers.household_personal")
    to_school = ["layers", "grant", "household", "--department", "school", "--right"]
    assert main([*to_school, "edit"]) == 0
    with pytest.raises(Exception, match="permission denied"), database.begin("dept_school") as connection:
        connection.execute(read)
    assert main([*to_school, "see", "--personal"]) == 0
    with database.begin("dept_school_viewer") as connection:
        assert connection.execute(read).scalar_one() == 0
    with pytest.raises(Exception, match="permission denied"), database.begin("dept_school") as connection:
        connection.execute(text("UPDATE layers.household_personal SET phone = ''"))


@pytest.mark.parametrize(
    "rest",
    [
        ["shelter", "--department", "moon", "--right", "edit"],
        ["shelter", "--department", "disaster", "--right", "edit"],
        ["shelter", "--department", "sewer", "--right", "see"],
        ["shelter", "--department", "sewer", "--right", "edit", "--personal"],
        ["shelter", "--department", "sewer", "--right", "edit", "--area", "99999"],
        ["castle", "--department", "sewer", "--right", "edit"],
    ],
)
def test_a_grant_that_means_nothing_is_refused(owner: Engine, command: None, rest: list[str]) -> None:
    assert main(["layers", "grant", *rest]) == 2
    with owner.begin() as connection:
        assert list_grants(connection) == []


def test_who_manages_a_layer(database: Database, owner: Engine, command: None) -> None:
    def account(department: str, *roles: str) -> Account:
        return Account("a", "a", department, (department,), frozenset(roles))

    assert main(["layers", "grant", "shelter", "--department", "sewer", "--right", "manage"]) == 0
    with owner.begin() as connection:
        shelter = find_layer(connection, "shelter")
        assert may_manage(connection, shelter, account("disaster", "layer_manager"))
        assert may_manage(connection, shelter, account("sewer", "layer_manager"))
        assert not may_manage(connection, shelter, account("sewer", "editor"))
        assert not may_manage(connection, shelter, account("school", "layer_manager"))


def test_an_area_must_be_polygons_on_earth(owner: Engine, command: None, tmp_path: Path) -> None:
    for content in (
        "",
        "{}",
        '{"type": "Point", "coordinates": [141, 38]}',
        "[1]",
        json.dumps(SQUARE).replace("38.", "98."),
    ):
        path = tmp_path / "bad.geojson"
        path.write_text(content)
        assert grant("--area", str(path)) == 2, content
