"""Taking a changeset back: exactly, with the numbers of the features, and only where nothing builds on it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from gis.database import Database
from gis.errors import UsageError
from layers.changes import Delete, Insert, Update
from layers.definition import Definition, load_definitions
from layers.deltas import FeatureDelta, invert
from layers.editing import apply_changes
from layers.history import feature_history, find_changeset
from layers.refusals import NotAllowedError
from layers.undo import UndoRefusedError, undo_changeset
from tests.layers.personal_layer import make_household_layer

POINT = {"type": "Point", "coordinates": [141.2, 38.4]}
ELSEWHERE = {"type": "Point", "coordinates": [141.21, 38.41]}
_SIDES = st.none() | st.dictionaries(st.sampled_from("ab"), st.integers())


@pytest.fixture
def sites() -> Definition:
    return load_definitions()["evacuation_site"]


def _edit(database: Database, definition: Definition, *changes: Insert | Update | Delete) -> tuple[int, list[int]]:
    with database.begin(definition.owner_role, "sato") as connection:
        outcome = apply_changes(connection, definition, changes)
    assert outcome.conflicts == ()
    return outcome.changeset or 0, list(outcome.inserted)


def _undo(database: Database, changeset: int, role: str = "dept_disaster") -> int:
    with database.begin(role, "suzuki") as connection:
        outcomes = undo_changeset(connection, changeset, "誤り")
    return next(iter(outcomes.values())).changeset or 0


def _snapshot(connection: Connection, table: str) -> list[tuple[object, ...]]:
    """Everything a person put into a table, and who made it."""
    statement = (
        f"SELECT to_jsonb(l) - 'version' - 'updated_at' - 'updated_by' - 'created_at' FROM {table} l ORDER BY fid"
    )
    return [tuple(row) for row in connection.execute(text(statement))]


def _site(site_id: str) -> Insert:
    return Insert({"site_id": site_id, "name": "丘"}, POINT)


@given(st.integers(1, 9), st.integers(1, 9), _SIDES, _SIDES)
def test_turning_a_delta_around_twice_gives_it_back(
    fid: int, version: int, old: dict[str, int] | None, new: dict[str, int] | None
) -> None:
    delta = FeatureDelta("shelter", fid, version, old, new)
    assert invert(invert(delta)) == delta
    assert invert(delta).changed == delta.changed or set(invert(delta).changed) == set(delta.changed)


def test_undo_puts_back_what_was_changed_deleted_and_inserted(database: Database, sites: Definition) -> None:
    _, (first, second) = _edit(database, sites, _site("a"), _site("b"))
    with database.begin("dept_disaster") as connection:
        before = _snapshot(connection, "layers.evacuation_site")
    changeset, _ = _edit(
        database,
        sites,
        Update(first, 1, {"capacity": 5, "tsunami": True}, ELSEWHERE),
        Delete(second, 1),
        Insert({"site_id": "b", "name": "新しい丘"}, ELSEWHERE),
    )
    undone = _undo(database, changeset)
    with database.begin("dept_disaster") as connection:
        assert _snapshot(connection, "layers.evacuation_site") == before
        assert find_changeset(connection, undone).reason == f"undo of {changeset}: 誤り"


def test_a_feature_brought_back_keeps_its_number_maker_and_history(database: Database, sites: Definition) -> None:
    _, (fid,) = _edit(database, sites, _site("a"))
    changeset, _ = _edit(database, sites, Delete(fid, 1))
    _undo(database, changeset)
    with database.begin("dept_disaster") as connection:
        told = [(v.version, v.operation, v.changeset.account) for v in feature_history(connection, sites, fid)]
        assert told == [(3, "restore", "suzuki"), (2, "delete", "sato"), (1, "insert", "sato")]
        row = connection.execute(text("SELECT created_by, updated_by, version FROM layers.evacuation_site")).one()
    assert tuple(row) == ("sato", "suzuki", 3)


def test_an_undo_can_be_undone(database: Database, sites: Definition) -> None:
    _, (fid,) = _edit(database, sites, _site("a"))
    changeset, _ = _edit(database, sites, Update(fid, 1, {"note": "x"}))
    _undo(database, _undo(database, changeset))
    with database.begin("dept_disaster") as connection:
        assert connection.execute(text("SELECT note FROM layers.evacuation_site")).scalar_one() == "x"


def test_undo_is_refused_with_the_later_edits_that_depend_on_it(database: Database, sites: Definition) -> None:
    _, (first, second) = _edit(database, sites, _site("a"), _site("b"))
    changeset, _ = _edit(database, sites, Update(first, 1, {"note": "x"}), Update(second, 1, {"note": "x"}))
    later, _ = _edit(database, sites, Update(first, 2, {"capacity": 7}))
    with pytest.raises(UndoRefusedError) as caught:
        _undo(database, changeset)
    (dependant,) = caught.value.dependants
    assert (dependant.fid, dependant.changeset.id, dependant.changeset.account) == (first, later, "sato")
    with database.begin("dept_disaster") as connection:
        notes = connection.execute(text("SELECT DISTINCT note FROM layers.evacuation_site")).scalars().all()
    assert notes == ["x"]


def test_once_the_later_edits_are_taken_back_the_earlier_can_be(database: Database, sites: Definition) -> None:
    _, (first, second) = _edit(database, sites, _site("a"), _site("b"))
    changeset, _ = _edit(database, sites, Update(first, 1, {"note": "x"}), Delete(second, 1))
    later, _ = _edit(database, sites, Update(first, 2, {"capacity": 7}), Update(second, 2, {"note": "y"}))
    _undo(database, later)
    _undo(database, changeset)
    with database.begin("dept_disaster") as connection:
        rows = connection.execute(text("SELECT fid, note, capacity FROM layers.evacuation_site ORDER BY fid")).all()
    assert [tuple(row) for row in rows] == [(first, None, None), (second, None, None)]


def test_a_department_cannot_undo_what_it_may_not_edit(database: Database, sites: Definition) -> None:
    changeset, _ = _edit(database, sites, _site("a"))
    with pytest.raises(NotAllowedError):
        _undo(database, changeset, role="dept_sewer")


def test_an_undo_that_needs_a_key_used_meanwhile_is_refused_whole(database: Database, sites: Definition) -> None:
    _, (first, second) = _edit(database, sites, _site("a"), _site("b"))
    changeset, _ = _edit(database, sites, Delete(first, 1), Update(second, 1, {"note": "x"}))
    _edit(database, sites, _site("a"))
    with pytest.raises(UsageError, match="Another feature has this Common ID"):
        _undo(database, changeset)
    with database.begin("dept_disaster") as connection:
        note = connection.execute(text("SELECT note FROM layers.evacuation_site WHERE fid = :fid"), {"fid": second})
        assert note.scalar_one() == "x"


def test_unknown_and_empty_changesets_are_clear_errors(database: Database) -> None:
    with pytest.raises(UsageError, match="There is no changeset 4711"):
        _undo(database, 4711)
    with database.begin("machimori_service") as connection:
        empty = connection.execute(text("SELECT gis.current_changeset()")).scalar_one()
    with pytest.raises(UsageError, match="changed no layer"):
        _undo(database, empty)


def test_personal_attributes_come_back_with_their_feature(database: Database, owner: Engine) -> None:
    households = make_household_layer(owner)
    new = Insert({"number": "1", "resident": "試験 花子", "phone": "000"}, POINT)
    _, (fid,) = _edit(database, households, new)
    changeset, _ = _edit(database, households, Delete(fid, 1))
    _undo(database, changeset, "dept_citizens")
    with database.begin("dept_citizens") as connection:
        assert connection.execute(
            text("SELECT resident, phone, version FROM layers.household_personal WHERE fid = :fid"), {"fid": fid}
        ).one() == ("試験 花子", "000", 3)


def test_undoing_an_insert_is_refused_when_personal_attributes_came_later(database: Database, owner: Engine) -> None:
    households = make_household_layer(owner)
    changeset, (fid,) = _edit(database, households, Insert({"number": "1"}, POINT))
    later, _ = _edit(database, households, Update(fid, 1, {"resident": "試験 花子"}))
    with pytest.raises(UndoRefusedError) as caught:
        _undo(database, changeset, "dept_citizens")
    assert [(d.table, d.changeset.id) for d in caught.value.dependants] == [("household_personal", later)]


def test_personal_attributes_merge_and_collide_like_others(database: Database, owner: Engine) -> None:
    households = make_household_layer(owner)
    _, (fid,) = _edit(database, households, Insert({"number": "1", "resident": "甲", "phone": "1"}, POINT))
    _edit(database, households, Update(fid, 1, {"phone": "2"}, base_personal_version=1))
    with database.begin("dept_citizens") as connection:
        merged = apply_changes(
            connection, households, [Update(fid, 1, {"resident": "乙", "floors": 2}, base_personal_version=1)]
        )
        assert merged.conflicts == ()
        (conflict,) = apply_changes(
            connection, households, [Update(fid, 1, {"phone": "3"}, base_personal_version=1)]
        ).conflicts
        assert (conflict.names, conflict.theirs_personal_version) == (("phone",), 3)
        row = connection.execute(text("SELECT resident, phone FROM layers.household_personal")).one()
    assert tuple(row) == ("乙", "2")


def test_other_departments_neither_read_nor_write_personal_attributes(database: Database, owner: Engine) -> None:
    households = make_household_layer(owner)
    changeset, (fid,) = _edit(database, households, Insert({"number": "1", "resident": "甲"}, POINT))
    with pytest.raises(NotAllowedError), database.begin("dept_sewer") as connection:
        apply_changes(connection, households, [Update(fid, 1, {"resident": "乙"}, base_personal_version=1)])
    with pytest.raises(NotAllowedError):
        _undo(database, changeset, "dept_sewer")


@pytest.mark.parametrize("fid", [77, None])
def test_asking_for_a_number_by_hand_gets_only_deleted_ones(
    database: Database, sites: Definition, fid: int | None
) -> None:
    """Whoever sets the switch over a connection of their own gains nothing that undo would not give."""
    _, (living,) = _edit(database, sites, _site("a"))
    statement = text(
        "INSERT INTO layers.evacuation_site (fid, site_id, name, geom)"
        " VALUES (:fid, 'z', 'x', ST_SetSRID(ST_Point(141.2, 38.4), 6668))"
    )
    with pytest.raises(DBAPIError, match="was not deleted"), database.begin("dept_disaster") as connection:
        connection.execute(text("SELECT set_config('machimori.restore', 'on', true)"))
        connection.execute(statement, {"fid": fid or living})


def test_an_insert_that_names_a_deleted_number_without_asking_gets_a_new_one(
    database: Database, sites: Definition
) -> None:
    _, (fid,) = _edit(database, sites, _site("a"))
    _edit(database, sites, Delete(fid, 1))
    with database.begin("dept_disaster") as connection:
        made = connection.execute(
            text(
                "INSERT INTO layers.evacuation_site (fid, site_id, name, geom)"
                " VALUES (:fid, 'z', 'x', ST_SetSRID(ST_Point(141.2, 38.4), 6668)) RETURNING fid, version"
            ),
            {"fid": fid},
        ).one()
    assert made.fid != fid
    assert made.version == 1
