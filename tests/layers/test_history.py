"""What happened to a feature, a layer, by a person, in a changeset."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from gis.database import Database
from gis.errors import UsageError
from layers.changes import Delete, Insert, Update
from layers.definition import Definition, load_definitions
from layers.editing import apply_changes
from layers.history import changeset_contents, feature_history, find_changeset, layer_history, person_history
from layers.refusals import NotAllowedError

POINT = {"type": "Point", "coordinates": [141.2, 38.4]}
NORTH = {"type": "Point", "coordinates": [141.2, 38.401]}  # 111.0 m further north on the GRS 80 ellipsoid


@pytest.fixture
def sites() -> Definition:
    return load_definitions()["evacuation_site"]


@pytest.fixture
def story(database: Database, sites: Definition) -> tuple[int, list[int]]:
    """A site made by sato, moved and renamed by suzuki, deleted by sato; its fid and the changesets."""
    made = Insert({"site_id": "a", "name": "北の丘"}, POINT)
    with database.begin("dept_disaster", "sato", "新設") as connection:
        first = apply_changes(connection, sites, [made])
    fid = first.inserted[0]
    with database.begin("dept_disaster", "suzuki", "測量し直し") as connection:
        change = Update(fid, 1, {"name": "南の丘", "tsunami": True, "elevation_m": 12.5}, NORTH)
        second = apply_changes(connection, sites, [change])
    with database.begin("dept_disaster", "sato", "廃止") as connection:
        third = apply_changes(connection, sites, [Delete(fid, 2)])
    return fid, [outcome.changeset or 0 for outcome in (first, second, third)]


@pytest.fixture
def reader(database: Database, story: tuple[int, list[int]]) -> Iterator[Connection]:
    with database.begin("dept_sewer") as connection:
        yield connection


def test_a_feature_tells_who_did_what_when_and_why(
    reader: Connection, sites: Definition, story: tuple[int, list[int]]
) -> None:
    versions = feature_history(reader, sites, story[0])
    told = [(v.version, v.operation, v.changeset.account, v.changeset.reason) for v in versions]
    assert told == [
        (3, "delete", "sato", "廃止"),
        (2, "update", "suzuki", "測量し直し"),
        (1, "insert", "sato", "新設"),
    ]
    assert versions[1].changeset.role_name == "dept_disaster"
    assert versions[2].valid_to == versions[1].valid_from
    assert [v.changeset.id for v in versions] == story[1][::-1]


def test_differences_read_as_sentences_with_labels_units_and_metres(
    reader: Connection, sites: Definition, story: tuple[int, list[int]]
) -> None:
    update = feature_history(reader, sites, story[0])[1]
    assert [difference.text(sites, "en") for difference in update.differences] == [
        "Position and shape: moved by 111.00 m",
        "Name: 北の丘 → 南の丘",
        "Tsunami: no → yes",
        "Elevation: (none) → 12.5 m",
    ]
    assert update.differences[2].text(sites, "ja") == "津波: いいえ → はい"
    assert update.differences[0].text(sites, "ja") == "位置・形状: 111.00 m 移動"


def test_codes_are_told_by_their_names(database: Database) -> None:
    incidents = load_definitions()["incident"]
    with database.begin("machimori_service") as connection:
        new = Insert({"kind": "fire", "status": "Actual", "event_key": "k"})
        fid = apply_changes(connection, incidents, [new]).inserted[0]
        apply_changes(connection, incidents, [Update(fid, 1, {"state": "resolved"}, POINT)])
        shape, state = feature_history(connection, incidents, fid)[0].differences
    codes = {code.value: code.name("ja") for code in incidents.attribute("state").codes.codes}
    assert state.text(incidents, "ja") == f"状況: {codes['open']} → {codes['resolved']}"
    assert shape.text(incidents, "en") == "a position was added"


def test_a_longer_line_tells_the_metres_it_gained(database: Database) -> None:
    roads = load_definitions()["base_road"]
    road_class = roads.attribute("class").codes.values[0]
    with database.begin(roads.owner_role) as connection:
        new = Insert({"class": road_class}, {"type": "LineString", "coordinates": [[141.2, 38.4], [141.2, 38.401]]})
        fid = apply_changes(connection, roads, [new]).inserted[0]
        longer = {"type": "LineString", "coordinates": [[141.2, 38.4], [141.2, 38.403]]}
        apply_changes(connection, roads, [Update(fid, 1, geometry=longer)])
        (difference,) = feature_history(connection, roads, fid)[0].differences
    assert difference.shape is not None
    assert difference.shape.length_m == pytest.approx(222.00, abs=0.05)
    assert difference.shape.moved_m == pytest.approx(111.00, abs=0.05)


def test_a_feature_that_never_was_has_no_history(reader: Connection, sites: Definition) -> None:
    assert feature_history(reader, sites, 12345) == []


def test_the_layer_and_the_person_list_changesets_newest_first_page_by_page(
    reader: Connection, sites: Definition, story: tuple[int, list[int]]
) -> None:
    first, second, third = story[1]
    assert [changeset.id for changeset in layer_history(reader, sites)] == [third, second, first]
    assert [changeset.id for changeset in layer_history(reader, sites, limit=1, before=third)] == [second]
    sato = person_history(reader, "sato")
    assert [(changeset.id, changeset.counts) for changeset in sato] == [
        (third, {"evacuation_site": {"delete": 1}}),
        (first, {"evacuation_site": {"insert": 1}}),
    ]
    assert person_history(reader, "sato", before=third)[0].id == first
    assert person_history(reader, "nobody") == []


def test_a_changeset_tells_each_feature_before_and_after(reader: Connection, story: tuple[int, list[int]]) -> None:
    fid, (first, second, third) = story
    assert [(d.fid, d.operation) for d in changeset_contents(reader, first)] == [(fid, "insert")]
    (delta,) = changeset_contents(reader, second)
    assert delta.operation == "update"
    assert delta.changed == ("geom", "name", "tsunami", "elevation_m")
    assert delta.old is not None
    assert delta.old["name"] == "北の丘"
    assert changeset_contents(reader, third)[0].new is None


def test_an_unknown_changeset_is_a_clear_error(reader: Connection) -> None:
    with pytest.raises(UsageError, match="There is no changeset 4711"):
        find_changeset(reader, 4711)


def test_citizens_read_no_history(database: Database, sites: Definition, story: tuple[int, list[int]]) -> None:
    with pytest.raises(NotAllowedError), database.begin("citizen") as connection:
        feature_history(connection, sites, story[0])
