"""Edits by several people at once: nothing lost, nothing doubled, nothing half done."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest
import shapely
from sqlalchemy import Connection, text

from gis.database import Database
from gis.errors import UsageError
from layers.changes import Delete, Insert, Outcome, Update
from layers.checking import InvalidChangesError
from layers.definition import Definition, load_definitions
from layers.editing import apply_changes
from layers.refusals import ChangedMeanwhileError, NotAllowedError

POINT = {"type": "Point", "coordinates": [141.2, 38.4]}
ELSEWHERE = {"type": "Point", "coordinates": [141.21, 38.41]}


@pytest.fixture
def sites() -> Definition:
    return load_definitions()["evacuation_site"]


@pytest.fixture
def office(database: Database) -> Iterator[Connection]:
    with database.begin("dept_disaster", account="sato", reason="試し") as connection:
        yield connection


def _site(site_id: str = "a", **attributes: object) -> Insert:
    return Insert({"site_id": site_id, "name": "試験の丘", **attributes}, POINT)


def _make(connection: Connection, sites: Definition, site_id: str = "a") -> int:
    return apply_changes(connection, sites, [_site(site_id)]).inserted[0]


def _values(connection: Connection, fid: int) -> dict[str, object]:
    query = text("SELECT *, ST_AsText(geom) AS wkt FROM layers.evacuation_site WHERE fid = :fid")
    return dict(connection.execute(query, {"fid": fid}).one()._mapping)


def test_a_batch_is_one_changeset_with_its_reason(office: Connection, sites: Definition) -> None:
    first, second = apply_changes(office, sites, [_site("b"), _site("a")], "現地調査").inserted
    outcome = apply_changes(office, sites, [Update(first, 1, {"capacity": 300}), Delete(second, 1)])
    assert outcome.updated == {first: 2}
    assert outcome.deleted == (second,)
    rows = office.execute(text("SELECT id, account, role_name, reason FROM gis.changeset")).all()
    assert [tuple(row) for row in rows] == [(outcome.changeset, "sato", "dept_disaster", "現地調査")]


def test_inserted_fids_come_in_the_order_of_the_inserts(office: Connection, sites: Definition) -> None:
    wanted = ["c", "a", "d", "b"]
    outcome = apply_changes(office, sites, [_site(site_id) for site_id in wanted])
    assert [_values(office, fid)["site_id"] for fid in outcome.inserted] == wanted


def test_an_insert_gets_the_defaults_of_the_definition(office: Connection, sites: Definition) -> None:
    assert _values(office, _make(office, sites))["tsunami"] is False


def test_attributes_that_do_not_collide_merge_by_themselves(office: Connection, sites: Definition) -> None:
    fid = _make(office, sites)
    apply_changes(office, sites, [Update(fid, 1, {"capacity": 300})])
    outcome = apply_changes(office, sites, [Update(fid, 1, {"note": "門は開いている"})])
    assert outcome.conflicts == ()
    assert [(m.fid, m.base_version, m.theirs_version, m.theirs, m.mine) for m in outcome.merged] == [
        (fid, 1, 2, ("capacity",), ("note",))
    ]
    values = _values(office, fid)
    assert (values["capacity"], values["note"], values["version"]) == (300, "門は開いている", 3)


def test_a_moved_feature_and_a_changed_attribute_merge(office: Connection, sites: Definition) -> None:
    fid = _make(office, sites)
    apply_changes(office, sites, [Update(fid, 1, geometry=ELSEWHERE)])
    apply_changes(office, sites, [Update(fid, 1, {"note": "x"})])
    assert (_values(office, fid)["wkt"], _values(office, fid)["note"]) == ("POINT(141.21 38.41)", "x")


def test_a_colliding_attribute_comes_back_with_base_theirs_and_mine(office: Connection, sites: Definition) -> None:
    fid = _make(office, sites)
    apply_changes(office, sites, [Update(fid, 1, {"capacity": 300, "note": "甲"})])
    outcome = apply_changes(office, sites, [Update(fid, 1, {"capacity": 500, "address": "乙"})])
    (conflict,) = outcome.conflicts
    assert conflict.names == ("capacity",)
    assert conflict.theirs is not None
    assert conflict.mine is not None
    assert (conflict.base["capacity"], conflict.theirs["capacity"], conflict.mine["capacity"]) == (None, 300, 500)
    assert (conflict.base_version, conflict.theirs_version) == (1, 2)
    assert outcome.changeset is None
    assert _values(office, fid)["address"] is None


def test_geometries_moved_by_two_people_collide(office: Connection, sites: Definition) -> None:
    fid = _make(office, sites)
    apply_changes(office, sites, [Update(fid, 1, geometry=ELSEWHERE)])
    outcome = apply_changes(office, sites, [Update(fid, 1, geometry={"type": "Point", "coordinates": [141.3, 38.3]})])
    assert outcome.conflicts[0].names == ("geom",)


def test_a_conflict_is_settled_by_sending_again_with_their_version(office: Connection, sites: Definition) -> None:
    fid = _make(office, sites)
    apply_changes(office, sites, [Update(fid, 1, {"capacity": 300})])
    (conflict,) = apply_changes(office, sites, [Update(fid, 1, {"capacity": 500})]).conflicts
    outcome = apply_changes(office, sites, [Update(fid, conflict.theirs_version, {"capacity": 500})])
    assert outcome.updated == {fid: 3}
    assert _values(office, fid)["capacity"] == 500


def test_both_wanting_the_same_is_no_conflict_and_no_new_version(office: Connection, sites: Definition) -> None:
    fid = _make(office, sites)
    apply_changes(office, sites, [Update(fid, 1, {"capacity": 300})])
    outcome = apply_changes(office, sites, [Update(fid, 1, {"capacity": 300})])
    assert outcome.unchanged == (fid,)
    assert _values(office, fid)["version"] == 2


def test_one_conflict_holds_back_the_whole_batch(office: Connection, sites: Definition) -> None:
    first, second = apply_changes(office, sites, [_site("a"), _site("b")]).inserted
    apply_changes(office, sites, [Update(first, 1, {"capacity": 1})])
    changes = [Update(first, 1, {"capacity": 2}), Update(second, 1, {"capacity": 2}), _site("c")]
    assert len(apply_changes(office, sites, changes).conflicts) == 1
    assert _values(office, second)["capacity"] is None
    assert office.execute(text("SELECT count(*) FROM layers.evacuation_site")).scalar_one() == 2


def test_a_check_in_applies_the_rest_and_lists_the_conflicts(office: Connection, sites: Definition) -> None:
    first, second = apply_changes(office, sites, [_site("a"), _site("b")]).inserted
    apply_changes(office, sites, [Update(first, 1, {"capacity": 1})])
    changes = [Update(first, 1, {"capacity": 2}), Update(second, 1, {"capacity": 2}), _site("c")]
    outcome = apply_changes(office, sites, changes, is_rest_applied=True)
    assert [conflict.fid for conflict in outcome.conflicts] == [first]
    assert outcome.updated == {second: 2}
    assert len(outcome.inserted) == 1
    assert _values(office, first)["capacity"] == 1


def test_deleting_what_another_edited_is_a_conflict(office: Connection, sites: Definition) -> None:
    fid = _make(office, sites)
    apply_changes(office, sites, [Update(fid, 1, {"note": "新しい"})])
    (conflict,) = apply_changes(office, sites, [Delete(fid, 1)]).conflicts
    assert conflict.mine is None
    assert conflict.names == ("note",)
    assert apply_changes(office, sites, [Delete(fid, conflict.theirs_version)]).deleted == (fid,)


def test_editing_what_another_deleted_is_a_conflict_and_can_bring_it_back(
    office: Connection, sites: Definition
) -> None:
    fid = _make(office, sites)
    apply_changes(office, sites, [Delete(fid, 1)])
    (conflict,) = apply_changes(office, sites, [Update(fid, 1, {"note": "必要"})]).conflicts
    assert conflict.theirs is None
    outcome = apply_changes(office, sites, [Update(fid, conflict.theirs_version, {"note": "必要"})])
    assert outcome.restored == {fid: 3}
    assert (_values(office, fid)["note"], _values(office, fid)["name"]) == ("必要", "試験の丘")


def test_deleting_what_is_deleted_already_changes_nothing(office: Connection, sites: Definition) -> None:
    fid = _make(office, sites)
    apply_changes(office, sites, [Delete(fid, 1)])
    assert apply_changes(office, sites, [Delete(fid, 1)]) == Outcome(unchanged=(fid,))


@pytest.mark.parametrize(
    "change", [Update(999, 1, {"note": "x"}), Delete(999, 1), Update(1, 7, {"note": "x"}), Update(1, -1, {"note": "x"})]
)
def test_features_and_versions_that_never_were_are_refused(
    office: Connection, sites: Definition, change: Update | Delete
) -> None:
    fid = _make(office, sites)
    if change.fid == 1 and isinstance(change, Update):
        change = Update(fid, change.base_version, change.attributes)
    with pytest.raises(UsageError, match=r"never had|There is no feature"):
        apply_changes(office, sites, [change])


def test_two_changes_of_one_feature_in_a_batch_are_refused(office: Connection, sites: Definition) -> None:
    fid = _make(office, sites)
    with pytest.raises(UsageError, match="in one batch"):
        apply_changes(office, sites, [Update(fid, 1, {"note": "x"}), Delete(fid, 1)])


def test_all_problems_of_a_batch_are_named_at_once_with_their_labels(office: Connection, sites: Definition) -> None:
    changes = [
        Insert({"site_id": "a", "capacity": -3, "nmae": "x"}, POINT),
        Insert({"site_id": "b", "name": "丘", "tsunami": "perhaps", "elevation_m": float("inf")}, {"type": "Blob"}),
    ]
    with pytest.raises(InvalidChangesError) as caught:
        apply_changes(office, sites, changes)
    found = {(problem.position, problem.column, problem.code) for problem in caught.value.problems}
    assert found == {
        (0, "capacity", "minimum"),
        (0, "nmae", "unknown_attribute"),
        (0, "name", "required"),
        (1, "tsunami", "boolean"),
        (1, "elevation_m", "number"),
        (1, "geom", "geometry_unreadable"),
    }
    by_column = {problem.column: problem for problem in caught.value.problems}
    assert by_column["capacity"].text("ja") == "「想定収容人数」は 0 以上にしてください（入力値: -3）。"
    assert by_column["name"].text("en") == "Name is missing."
    assert office.execute(text("SELECT count(*) FROM layers.evacuation_site")).scalar_one() == 0


def test_a_key_that_another_feature_has_is_named(office: Connection, sites: Definition) -> None:
    _make(office, sites, "a")
    with pytest.raises(InvalidChangesError, match="Another feature has this Common ID already"):
        apply_changes(office, sites, [_site("a")])


@pytest.mark.parametrize("change", [_site("b"), Update(1, 1, {"note": "x"}), Delete(1, 1)])
def test_a_department_without_the_right_is_refused_by_the_database(
    database: Database, sites: Definition, change: Insert | Update | Delete
) -> None:
    with database.begin("dept_disaster") as connection:
        fid = _make(connection, sites)
    if not isinstance(change, Insert):
        change = Update(fid, 1, {"note": "x"}) if isinstance(change, Update) else Delete(fid, 1)
    with pytest.raises(NotAllowedError, match="may not"), database.begin("dept_sewer") as connection:
        apply_changes(connection, sites, [change])
    with database.begin("dept_disaster") as connection:
        assert _values(connection, fid)["version"] == 1
        assert connection.execute(text("SELECT count(*) FROM layers.evacuation_site")).scalar_one() == 1


def test_deleting_where_the_layer_forbids_it_is_refused(database: Database) -> None:
    incidents = load_definitions()["incident"]
    with database.begin("machimori_service") as connection:
        new = Insert({"kind": "fire", "status": "Actual", "event_key": "k"}, POINT)
        fid = apply_changes(connection, incidents, [new]).inserted[0]
    with pytest.raises(NotAllowedError), database.begin("machimori_service") as connection:
        apply_changes(connection, incidents, [Delete(fid, 1)])


def test_a_row_policy_that_hides_a_feature_is_a_refusal_not_a_deletion(
    database: Database, owner: object, sites: Definition
) -> None:
    with database.begin("dept_disaster") as connection:
        fid = _make(connection, sites)
    with owner.begin() as connection:  # type: ignore[attr-defined]
        for statement in (
            "ALTER TABLE layers.evacuation_site ENABLE ROW LEVEL SECURITY",
            "CREATE POLICY seen ON layers.evacuation_site FOR SELECT USING (true)",
            "CREATE POLICY edited ON layers.evacuation_site FOR UPDATE USING (ST_X(geom) < 141)",
        ):
            connection.execute(text(statement))
    with pytest.raises(NotAllowedError, match="this place"), database.begin("dept_disaster") as connection:
        apply_changes(connection, sites, [Update(fid, 1, {"note": "x"})])


def test_lines_and_polygons_are_promoted_and_heights_dropped(database: Database) -> None:
    roads = load_definitions()["base_road"]
    line = shapely.LineString([(141.2, 38.4, 7), (141.3, 38.4, 8)])
    with database.begin(roads.owner_role) as connection:
        fid = apply_changes(connection, roads, [Insert({"class": roads.attribute("class").codes.values[0]}, line)])
        query = text("SELECT ST_AsText(geom) FROM layers.base_road WHERE fid = :fid")
        assert re.sub(r"\s+", " ", connection.execute(query, {"fid": fid.inserted[0]}).scalar_one()) == (
            "MULTILINESTRING((141.2 38.4,141.3 38.4))"
        )


def test_people_editing_at_once_lose_nothing_and_never_block_each_other_for_good(
    database: Database, sites: Definition
) -> None:
    """Each of eight people appends to the notes of all features, in another order, until every step is in."""
    with database.begin("dept_disaster") as connection:
        fids = apply_changes(connection, sites, [_site(f"s{n}") for n in range(4)]).inserted
    errors: list[BaseException] = []

    def work(person: int) -> None:
        try:
            for step in range(4):
                _append(database, sites, f" {person}.{step}", person)
        except BaseException as error:  # a thread's error would otherwise vanish
            errors.append(error)

    threads = [threading.Thread(target=work, args=(person,)) for person in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with database.begin("dept_disaster") as connection:
        rows = connection.execute(text("SELECT note, version FROM layers.evacuation_site")).all()
        versions = connection.execute(text("SELECT count(*) FROM history.evacuation_site")).scalar_one()
    wanted = sorted(f"{person}.{step}" for person in range(8) for step in range(4))
    assert [(sorted(row.note.split()), row.version) for row in rows] == [(wanted, 33)] * len(fids)
    assert versions == len(fids) * 33


def _append(database: Database, sites: Definition, mark: str, person: int) -> None:
    query = text("SELECT fid, version, note FROM layers.evacuation_site ORDER BY (fid * :turn) % 7")
    while True:
        with database.begin("dept_disaster", account=f"person{person}") as connection:
            seen = connection.execute(query, {"turn": person + 1}).all()
            changes = [Update(row.fid, row.version, {"note": f"{row.note or ''}{mark}"}) for row in seen]
            if not apply_changes(connection, sites, changes).conflicts:
                return


def test_two_people_bringing_the_same_feature_back_leave_one(database: Database, sites: Definition) -> None:
    with database.begin("dept_disaster") as connection:
        fid = _make(connection, sites)
        apply_changes(connection, sites, [Delete(fid, 1)])
    barrier = threading.Barrier(2)
    results: list[str] = []

    def work() -> None:
        try:
            with database.begin("dept_disaster") as connection:
                connection.execute(text("SELECT 1"))
                barrier.wait()
                results.append("restored" if apply_changes(connection, sites, [Update(fid, 2)]).restored else "merged")
        except ChangedMeanwhileError:
            results.append("refused")

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results)[-1] == "restored"
    assert results.count("restored") == 1
    with database.begin("dept_disaster") as connection:
        assert _values(connection, fid)["version"] == 3
