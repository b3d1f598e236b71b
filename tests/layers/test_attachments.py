"""Files beside features: whose layer it is decides, nothing vanishes, and citizens see only what was meant for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

from gis.accounts import add_account
from gis.database import Database
from gis.db_login import connection_words, make_db_login, revoke_db_login
from gis.errors import UsageError
from layers.areas import Area
from layers.attachment_files import CleanFile, clean_file
from layers.attachment_history import changeset_events, feature_events
from layers.attachment_words import RefusedFileError
from layers.attachments import (
    Attachment,
    UnknownAttachmentError,
    add_attachment,
    change_attachment,
    drop_offer,
    erase_attachment,
    list_attachments,
    list_open_attachments,
    may_attach,
    order_attachments,
    read_attachment,
    read_open_attachment,
    remove_attachment,
    restore_attachment,
)
from layers.catalogue import create_layer, find_layer
from layers.changes import Delete, Insert
from layers.definition import Definition, load_definitions
from layers.editing import apply_changes
from layers.grants import grant_layer
from layers.history import layer_history
from layers.refusals import ChangedMeanwhileError, NotAllowedError
from layers.undo import UndoRefusedError, undo_changeset
from tests.layers.personal_layer import make_household_layer
from tests.layers.picture_files import make_picture

PLACE = {"type": "Point", "coordinates": [141.2, 38.4]}
PHOTO = clean_file("井戸.jpg", make_picture(place=(141.2, 38.401)), 20_000_000)
NOTE = clean_file("点検.txt", "異常なし\n".encode(), 20_000_000)
MOST = 50


@pytest.fixture
def shelter() -> Definition:
    return load_definitions()["shelter"]


@pytest.fixture
def fid(database: Database, shelter: Definition) -> int:
    return make_feature(database, shelter, shelter_id="A", name="A")


def make_feature(database: Database, definition: Definition, **values: object) -> int:
    with database.begin(definition.owner_role, "sato") as connection:
        return apply_changes(connection, definition, [Insert(values, PLACE)]).inserted[0]


def attach(
    database: Database, definition: Definition, fid: int, *, role: str = "", name: str = "sato", is_public: bool = False
) -> int:
    with database.begin(role or definition.owner_role, name, "現地調査") as connection:
        made = add_attachment(connection, definition, fid, PHOTO, MOST, "入口")
        if is_public:
            change_attachment(connection, definition, made, 1, "入口", True)
    return made


def listed(
    database: Database, definition: Definition, fid: int, role: str = "", name: str = "sato", **more: bool
) -> list[Attachment]:
    with database.begin(role or definition.owner_role, name) as connection:
        return list_attachments(connection, definition, fid, **more)


@contextmanager
def latest_changeset(database: Database, definition: Definition) -> Iterator[tuple[Connection, int]]:
    with database.begin(definition.owner_role, "suzuki") as connection:
        yield connection, layer_history(connection, definition)[0].id


def test_a_photo_is_kept_with_its_facts_its_bytes_and_who_added_it(
    database: Database, shelter: Definition, fid: int
) -> None:
    made = attach(database, shelter, fid)
    (photo,) = listed(database, shelter, fid)
    assert (photo.id, photo.name, photo.caption, photo.added_by) == (made, "井戸.jpg", "入口", "sato")
    assert (photo.width, photo.height, photo.is_public) == (640, 480, False)
    assert photo.offer_distance_m == pytest.approx(111, abs=1)
    with database.begin("dept_sewer_viewer") as connection:
        stored = read_attachment(connection, made, is_small=False)
        assert (stored.body, stored.sha256, stored.media_type) == (PHOTO.body, PHOTO.sha256, "image/jpeg")
        assert read_attachment(connection, made, is_small=True).body == PHOTO.thumbnail
        (event,) = feature_events(connection, shelter, fid)
        assert (event.operation, event.changeset.account, event.changeset.reason) == ("add", "sato", "現地調査")
        assert event.changeset.id in [found.id for found in layer_history(connection, shelter)]


def test_the_place_of_a_photo_is_told_only_to_who_added_it_and_only_until_it_is_answered(
    database: Database, shelter: Definition, fid: int
) -> None:
    made = attach(database, shelter, fid)
    for role, name in (("dept_disaster", "suzuki"), ("dept_sewer", "kimura")):
        (photo,) = listed(database, shelter, fid, role, name)
        assert photo.offered_lon is None and photo.offer_distance_m is None
    with database.begin("dept_disaster", "suzuki") as connection:
        drop_offer(connection, made)
    assert listed(database, shelter, fid)[0].offered_lat == pytest.approx(38.401)
    with database.begin("dept_disaster", "sato") as connection:
        drop_offer(connection, made)
    assert listed(database, shelter, fid)[0].offered_lat is None


@pytest.mark.parametrize("role", ["dept_disaster_viewer", "dept_sewer", "dept_school_viewer"])
def test_who_may_not_edit_the_layer_changes_nothing_of_its_files(
    database: Database, owner: Engine, shelter: Definition, fid: int, role: str
) -> None:
    made = attach(database, shelter, fid)
    with database.begin(role) as connection:
        assert not may_attach(connection, shelter, fid)
    with pytest.raises(NotAllowedError):
        attach(database, shelter, fid, role=role)
    for act in (
        lambda connection: change_attachment(connection, shelter, made, 1, "x", True),
        lambda connection: remove_attachment(connection, shelter, made),
        lambda connection: order_attachments(connection, shelter, fid, [made, made]),
        lambda connection: erase_attachment(connection, shelter, made, "x"),
    ):
        with pytest.raises(NotAllowedError), database.begin(role, "kimura") as connection:
            act(connection)
    for statement in (
        "DELETE FROM gis.attachment",
        "UPDATE gis.attachment SET sha256 = ''",
        "DELETE FROM gis.attachment_body",
        "UPDATE gis.attachment_history SET caption = ''",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"), database.begin(role) as connection:
            connection.execute(text(statement))
    with owner.begin() as connection:
        told = connection.execute(text("SELECT operation, caption, is_public FROM gis.attachment_history")).all()
    assert [tuple(row) for row in told] == [("add", "入口", False)]


def test_an_area_limit_holds_for_files_too(database: Database, owner: Engine, shelter: Definition, fid: int) -> None:
    square = '{"type":"Polygon","coordinates":[[[%s,38.3],[%s,38.3],[%s,38.5],[%s,38.5],[%s,38.3]]]}'
    for west, is_inside in ((141.1, True), (141.3, False)):
        corners = (west, west + 0.2, west + 0.2, west, west)
        with owner.begin() as connection:
            connection.execute(text("SET LOCAL ROLE machimori_owner"))
            area = Area("矢本", square % corners)
            grant_layer(connection, find_layer(connection, "shelter"), "sewer", "edit", area=area)
        with database.begin("dept_sewer") as connection:
            assert may_attach(connection, shelter, fid) == is_inside
    with pytest.raises(NotAllowedError):
        attach(database, shelter, fid, role="dept_sewer")


def test_files_of_a_layer_with_personal_attributes_are_personal_until_marked_public(
    database: Database, owner: Engine
) -> None:
    household = make_household_layer(owner)
    fid = make_feature(database, household, number="1", resident="試験 花子")
    made = attach(database, household, fid)
    assert len(listed(database, household, fid)) == 1
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL ROLE machimori_owner"))
        grant_layer(connection, household, "school", "edit")
    for role in ("dept_sewer", "dept_disaster_viewer", "dept_school"):
        assert listed(database, household, fid, role) == []
        with database.begin(role) as connection:
            assert feature_events(connection, household, fid) == []
            assert connection.execute(text("SELECT count(*) FROM gis.attachment_body")).scalar_one() == 0
        with pytest.raises(UnknownAttachmentError), database.begin(role) as connection:
            read_attachment(connection, made, is_small=True)
    with pytest.raises(NotAllowedError):
        attach(database, household, fid, role="dept_school")
    with database.begin("dept_citizens") as connection:
        change_attachment(connection, household, made, 1, "", True)
    assert len(listed(database, household, fid, "dept_sewer")) == 1


def test_citizens_see_public_files_of_public_features_and_no_name(
    database: Database, owner: Engine, shelter: Definition, fid: int
) -> None:
    hidden, shown = attach(database, shelter, fid), attach(database, shelter, fid, is_public=True)
    household = make_household_layer(owner)
    inner = attach(database, household, make_feature(database, household, number="1"), is_public=True)
    with database.begin("citizen") as connection:
        assert [one.id for one in list_open_attachments(connection, "shelter", [fid])[fid]] == [shown]
        assert list_open_attachments(connection, "household", [1, 2, 3]) == {}
        assert read_open_attachment(connection, shown, is_small=False).name == f"shelter-{fid}-{shown}"
        for attachment in (hidden, inner, 4711):
            with pytest.raises(UnknownAttachmentError):
                read_open_attachment(connection, attachment, is_small=True)
    for table in ("attachment", "attachment_body", "attachment_offer", "attachment_history"):
        with pytest.raises(ProgrammingError, match="permission denied"), database.begin("citizen") as connection:
            connection.execute(text(f"SELECT * FROM gis.{table}"))
    with database.begin(shelter.owner_role) as connection:
        apply_changes(connection, shelter, [Delete(fid, 1)])
    with database.begin("citizen") as connection:
        assert list_open_attachments(connection, "shelter", [fid]) == {}, "a feature that is gone shows nothing"


def test_citizens_do_not_see_files_of_features_that_their_view_leaves_out(database: Database, owner: Engine) -> None:
    from layers.definition import parse_definition

    definition = parse_definition(
        {
            "name": "found_thing", "title": {"ja": "発見", "en": "Find"}, "owner": "disaster", "geometry": "Point",
            "visibility": "public", "open_when": {"state": "open"},
            "attribute": [{"name": "state", "label": {"ja": "状態", "en": "State"}, "public": True, "required": True}],
        },
        "found_thing",
    )  # fmt: skip
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL ROLE machimori_owner"))
        create_layer(connection, definition)
    for state, expected in (("open", 1), ("held", 0)):
        fid = make_feature(database, definition, state=state)
        attach(database, definition, fid, is_public=True)
        with database.begin("citizen") as connection:
            assert len(list_open_attachments(connection, "found_thing", [fid]).get(fid, [])) == expected


def test_removal_is_kept_and_can_be_taken_back_like_every_change(
    database: Database, shelter: Definition, fid: int
) -> None:
    made = attach(database, shelter, fid)
    with database.begin("dept_disaster", "suzuki", "重複") as connection:
        remove_attachment(connection, shelter, made)
    assert listed(database, shelter, fid) == []
    assert [one.is_removed for one in listed(database, shelter, fid, with_removed=True)] == [True]
    with latest_changeset(database, shelter) as (connection, removal):
        (event,) = changeset_events(connection, removal)
        assert (event.operation, event.changeset.account, event.changeset.reason) == ("remove", "suzuki", "重複")
        outcome = undo_changeset(connection, removal, "誤り")["shelter"]
    assert len(listed(database, shelter, fid)) == 1
    with database.begin("dept_disaster", "suzuki") as connection:
        undo_changeset(connection, outcome.changeset or 0, "やはり重複")
    assert listed(database, shelter, fid) == []
    with database.begin("dept_disaster") as connection:
        restore_attachment(connection, shelter, made)
        told = [event.operation for event in feature_events(connection, shelter, fid)]
    assert told == ["restore", "remove", "restore", "remove", "add"]


def test_taking_back_is_refused_where_a_later_change_shows(database: Database, shelter: Definition, fid: int) -> None:
    made = attach(database, shelter, fid)
    with latest_changeset(database, shelter) as (_, addition):
        pass
    with database.begin("dept_disaster", "suzuki") as connection:
        change_attachment(connection, shelter, made, 1, "裏口", False)
    with latest_changeset(database, shelter) as (_, wording):
        pass
    with pytest.raises(UndoRefusedError) as caught, database.begin("dept_disaster") as connection:
        undo_changeset(connection, addition, "x")
    assert [dependant.changeset.id for dependant in caught.value.dependants] == [wording]
    with database.begin("dept_disaster") as connection:
        undo_changeset(connection, wording, "x")
    assert listed(database, shelter, fid)[0].caption == "入口"
    with pytest.raises(NotAllowedError), database.begin("dept_sewer") as connection:
        undo_changeset(connection, addition, "x")
    with database.begin("dept_disaster") as connection:
        undo_changeset(connection, addition, "x")
    assert listed(database, shelter, fid) == []


def test_a_deleted_feature_that_comes_back_has_its_files(database: Database, shelter: Definition, fid: int) -> None:
    made = attach(database, shelter, fid)
    with database.begin("dept_disaster") as connection:
        deletion = apply_changes(connection, shelter, [Delete(fid, 1)]).changeset or 0
    with pytest.raises(NotAllowedError):
        attach(database, shelter, fid)
    assert len(listed(database, shelter, fid)) == 1, "the history shows them"
    with database.begin("dept_disaster") as connection:
        undo_changeset(connection, deletion, "誤り")
        assert may_attach(connection, shelter, fid)
    assert [one.id for one in listed(database, shelter, fid)] == [made]


def test_two_captions_at_once_do_not_overwrite_each_other(database: Database, shelter: Definition, fid: int) -> None:
    made = attach(database, shelter, fid)
    with database.begin("dept_disaster") as connection:
        change_attachment(connection, shelter, made, 1, "東", False)
    with pytest.raises(ChangedMeanwhileError), database.begin("dept_disaster") as connection:
        change_attachment(connection, shelter, made, 1, "西", False)
    assert listed(database, shelter, fid)[0].caption == "東"


def test_files_stand_in_the_order_that_was_asked_for(database: Database, shelter: Definition, fid: int) -> None:
    first, second, third = (attach(database, shelter, fid) for _ in range(3))
    with database.begin("dept_disaster") as connection:
        order_attachments(connection, shelter, fid, [third, first, second])
    assert [one.id for one in listed(database, shelter, fid)] == [third, first, second]


def test_the_limit_holds_when_two_add_the_last_one_at_once(database: Database, shelter: Definition, fid: int) -> None:
    refused: list[str] = []

    def add() -> None:
        try:
            with database.begin("dept_disaster") as connection:
                add_attachment(connection, shelter, fid, NOTE, 2)
        except RefusedFileError as error:
            refused.append(error.code)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(listed(database, shelter, fid)) == 2
    assert refused == ["many", "many"]


def test_erasure_is_a_layer_managers_act_that_leaves_the_fact_alone(
    database: Database, owner: Engine, shelter: Definition, fid: int
) -> None:
    made = attach(database, shelter, fid, is_public=True)
    with owner.begin() as connection:
        for name, department in (("manabu", "disaster"), ("mamoru", "sewer")):
            roles = ("viewer", "editor", "layer_manager")
            add_account(connection, name, name, department, "a password of the tests", roles=roles)
    for role, name in (("dept_disaster", "sato"), ("dept_sewer", "mamoru")):
        with pytest.raises(NotAllowedError), database.begin(role, name) as connection:
            erase_attachment(connection, shelter, made, "本人の求め")
    with database.begin("dept_disaster", "manabu") as connection:
        erase_attachment(connection, shelter, made, "本人の求め")
    (left,) = listed(database, shelter, fid, with_removed=True)
    assert (left.is_erased, left.name, left.caption, left.sha256) == (True, "", "", "")
    with owner.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM gis.attachment_body")).scalar_one() == 0
        assert connection.execute(text("SELECT count(*) FROM gis.attachment_offer")).scalar_one() == 0
        assert set(connection.execute(text("SELECT caption FROM gis.attachment_history")).scalars()) == {""}
    with latest_changeset(database, shelter) as (connection, erasure):
        (event,) = changeset_events(connection, erasure)
        assert (event.operation, event.changeset.account, event.changeset.reason) == ("erase", "manabu", "本人の求め")
    for act in (
        lambda connection: restore_attachment(connection, shelter, made),
        lambda connection: undo_changeset(connection, erasure, "x"),
        lambda connection: erase_attachment(connection, shelter, made, "x"),
    ):
        with pytest.raises(UsageError), database.begin("dept_disaster", "manabu") as connection:
            act(connection)
    assert listed(database, shelter, fid) == []


def test_a_persons_own_connection_describes_and_removes_but_never_adds_past_the_cleaning(
    database: Database, owner: Engine, shelter: Definition, fid: int
) -> None:
    made = attach(database, shelter, fid)
    words = {}
    with owner.begin() as connection:
        for name, department in (("kimura", "disaster"), ("ogawa", "sewer")):
            add_account(connection, name, name, department, "a password of the tests", roles=("viewer", "editor"))
            password = make_db_login(connection, name, department)
            words[name] = f"{connection_words(connection, name)} password={password}"
    insert = (
        "INSERT INTO gis.attachment (layer, fid, name, media_type, byte_size, sha256)"
        f" VALUES ('shelter', {fid}, 'x.jpg', 'image/jpeg', 1, 'x')"
    )
    try:
        with psycopg.connect(words["kimura"]) as connection:
            connection.execute("UPDATE gis.attachment SET caption = '裏口' WHERE id = %s", (made,))
        with psycopg.connect(words["kimura"]) as connection, pytest.raises(InsufficientPrivilege, match="clean"):
            connection.execute(insert)
        with psycopg.connect(words["ogawa"]) as connection, pytest.raises(InsufficientPrivilege):
            connection.execute("UPDATE gis.attachment SET is_public = true WHERE id = %s", (made,))
        with psycopg.connect(words["ogawa"]) as connection, pytest.raises(InsufficientPrivilege):
            connection.execute("SELECT gis.erase_attachment(%s, 'x')", (made,))
    finally:
        with owner.begin() as connection:
            revoke_db_login(connection, "kimura")
            revoke_db_login(connection, "ogawa")
    with database.begin("dept_disaster") as connection:
        told = [(event.operation, event.changeset.account) for event in feature_events(connection, shelter, fid)]
    assert told == [("change", "kimura"), ("add", "sato")]


def test_other_bytes_than_those_told_are_not_stored(database: Database, shelter: Definition, fid: int) -> None:
    false = CleanFile("a.txt", "text/plain; charset=utf-8", b"abc", "0" * 64)
    with pytest.raises(UsageError), database.begin("dept_disaster") as connection:
        add_attachment(connection, shelter, fid, false, MOST)
    assert listed(database, shelter, fid) == []
