"""Each layer's tables keep their promises whatever the role and the door."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from gis.database import Database

SITE = (
    "INSERT INTO layers.evacuation_site (site_id, name, geom)"
    " VALUES (:id, '試験の丘', ST_SetSRID(ST_Point(141.2, 38.4), 6668)) RETURNING fid"
)


@pytest.fixture
def office(database: Database) -> Iterator[Connection]:
    with database.begin("dept_disaster", account="sato", reason="試し") as connection:
        yield connection


def _history(connection: Connection, layer: str, fid: int) -> list[tuple[object, ...]]:
    rows = connection.execute(
        text(f"SELECT version, operation FROM history.{layer} WHERE fid = :fid ORDER BY version"),
        {"fid": fid},
    )
    return [tuple(row) for row in rows]


def test_every_change_leaves_a_version_in_the_history(office: Connection) -> None:
    fid = office.execute(text(SITE), {"id": "a"}).scalar_one()
    office.execute(text("UPDATE layers.evacuation_site SET tsunami = true WHERE fid = :fid"), {"fid": fid})
    office.execute(text("DELETE FROM layers.evacuation_site WHERE fid = :fid"), {"fid": fid})
    assert _history(office, "evacuation_site", fid) == [(1, "insert"), (2, "update"), (3, "delete")]


def test_a_changeset_names_person_role_and_reason(office: Connection) -> None:
    fid = office.execute(text(SITE), {"id": "a"}).scalar_one()
    row = office.execute(
        text(
            "SELECT c.account, c.role_name, c.reason FROM history.evacuation_site h"
            " JOIN gis.changeset c ON c.id = h.changeset WHERE h.fid = :fid"
        ),
        {"fid": fid},
    ).one()
    assert tuple(row) == ("sato", "dept_disaster", "試し")


def test_a_copy_is_logged_like_an_insert(office: Connection) -> None:
    driver = office.connection.driver_connection
    with driver.cursor().copy("COPY layers.evacuation_site (site_id, name, geom) FROM STDIN") as copy:
        copy.write("a\t丘\tSRID=6668;POINT(141.2 38.4)\nb\t山\tSRID=6668;POINT(141.21 38.41)\n")
    assert office.execute(text("SELECT count(*) FROM history.evacuation_site")).scalar_one() == 2
    assert office.execute(text("SELECT count(*) FROM gis.changeset")).scalar_one() == 1


def test_system_columns_sent_by_a_client_are_overwritten(office: Connection) -> None:
    row = office.execute(
        text(
            "INSERT INTO layers.evacuation_site (fid, version, created_at, created_by, updated_at, updated_by, is_demo,"
            " site_id, name, geom) VALUES (999, 7, NULL, 'someone', NULL, NULL, NULL, 'a', '丘',"
            " ST_SetSRID(ST_Point(141.2, 38.4), 6668)) RETURNING fid, version, created_by, updated_by,"
            " is_demo, created_at"
        )
    ).one()
    assert row.fid != 999
    assert tuple(row)[1:5] == (1, "sato", "sato", False)
    assert row.created_at is not None
    changed = office.execute(
        text(
            "UPDATE layers.evacuation_site SET fid = 5, version = 40, created_by = NULL"
            " RETURNING fid, version, created_by"
        )
    ).one()
    assert tuple(changed) == (row.fid, 2, "sato")


def test_an_upsert_logs_the_inserted_and_the_updated_rows(office: Connection) -> None:
    office.execute(text(SITE), {"id": "a"})
    office.execute(
        text(
            "INSERT INTO layers.evacuation_site (site_id, name, geom)"
            " SELECT v, '新', ST_SetSRID(ST_Point(141.2, 38.4), 6668)"
            " FROM unnest(ARRAY['a', 'b']) v ON CONFLICT (site_id) DO UPDATE SET name = excluded.name"
        )
    )
    operations = (
        office.execute(text("SELECT operation FROM history.evacuation_site ORDER BY operation")).scalars().all()
    )
    assert operations == ["insert", "insert", "update"]


def test_a_statement_that_touches_nothing_makes_no_changeset(office: Connection) -> None:
    office.execute(text("UPDATE layers.evacuation_site SET note = 'x'"))
    office.execute(text("DELETE FROM layers.evacuation_site"))
    assert office.execute(text("SELECT count(*) FROM gis.changeset")).scalar_one() == 0


def test_a_later_version_never_begins_before_the_one_it_replaces(database: Database) -> None:
    with database.begin("dept_disaster") as early:
        early.execute(text("SELECT now()"))
        with database.begin("dept_disaster") as late:
            late.execute(text(SITE), {"id": "a"})
        early.execute(text("UPDATE layers.evacuation_site SET note = 'x'"))
        query = text("SELECT valid_from FROM history.evacuation_site ORDER BY version")
        first, second = early.execute(query).scalars()
    assert first <= second


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("dept_sewer", "INSERT INTO layers.evacuation_site (site_id, name) VALUES ('x', 'x')"),
        ("dept_sewer", "UPDATE layers.evacuation_site SET name = 'x'"),
        ("dept_sewer", "DELETE FROM layers.evacuation_site"),
        ("dept_disaster", "TRUNCATE layers.evacuation_site"),
        ("dept_disaster", "DELETE FROM layers.incident"),
        ("machimori_service", "DELETE FROM layers.incident"),
        ("machimori_service", "UPDATE layers.evacuation_site SET name = 'x'"),
        ("dept_disaster", "UPDATE history.evacuation_site SET version = 1"),
        ("dept_disaster", "DELETE FROM history.evacuation_site"),
        ("dept_disaster", "INSERT INTO gis.changeset (account, role_name, xact_id) VALUES ('x', 'x', 1)"),
        ("citizen", "SELECT 1 FROM layers.evacuation_site"),
        ("citizen", "SELECT 1 FROM history.evacuation_site"),
        ("citizen", "INSERT INTO open.evacuation_site (name) VALUES ('x')"),
        ("citizen", "UPDATE open.incident SET headline = 'x'"),
    ],
)
def test_the_database_refuses_what_the_role_may_not_do(database: Database, role: str, statement: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"), database.begin(role) as connection:
        connection.execute(text(statement))


def test_even_the_owner_cannot_truncate_a_layer(owner: Engine) -> None:
    with pytest.raises(DBAPIError, match="TRUNCATE would leave no history"), owner.begin() as connection:
        connection.execute(text("TRUNCATE layers.shelter"))


@pytest.mark.parametrize(
    ("geometry", "message"),
    [
        ("POLYGON((0 0, 1 1, 0 1, 1 0, 0 0))", "geom_valid"),
        ("POINT(-1234.5 -170000)", "geom_in_degrees"),
        ("POINT EMPTY", "geom_not_empty"),
    ],
)
def test_the_table_refuses_geometries_that_no_map_can_use(database: Database, geometry: str, message: str) -> None:
    with pytest.raises(DBAPIError, match=message), database.begin("machimori_service") as connection:
        connection.execute(
            text(
                "INSERT INTO layers.incident (kind, status, event_key, geom)"
                " VALUES ('fire', 'Actual', 'k', ST_GeomFromText(:geometry, 6668))"
            ),
            {"geometry": geometry},
        )


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("kind", "dragon", "kind_code"),
        ("level", 6, "level_maximum"),
        ("magnitude", float("nan"), "magnitude_finite"),
        ("event_key", "  ", "event_key_filled"),
    ],
)
def test_the_table_refuses_values_its_definition_does_not_allow(
    database: Database, column: str, value: object, message: str
) -> None:
    with database.begin("machimori_service") as connection:
        connection.execute(text("INSERT INTO layers.incident (kind, status, event_key) VALUES ('fire', 'Actual', 'k')"))
    with pytest.raises(DBAPIError, match=message), database.begin("machimori_service") as connection:
        connection.execute(text(f"UPDATE layers.incident SET {column} = :value"), {"value": value})


def test_citizens_see_an_incident_and_its_tile_only_once_published(database: Database) -> None:
    with database.begin("machimori_service") as connection:
        connection.execute(
            text(
                "INSERT INTO layers.incident (kind, status, event_key, geom)"
                " VALUES ('fire', 'Actual', 'k', ST_SetSRID(ST_Point(141.2, 38.4), 6668))"
            )
        )
    for publication, seen in [("pending", 0), ("published", 1), ("held", 0)]:
        with database.begin("machimori_service") as connection:
            connection.execute(text("UPDATE layers.incident SET publication = :p"), {"p": publication})
        with database.begin("citizen") as connection:
            assert connection.execute(text("SELECT count(*) FROM open.incident")).scalar_one() == seen


def test_citizens_do_not_learn_who_edited(database: Database) -> None:
    with database.begin("citizen") as connection:
        columns = connection.execute(text("SELECT * FROM open.incident")).keys()
    assert not {"created_by", "updated_by"} & set(columns)
    assert {"fid", "version", "geom", "created_at", "updated_at", "headline", "publication"} <= set(columns)


def test_a_bulk_edit_through_a_direct_login_is_not_compiled(owner: Engine) -> None:
    """The planner takes the join of the changed rows for a huge one; compiling it cost half a second an edit."""
    with owner.connect() as connection:
        options = connection.execute(
            text("SELECT proconfig FROM pg_proc WHERE oid = 'history.evacuation_site_log'::regproc")
        ).scalar_one()
    assert {"jit=off", "enable_mergejoin=off"} <= set(options)
