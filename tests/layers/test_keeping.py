"""Who may make and change a layer is decided by the database, whichever door is tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import psycopg
import pytest
from sqlalchemy import Engine, text

from gis.database import Database
from gis.db_login import connection_words, make_db_login, revoke_db_login
from gis.errors import UsageError
from layers.catalogue import change_layer, create_layer, delete_layer, find_layer
from layers.definition import Attribute, Definition, parse_definition
from layers.grants import grant_layer
from layers.importer import import_file
from layers.refusals import ChangedMeanwhileError, NotAllowedError
from tests.layers.keepers import add_person

POINT = "ST_SetSRID(ST_Point(141.2, 38.4), 6668)"
CALL = "SELECT gis.change_layer(%s, %s, %s, %s)"


@pytest.fixture
def definition() -> Definition:
    return parse_definition(
        {
            "name": "bench_seat",
            "title": {"ja": "ベンチ", "en": "Benches"},
            "owner": "planning",
            "geometry": "Point",
            "key": "number",
            "attribute": [
                {"name": "number", "label": {"ja": "番号", "en": "Number"}, "required": True, "aliases": ["No"]},
                {"name": "material", "label": {"ja": "材質", "en": "Material"}, "drawn": True},
            ],
        },
        "bench_seat",
    )


@pytest.fixture
def keeper(owner: Engine) -> str:
    return add_person(owner)


def with_colour(definition: Definition) -> Definition:
    colour = Attribute("colour", {"ja": "色", "en": "Colour"})
    return replace(definition, attributes=(*definition.attributes, colour))


def test_a_layer_manager_makes_a_layer_and_fills_it_in_one_transaction(
    database: Database, owner: Engine, keeper: str, definition: Definition, tmp_path: Path
) -> None:
    path = tmp_path / "benches.geojson"
    feature = {
        "type": "Feature",
        "properties": {"No": "B-1", "material": "木"},
        "geometry": {"type": "Point", "coordinates": [141.2, 38.4]},
    }
    path.write_bytes(orjson.dumps({"type": "FeatureCollection", "features": [feature]}))
    with database.begin("dept_planning", keeper, "公園の台帳") as connection:
        create_layer(connection, definition)
        assert import_file(connection, path, definition).inserted == 1
    with owner.begin() as connection:
        ((account, reason),) = connection.execute(
            text("SELECT account, reason FROM gis.layer_change WHERE layer = 'bench_seat'")
        )
        assert (account, reason) == (keeper, "公園の台帳")
        names = connection.execute(text("SELECT tableowner FROM pg_tables WHERE tablename = 'bench_seat'")).scalars()
        assert set(names) == {"machimori_owner"}


def test_nothing_is_left_of_a_layer_whose_file_is_refused(
    database: Database, owner: Engine, keeper: str, definition: Definition, tmp_path: Path
) -> None:
    path = tmp_path / "benches.geojson"
    path.write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(UsageError), database.begin("dept_planning", keeper) as connection:
        create_layer(connection, definition)
        import_file(connection, path, definition)
    with owner.begin() as connection:
        assert connection.execute(text("SELECT to_regclass('layers.bench_seat')")).scalar_one() is None
        assert connection.execute(text("SELECT count(*) FROM gis.layer WHERE name = 'bench_seat'")).scalar_one() == 0


@pytest.mark.parametrize(
    ("department", "roles", "role"),
    [
        ("planning", ("viewer",), "dept_planning_viewer"),
        ("planning", ("editor",), "dept_planning"),
        ("planning", ("moderator", "alert_author"), "dept_planning"),
        ("sewer", ("editor", "layer_manager"), "dept_sewer"),
        ("sewer", ("editor", "layer_manager"), "dept_planning"),  # a role that the account has no business in
    ],
)
def test_who_does_not_keep_the_layer_neither_makes_nor_changes_nor_deletes_it(
    database: Database,
    owner: Engine,
    keeper: str,
    definition: Definition,
    department: str,
    roles: Sequence[str],
    role: str,
) -> None:
    person = add_person(owner, "tanaka", department, roles)
    with pytest.raises(NotAllowedError), database.begin(role, person) as connection:
        create_layer(connection, definition)
    with database.begin("dept_planning", keeper) as connection:
        create_layer(connection, definition)
    with pytest.raises(NotAllowedError), database.begin(role, person) as connection:
        change_layer(connection, definition, with_colour(definition))
    with pytest.raises(NotAllowedError), database.begin(role, person) as connection:
        delete_layer(connection, definition)
    with pytest.raises(NotAllowedError), database.begin("dept_planning") as connection:  # nobody at all
        change_layer(connection, definition, with_colour(definition))


def test_a_department_granted_the_management_changes_the_layer_and_one_granted_editing_does_not(
    database: Database, owner: Engine, keeper: str, definition: Definition
) -> None:
    person = add_person(owner, "tanaka", "sewer")
    with database.begin("dept_planning", keeper) as connection:
        create_layer(connection, definition)
    for access in ("edit", "manage"):
        with owner.begin() as connection:
            connection.execute(text("SET LOCAL ROLE machimori_owner"))
            grant_layer(connection, definition, "sewer", access)
        if access == "edit":
            with pytest.raises(NotAllowedError), database.begin("dept_sewer", person) as connection:
                change_layer(connection, definition, with_colour(definition))
    with database.begin("dept_sewer", person) as connection:
        change_layer(connection, definition, with_colour(definition))
    with database.begin("dept_sewer", person) as connection:
        wider = find_layer(connection, "bench_seat")
        connection.execute(text(f"INSERT INTO layers.bench_seat (number, colour, geom) VALUES ('1', '赤', {POINT})"))
        with pytest.raises(NotAllowedError):  # not even who manages it may take it from its owner
            change_layer(connection, wider, replace(wider, owner="sewer"))


def test_a_persons_own_login_cannot_run_statements_as_the_owner(owner: Engine, definition: Definition) -> None:
    person = add_person(owner, "hayashi", "planning")
    values = (definition.name, orjson.dumps(definition.to_json()).decode(), "", "GRANT machimori_owner TO hayashi")
    with owner.begin() as connection:
        password = make_db_login(connection, person, "planning")
        words = f"{connection_words(connection, person)} password={password}"
    try:
        with psycopg.connect(words) as login:
            login.execute("SET ROLE dept_planning")
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="pages or the command line"):
                login.execute(CALL, values)
            login.rollback()
            for statement in (
                "CREATE TABLE layers.mine (a int)",
                "ALTER TABLE layers.shelter ADD COLUMN a int",
                "UPDATE gis.layer SET definition = '{}'",
                "INSERT INTO gis.layer_change (layer, account, role_name, statements) VALUES ('a', 'b', 'c', 'd')",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    login.execute(statement)
                login.rollback()
    finally:
        with owner.begin() as connection:
            revoke_db_login(connection, person)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT name FROM gis.layer WHERE gis.change_layer(%s, %s, %s, %s) IS NULL",
        "SELECT 1, (" + CALL + ")",
        CALL + "; ",
    ],
)
def test_an_expression_smuggled_into_another_statement_does_not_get_through_the_door(
    database: Database, keeper: str, definition: Definition, statement: str
) -> None:
    values = (definition.name, orjson.dumps(definition.to_json()).decode(), "", "DROP TABLE layers.shelter")
    with database.begin("dept_planning", keeper) as connection:
        driver = connection.connection.driver_connection
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="pages or the command line"):
            driver.execute(statement, values)  # type: ignore[union-attr]
        connection.rollback()


@pytest.mark.parametrize(
    "evil",
    [
        "'; DROP TABLE layers.shelter; --",
        "$$; DROP TABLE layers.shelter; $$",
        '"; DROP TABLE layers.shelter; --',
        "\\'; DROP TABLE layers.shelter; --",
        "{layer} %s {0}",
    ],
)
def test_no_text_of_a_definition_becomes_a_statement(
    database: Database, owner: Engine, keeper: str, definition: Definition, evil: str
) -> None:
    texts = {"ja": evil, "en": evil}
    entry = {
        "name": "evil",
        "label": texts,
        "unit": evil,
        "choices": [{"value": evil, **texts}],
        "aliases": [evil],
    }
    values = {**definition.to_json(), "title": texts, "source": evil, "licence": evil}
    entries = [*values["attribute"], entry, {"name": "other", "label": texts, "default": evil.replace("$", "")}]
    made = parse_definition({**values, "attribute": entries}, "evil")
    with database.begin("dept_planning", keeper) as connection:
        create_layer(connection, made)
        assert find_layer(connection, made.name) == made
        connection.execute(
            text(f"INSERT INTO layers.bench_seat (number, evil, geom) VALUES ('1', :evil, {POINT})"), {"evil": evil}
        )
        other = connection.execute(text("SELECT other FROM layers.bench_seat")).scalar_one()
        assert other == evil.replace("$", "")
    with owner.begin() as connection:
        assert connection.execute(text("SELECT to_regclass('layers.shelter')")).scalar_one() is not None
    with pytest.raises(UsageError, match=r"default|sign \$"):
        parse_definition({**values, "attribute": [{"name": "a", "label": texts, "default": "$$"}]}, "evil")


def test_a_change_of_a_definition_that_somebody_changed_meanwhile_is_refused(
    database: Database, keeper: str, definition: Definition
) -> None:
    with database.begin("dept_planning", keeper) as connection:
        create_layer(connection, definition)
    with database.begin("dept_planning", keeper) as connection:
        change_layer(connection, definition, with_colour(definition))
    with pytest.raises(ChangedMeanwhileError), database.begin("dept_planning", keeper) as connection:
        change_layer(connection, definition, replace(definition, source="x"))


def test_only_a_layer_that_never_held_anything_can_be_deleted(
    database: Database, owner: Engine, keeper: str, definition: Definition
) -> None:
    with database.begin("dept_planning", keeper) as connection:
        create_layer(connection, definition)
    with database.begin("dept_planning", keeper) as connection:
        delete_layer(connection, definition)
    with database.begin("dept_planning", keeper, "again") as connection:
        create_layer(connection, definition)
        connection.execute(text(f"INSERT INTO layers.bench_seat (number, geom) VALUES ('1', {POINT})"))
        connection.execute(text("DELETE FROM layers.bench_seat"))
    with pytest.raises(UsageError, match="has a past"), database.begin("dept_planning", keeper) as connection:
        delete_layer(connection, definition)
    other = add_person(owner, "kanri", "disaster")
    with pytest.raises(UsageError, match="has a past"), database.begin("dept_disaster", other) as connection:
        delete_layer(connection, find_layer(connection, "shelter"))
