"""The editor's page and its JSON: what is saved, what is refused, and that the database refuses it."""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, Engine, text
from werkzeug.test import TestResponse

from gis.database import Database
from layers.changes import Insert, Update
from layers.definition import load_definitions
from layers.editing import apply_changes
from tests.layers.personal_layer import make_household_layer
from tests.webmap.conftest import csrf_token
from webmap.staff import editor

LogIn = Callable[[str], FlaskClient]
POINT = {"type": "Point", "coordinates": [141.21, 38.43]}
ELSEWHERE = {"type": "Point", "coordinates": [141.22, 38.44]}
AROUND = "141,38,142,39"
SITE: dict[str, Any] = {"operation": "insert", "attributes": {"site_id": "s-1", "name": "試験の丘"}, "geometry": POINT}


def send(
    client: FlaskClient, layer: str, body: object, part: str = "changes", query: str = "lang=en", key: str = ""
) -> TestResponse:
    """Post JSON as the page does; `key` as the sender made it, a new one by itself."""
    token = csrf_token(client.get("/staff/").text)
    headers = {
        "X-CSRFToken": token,
        "Accept": "application/json",
        "Idempotency-Key": key or secrets.token_urlsafe(16),
    }
    data, url = orjson.dumps(body), f"/staff/layers/{layer}/edit/{part}?{query}"
    return client.post(url, data=data, content_type="application/json", headers=headers)


def save(client: FlaskClient, layer: str, *changes: dict[str, Any], reason: str = "現地調査") -> TestResponse:
    return send(client, layer, {"reason": reason, "changes": changes})


def view(client: FlaskClient, layer: str, bbox: str = AROUND) -> dict[str, Any]:
    answer = client.get(f"/staff/layers/{layer}/edit/features?bbox={bbox}")
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def config(client: FlaskClient, page: str) -> dict[str, Any]:
    """Return what the page tells its script."""
    found = re.search(r"data-config='([^']+)'", client.get(f"/staff/layers/{page}").text)
    assert found
    return dict(orjson.loads(html.unescape(found.group(1))))


def count(owner: Engine, table: str) -> int:
    with owner.begin() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


@pytest.fixture
def site(database: Database) -> int:
    """One evacuation site, of version 1."""
    with database.begin("dept_disaster", account="jiro", reason="初め") as connection:
        return _apply(connection, Insert({**SITE["attributes"], "capacity": 100}, POINT)).inserted[0]


def _apply(connection: Connection, *changes: Any) -> Any:
    return apply_changes(connection, load_definitions()["evacuation_site"], list(changes))


def test_the_page_tells_the_script_the_layer_in_the_readers_language(log_in: LogIn, site: int) -> None:
    client = log_in("hanako")
    english, japanese = (config(client, f"evacuation_site/edit?lang={tag}&fid={site}") for tag in ("en", "ja"))
    assert english["layer"]["title"] == "Emergency evacuation sites"
    assert english["start"] == {"fid": site, "bounds": [141.21, 38.43, 141.21, 38.43]}
    assert "想定収容人数" in [attribute["label"] for attribute in japanese["layer"]["attributes"]]
    assert japanese["layer"]["may"] == {"insert": True, "update": True, "delete": True}
    assert client.get("/staff/layers/nothing/edit").status_code == 404


def test_a_view_has_the_features_of_the_box_with_their_versions(log_in: LogIn, site: int) -> None:
    client = log_in("hanako")
    (feature,) = view(client, "evacuation_site")["features"]
    assert (feature["id"], feature["version"], feature["personal_version"]) == (site, 1, None)
    assert feature["geometry"] == POINT
    assert feature["properties"]["capacity"] == 100
    assert view(client, "evacuation_site", "140,38,141,39")["features"] == []


def test_every_digit_of_a_coordinate_comes_back(log_in: LogIn, site: int, owner: Engine) -> None:
    client = log_in("hanako")
    with owner.begin() as connection:
        connection.execute(
            text("UPDATE layers.evacuation_site SET geom = ST_SetSRID(ST_Point(1/3::float8 + 141, 38.1), 6668)")
        )
    (feature,) = view(client, "evacuation_site")["features"]
    change = {"operation": "update", "fid": site, "base_version": 2, "geometry": feature["geometry"]}
    assert save(client, "evacuation_site", change).get_json()["unchanged"] == [site]


def test_a_view_with_too_many_features_says_so(
    log_in: LogIn, site: int, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    with database.begin("dept_disaster") as connection:
        _apply(connection, Insert({"site_id": "s-2", "name": "もう一つ"}, ELSEWHERE))
    client = log_in("hanako")
    assert view(client, "evacuation_site")["is_complete"]
    monkeypatch.setattr(editor, "MOST_FEATURES", 1)
    seen = view(client, "evacuation_site")
    assert (len(seen["features"]), seen["is_complete"]) == (1, False)


@pytest.mark.parametrize(
    "bbox", ["", "1,2,3", "a,b,c,d", "142,38,141,39", "141,39,142,38", "nan,38,142,39", "1,2,3,inf"]
)
def test_a_box_that_is_none_is_refused(log_in: LogIn, bbox: str) -> None:
    answer = log_in("hanako").get(f"/staff/layers/evacuation_site/edit/features?bbox={bbox}&lang=en")
    assert answer.status_code == 400
    assert "west,south,east,north" in answer.get_json()["detail"]


def test_one_save_is_one_changeset_with_person_and_reason(log_in: LogIn, site: int, owner: Engine) -> None:
    client = log_in("hanako")
    update = {
        "operation": "update",
        "fid": site,
        "base_version": 1,
        "attributes": {"capacity": 250},
        "geometry": ELSEWHERE,
    }
    added = {**SITE, "attributes": {"site_id": "s-2", "name": "新しい丘"}}
    answer = save(client, "evacuation_site", update, added)
    assert answer.status_code == 200, answer.text
    outcome = answer.get_json()
    assert outcome["updated"] == [site]
    (new,) = outcome["inserted"]
    with owner.begin() as connection:
        row = connection.execute(
            text("SELECT account, role_name, reason FROM gis.changeset WHERE id = :id"), {"id": outcome["changeset"]}
        ).one()
    assert tuple(row) == ("hanako", "dept_disaster", "現地調査")
    answer = save(client, "evacuation_site", {"operation": "delete", "fid": new, "base_version": 1})
    assert answer.get_json()["deleted"] == [new]
    (left,) = view(client, "evacuation_site")["features"]
    assert (left["properties"]["capacity"], left["geometry"], left["version"]) == (250, ELSEWHERE, 2)


def test_wrong_values_come_back_with_change_attribute_and_words(log_in: LogIn, site: int, owner: Engine) -> None:
    client = log_in("hanako")
    good = {"operation": "update", "fid": site, "base_version": 1, "attributes": {"note": "よい"}}
    bad = {"operation": "insert", "attributes": {"name": "", "capacity": -1}, "geometry": POINT}
    answer = save(client, "evacuation_site", good, bad)
    assert answer.status_code == 422
    problems = answer.get_json()["problems"]
    assert {(problem["position"], problem["column"]) for problem in problems} == {
        (1, "name"),
        (1, "capacity"),
        (1, "site_id"),
    }
    assert "Capacity must be at least 0, not -1." in [problem["text"] for problem in problems]
    assert count(owner, "history.evacuation_site") == 1, "nothing of the batch was written"


def test_what_only_the_database_knows_is_told_by_attribute(log_in: LogIn, site: int) -> None:
    answer = save(log_in("hanako"), "evacuation_site", SITE)
    assert answer.status_code == 422
    assert answer.get_json()["problems"] == [
        {"position": None, "column": "site_id", "text": "Another feature has this Common ID already."}
    ]


def test_a_stale_change_that_does_not_collide_merges(log_in: LogIn, site: int, database: Database) -> None:
    with database.begin("dept_disaster", account="jiro") as connection:
        _apply(connection, Update(site, 1, {"note": "次郎の注記"}))
    client = log_in("hanako")
    answer = save(
        client,
        "evacuation_site",
        {"operation": "update", "fid": site, "base_version": 1, "attributes": {"capacity": 7}},
    )
    assert answer.status_code == 200
    assert answer.get_json()["merged"] == [{"fid": site, "theirs": ["note"], "mine": ["capacity"]}]
    (feature,) = view(client, "evacuation_site")["features"]
    assert (feature["properties"]["note"], feature["properties"]["capacity"]) == ("次郎の注記", 7)


def test_a_conflict_shows_all_three_sides_writes_nothing_and_can_be_settled(
    log_in: LogIn, site: int, database: Database, owner: Engine
) -> None:
    with database.begin("dept_disaster", account="jiro") as connection:
        _apply(connection, Update(site, 1, {"capacity": 300}, ELSEWHERE))
    client = log_in("hanako")
    mine = {"operation": "update", "fid": site, "base_version": 1, "attributes": {"capacity": 7}}
    answer = save(client, "evacuation_site", mine, {**SITE, "attributes": {"site_id": "s-9", "name": "別"}})
    assert answer.status_code == 409
    (conflict,) = answer.get_json()["conflicts"]
    assert conflict["names"] == ["capacity"]
    assert [conflict[side]["attributes"]["capacity"] for side in ("base", "theirs", "mine")] == [100, 300, 7]
    assert [conflict[side]["geometry"] for side in ("base", "theirs")] == [POINT, ELSEWHERE]
    assert count(owner, "layers.evacuation_site") == 1, "the other change of the batch waits, too"
    answer = save(client, "evacuation_site", {**mine, "base_version": conflict["theirs_version"]})
    assert answer.status_code == 200
    (feature,) = view(client, "evacuation_site")["features"]
    assert (feature["properties"]["capacity"], feature["geometry"]) == (7, ELSEWHERE)


def test_what_somebody_deleted_can_be_brought_back_from_the_conflict(log_in: LogIn, site: int) -> None:
    first, second = log_in("jiro"), log_in("hanako")
    assert save(first, "evacuation_site", {"operation": "delete", "fid": site, "base_version": 1}).status_code == 200
    mine = {"operation": "update", "fid": site, "base_version": 1, "attributes": {"capacity": 7}}
    (conflict,) = save(second, "evacuation_site", mine).get_json()["conflicts"]
    assert conflict["theirs"] is None
    back = {**mine, "base_version": conflict["theirs_version"], **conflict["mine"]}
    assert save(second, "evacuation_site", back).get_json()["updated"] == [site]


def test_the_same_forbidden_edit_is_refused_by_the_database_through_page_and_json(
    log_in: LogIn, site: int, owner: Engine
) -> None:
    client = log_in("saburo")
    page = client.get("/staff/layers/evacuation_site/edit?lang=en").text
    assert "may look at this layer, not change it" in page
    for change in (
        SITE,
        {"operation": "update", "fid": site, "base_version": 1, "attributes": {"capacity": 1}},
        {"operation": "delete", "fid": site, "base_version": 1},
    ):
        answer = save(client, "evacuation_site", change)
        assert answer.status_code == 403, answer.text
        assert answer.get_json()["message"].startswith("Your department may not do this in this layer.")
        assert "permission denied for table evacuation_site" in answer.get_json()["detail"], "PostgreSQL's own words"
    assert count(owner, "history.evacuation_site") == 1


def test_a_place_that_a_row_policy_forbids_is_told_as_a_place(log_in: LogIn, site: int, owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("ALTER TABLE layers.evacuation_site ENABLE ROW LEVEL SECURITY"))
        connection.execute(text("CREATE POLICY everybody_sees ON layers.evacuation_site FOR SELECT USING (true)"))
        connection.execute(
            text(
                "CREATE POLICY west_only ON layers.evacuation_site USING (ST_X(geom) < 141)"
                " WITH CHECK (ST_X(geom) < 141)"
            )
        )
    answer = save(log_in("hanako"), "evacuation_site", SITE)
    assert answer.status_code == 403, answer.text
    assert "may not edit at this place" in answer.get_json()["message"]


def test_a_save_without_the_token_is_refused(log_in: LogIn, site: int, owner: Engine) -> None:
    body = {"reason": "x", "changes": [{"operation": "delete", "fid": site, "base_version": 1}]}
    assert log_in("hanako").post("/staff/layers/evacuation_site/edit/changes", json=body).status_code == 400
    assert count(owner, "layers.evacuation_site") == 1


@pytest.mark.parametrize("part", ["changes", "shapes"])
def test_nothing_is_saved_or_shown_without_a_login(client: FlaskClient, staff: None, part: str) -> None:
    assert client.get("/staff/layers/evacuation_site/edit/features?bbox=1,1,2,2").status_code == 302
    token = csrf_token(client.get("/staff/login").text)
    answer = client.post(f"/staff/layers/evacuation_site/edit/{part}", json={}, headers={"X-CSRFToken": token})
    assert answer.status_code == 302


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"reason": "x"},
        {"reason": "x", "changes": []},
        {"reason": " ", "changes": [SITE]},
        {"reason": 5, "changes": [SITE]},
        {"reason": "x" * 501, "changes": [SITE]},
        {"reason": "x", "changes": ["text"]},
        {"reason": "x", "changes": [{"operation": "truncate", "fid": 1, "base_version": 1}]},
        {"reason": "x", "changes": [{"operation": "update", "fid": "1", "base_version": 1}]},
        {"reason": "x", "changes": [{"operation": "update", "fid": 1, "base_version": True}]},
        {
            "reason": "x",
            "changes": [{"operation": "update", "fid": 999, "base_version": 1, "attributes": {"note": "x"}}],
        },
        {"reason": "x", "changes": [{**SITE, "attributes": []}]},
        {"reason": "x", "changes": [{**SITE, "geometry": "POINT (1 1)"}]},
        {"reason": "x", "changes": [SITE] * 5001},
    ],
)
def test_a_broken_batch_is_refused_in_words(log_in: LogIn, body: object, owner: Engine) -> None:
    answer = send(log_in("hanako"), "evacuation_site", body)
    assert answer.status_code == 400
    assert answer.get_json()["message"] == "This cannot be done as asked."
    assert count(owner, "layers.evacuation_site") == 0


def test_a_layer_that_is_not_there_is_told(log_in: LogIn) -> None:
    assert save(log_in("hanako"), "nothing", SITE).status_code == 404


def test_personal_attributes_come_only_to_whom_they_belong(log_in: LogIn, owner: Engine) -> None:
    make_household_layer(owner, "disaster")
    owners, others = log_in("hanako"), log_in("saburo")
    change = {"operation": "insert", "attributes": {"number": "7", "resident": "花子"}, "geometry": POINT}
    assert save(owners, "household", change).status_code == 200
    (mine,) = view(owners, "household")["features"]
    assert (mine["properties"]["resident"], mine["personal_version"]) == ("花子", 1)
    (theirs,) = view(others, "household")["features"]
    assert theirs["properties"] == {"number": "7", "floors": None}
    names = [
        [one["name"] for one in config(client, "household/edit")["layer"]["attributes"]] for client in (owners, others)
    ]
    assert names == [["number", "floors", "resident", "phone"], ["number", "floors"]]
    update = {"operation": "update", "fid": mine["id"], "base_version": 1, "base_personal_version": 1}
    assert save(owners, "household", {**update, "attributes": {"resident": "太郎"}}).status_code == 200
    assert view(owners, "household")["features"][0]["properties"]["resident"] == "太郎"


def test_shapes_are_computed_without_writing(log_in: LogIn, owner: Engine) -> None:
    client = log_in("hanako")
    line = {"type": "LineString", "coordinates": [[0, 0], [10, 0]]}
    blade = {"type": "LineString", "coordinates": [[4, -1], [4, 1]]}
    answer = send(client, "sewer_pipe", {"operation": "split", "geometries": [line], "blade": blade}, "shapes")
    pieces = answer.get_json()["geometries"]
    assert [piece["coordinates"] for piece in pieces] == [[[0, 0], [4, 0]], [[4, 0], [10, 0]]]
    answer = send(client, "sewer_pipe", {"operation": "merge", "geometries": pieces}, "shapes")
    assert answer.get_json()["geometries"][0]["coordinates"] == [[0, 0], [4, 0], [10, 0]]
    for body in ({}, {"operation": "split", "geometries": [line, line]}, {"operation": "merge", "geometries": ["x"]}):
        assert send(client, "sewer_pipe", body, "shapes").status_code == 400
