"""Who gives and takes back rights in a layer is decided by the database, and every change of them is on record."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest
from sqlalchemy import Engine, text

from gis.database import Database
from gis.db_login import connection_words, make_db_login, revoke_db_login
from layers.areas import Area
from layers.catalogue import find_layer
from layers.grants import SAW_NONE, grant_layer, list_grant_changes, list_grants, may_grant, revoke_layer
from layers.refusals import ChangedMeanwhileError, NotAllowedError
from tests.layers.keepers import add_person
from tests.layers.personal_layer import make_household_layer

CALL = "SELECT gis.grant_layer('shelter', %s, %s, false, NULL, '', NULL)"
SQUARE = '{"type":"Polygon","coordinates":[[[141.1,38.3],[141.3,38.3],[141.3,38.5],[141.1,38.5],[141.1,38.3]]]}'
SEWER_INSERTS = "INSERT INTO layers.shelter (geom, shelter_id, name) VALUES (ST_Point({lon}, 38.4, 6668), '{key}', 'x')"


def sewer_inserts(database: Database, key: str, lon: float = 141.2) -> None:
    with database.begin("dept_sewer", "x", "試験") as connection:
        connection.execute(text(SEWER_INSERTS.format(lon=lon, key=key)))


def test_a_layer_manager_of_the_owner_gives_narrows_and_takes_back(database: Database, owner: Engine) -> None:
    keeper = add_person(owner, "mori", "disaster")
    with database.begin("dept_disaster", keeper, "応援") as connection:
        shelter = find_layer(connection, "shelter")
        assert may_grant(connection, shelter)
        grant_layer(connection, shelter, "sewer", "edit", seen=SAW_NONE)
    sewer_inserts(database, "A", lon=141.5)
    with database.begin("dept_disaster", keeper, "矢本だけ") as connection:
        grant_layer(connection, shelter, "sewer", "edit", area=Area("矢本", SQUARE))
    sewer_inserts(database, "B")
    with pytest.raises(Exception, match="row-level security"):
        sewer_inserts(database, "C", lon=141.5)
    with database.begin("dept_disaster", keeper, "終了") as connection:
        revoke_layer(connection, shelter, "sewer")
    with pytest.raises(Exception, match="permission denied"):
        sewer_inserts(database, "D")
    with database.begin("dept_school_viewer") as connection:
        changes = list_grant_changes(connection, shelter)
    told = [(one.access, one.area_name, one.account, one.reason) for one in changes]
    assert told == [(None, "", "mori", "終了"), ("edit", "矢本", "mori", "矢本だけ"), ("edit", "", "mori", "応援")]


@pytest.mark.parametrize(
    ("department", "roles", "role"),
    [
        ("disaster", ("editor",), "dept_disaster"),
        ("disaster", ("moderator", "alert_approver"), "dept_disaster"),
        ("sewer", ("editor", "layer_manager"), "dept_sewer"),  # who would like to have the right
        ("sewer", ("editor", "layer_manager"), "dept_disaster"),  # a role that the account has no business in
        ("planning", ("editor", "layer_manager"), "dept_planning"),  # granted the management, not the handing on
    ],
)
def test_nobody_else_gives_rights_by_the_code_or_by_bare_sql(
    database: Database, owner: Engine, department: str, roles: tuple[str, ...], role: str
) -> None:
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL ROLE machimori_owner"))
        shelter = find_layer(connection, "shelter")
        grant_layer(connection, shelter, "planning", "manage")
    person = add_person(owner, "tanaka", department, roles)
    with pytest.raises(NotAllowedError), database.begin(role, person) as connection:
        assert not may_grant(connection, shelter)
        grant_layer(connection, shelter, "sewer", "edit")
    with pytest.raises(NotAllowedError), database.begin(role, person) as connection:
        revoke_layer(connection, shelter, "planning")
    for statement in (
        "SELECT gis.grant_layer('shelter', 'sewer', 'manage', false, NULL, '', NULL)",
        "SELECT gis.apply_layer_grants('shelter', 'sewer', true)",
        "INSERT INTO gis.layer_grant (layer, department, access) VALUES ('shelter', 'sewer', 'edit')",
        "UPDATE gis.layer_grant SET department = 'sewer'",
        "DELETE FROM gis.layer_grant",
        "INSERT INTO gis.layer_grant_change (layer, department, is_personal, area_name, account, role_name, reason)"
        " VALUES ('shelter', 'sewer', false, '', 'a', 'b', 'c')",
    ):
        refused = pytest.raises(Exception, match=r"permission denied|gives no rights")
        with refused, database.begin(role, person) as connection:
            connection.execute(text(statement))
    with owner.begin() as connection:
        assert [(one.department, one.access) for one in list_grants(connection)] == [("planning", "manage")]


def test_an_administrator_gives_rights_from_an_own_department(database: Database, owner: Engine) -> None:
    person = add_person(owner, "kanri", "planning", ("administrator",))
    with pytest.raises(NotAllowedError), database.begin("dept_planning_viewer", person, "設定") as connection:
        grant_layer(connection, find_layer(connection, "shelter"), "sewer", "edit")  # no second factor yet
    with owner.begin() as connection:
        connection.execute(text("UPDATE gis.account SET is_demo = true WHERE name = 'kanri'"))
    with database.begin("dept_planning_viewer", person, "設定") as connection:
        shelter = find_layer(connection, "shelter")
        grant_layer(connection, shelter, "sewer", "edit")
        assert [one.granted_by for one in list_grants(connection)] == [person]


def test_a_persons_own_login_gives_rights_only_where_the_account_may(owner: Engine) -> None:
    people = {"mori": "disaster", "tanaka": "sewer"}
    for name, department in people.items():
        add_person(owner, name, department)
    words = {}
    try:
        for name, department in people.items():
            with owner.begin() as connection:
                password = make_db_login(connection, name, department)
                words[name] = f"{connection_words(connection, name)} password={password}"
        with psycopg.connect(words["tanaka"]) as login:
            login.execute("SET ROLE dept_sewer")
            # The name that only the application may say.
            login.execute("SELECT set_config('machimori.account', 'mori', true)")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                login.execute(CALL, ("sewer", "edit"))
        with psycopg.connect(words["mori"]) as login:
            login.execute("SET ROLE dept_disaster")
            login.execute(CALL, ("sewer", "edit"))
        with psycopg.connect(words["tanaka"]) as login:
            login.execute(SEWER_INSERTS.format(lon=141.2, key="Q"))
    finally:
        for name in words:
            with owner.begin() as connection:
                revoke_db_login(connection, name)


def test_a_right_that_means_nothing_does_not_get_through_bare_sql_either(database: Database, owner: Engine) -> None:
    keeper = add_person(owner, "mori", "disaster")
    bow_tie = "ST_SetSRID('POLYGON((0 0,1 1,1 0,0 1,0 0))'::geometry, 6668)"
    for values in (
        "'disaster', 'edit', false, NULL, ''",
        "'moon', 'edit', false, NULL, ''",
        "'sewer', 'see', false, NULL, ''",
        "'sewer', 'edit', true, NULL, ''",
        f"'sewer', 'edit', false, {bow_tie}, ''",
        "'sewer', 'own', false, NULL, ''",
    ):
        refused = pytest.raises(Exception, match=r"violates|means nothing|owns the layer")
        with refused, database.begin("dept_disaster", keeper) as connection:
            connection.execute(text(f"SELECT gis.grant_layer('shelter', {values}, NULL)"))


def test_of_two_managers_at_once_one_is_told_and_the_tables_agree(database: Database, owner: Engine) -> None:
    for name in ("mori", "hayashi"):
        add_person(owner, name, "disaster")
    together = Barrier(2)

    def give(name: str, access: str) -> str:
        try:
            with database.begin("dept_disaster", name, "同時") as connection:
                shelter = find_layer(connection, "shelter")
                together.wait()
                grant_layer(connection, shelter, "sewer", access, seen=SAW_NONE)  # type: ignore[arg-type]
        except ChangedMeanwhileError:
            return "refused"
        return access

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(give, ("mori", "hayashi"), ("edit", "manage")))
    assert results.count("refused") == 1, results
    with owner.begin() as connection:
        (grant,) = list_grants(connection)
        assert grant.access in results
    sewer_inserts(database, "A")


def test_personal_data_is_granted_and_taken_back_by_its_owner(database: Database, owner: Engine) -> None:
    household = make_household_layer(owner)
    keeper = add_person(owner, "mori", "citizens")
    read = text("SELECT count(*) FROM layers.household_personal")
    with database.begin("dept_citizens", keeper, "訪問") as connection:
        grant_layer(connection, household, "school", "see", is_personal=True)
    with database.begin("dept_school_viewer") as connection:
        assert connection.execute(read).scalar_one() == 0
    with database.begin("dept_citizens", keeper, "終了") as connection:
        revoke_layer(connection, household, "school")
    with pytest.raises(Exception, match="permission denied"), database.begin("dept_school_viewer") as connection:
        connection.execute(read)
