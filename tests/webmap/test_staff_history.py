"""History at the desk: told in words and shapes, and taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from gis.database import Database
from layers.changes import Insert, Update
from layers.definition import load_definitions
from layers.editing import apply_changes
from tests.webmap.conftest import csrf_token

LogIn = Callable[[str], FlaskClient]
POINT = {"type": "Point", "coordinates": [141.2, 38.4]}
NORTH = {"type": "Point", "coordinates": [141.2, 38.401]}  # 111.0 m further north on the GRS 80 ellipsoid


@pytest.fixture
def story(database: Database) -> tuple[int, int, int]:
    """A site made by hanako, moved and renamed by jiro; its fid and the two changesets."""
    sites = load_definitions()["evacuation_site"]
    with database.begin("dept_disaster", "hanako", "新設") as connection:
        made = apply_changes(connection, sites, [Insert({"site_id": "a", "name": "北の丘"}, POINT)])
    with database.begin("dept_disaster", "jiro", "測量し直し") as connection:
        moved = apply_changes(connection, sites, [Update(made.inserted[0], 1, {"name": "南の丘"}, NORTH)])
    return made.inserted[0], made.changeset or 0, moved.changeset or 0


def words_of(page: str) -> str:
    """Return a page's text in one line."""
    return " ".join(unescape(re.sub(r"<script.*?</script>|<[^>]+>", " ", page, flags=re.S)).split())


def press_undo(client: FlaskClient, changeset: int, reason: str = "誤り") -> tuple[int, str]:
    token = csrf_token(client.get(f"/staff/changesets/{changeset}").text)
    data = {"csrf_token": token, "reason": reason}
    answer = client.post(f"/staff/changesets/{changeset}/undo?lang=en", data=data, follow_redirects=True)
    return answer.status_code, words_of(answer.text)


def name_of(database: Database, fid: int) -> str | None:
    with database.begin("dept_disaster") as connection:
        query = text("SELECT name FROM layers.evacuation_site WHERE fid = :fid")
        return connection.execute(query, {"fid": fid}).scalar()


def test_a_layers_history_lists_who_when_why_and_how_many(log_in: LogIn, story: tuple[int, int, int]) -> None:
    words = words_of(log_in("saburo").get("/staff/layers/evacuation_site/history?lang=en").text)
    for part in (
        "jiro (Disaster Prevention Section)",
        "測量し直し",
        "Emergency evacuation sites: changed 1",
        "added 1",
    ):
        assert part in words, part
    assert words.index("測量し直し") < words.index("新設"), "the newest first"


def test_a_changeset_is_told_in_words_and_shapes(log_in: LogIn, story: tuple[int, int, int]) -> None:
    client = log_in("saburo")
    words = words_of(client.get(f"/staff/changesets/{story[2]}?lang=en").text)
    assert "Name: 北の丘 → 南の丘" in words
    assert re.search(r"moved by 11[01]\.\d\d m", words)
    outlines = client.get(f"/staff/changesets/{story[2]}.geojson").json
    assert outlines is not None
    told = [(shape["properties"]["state"], shape["geometry"]["coordinates"]) for shape in outlines["features"]]
    assert told == [("before", POINT["coordinates"]), ("after", NORTH["coordinates"])]


def test_a_feature_tells_its_life(log_in: LogIn, story: tuple[int, int, int]) -> None:
    client = log_in("saburo")
    words = words_of(client.get(f"/staff/layers/evacuation_site/features/{story[0]}?lang=en").text)
    assert words.index("Name: 北の丘 → 南の丘") < words.index("新設")
    outlines = client.get(f"/staff/layers/evacuation_site/features/{story[0]}.geojson").json
    assert outlines is not None
    assert [shape["properties"]["state"] for shape in outlines["features"]] == ["before", "after"]


def test_a_persons_history_spans_the_layers(log_in: LogIn, story: tuple[int, int, int], database: Database) -> None:
    with database.begin("dept_disaster", "jiro", "別のレイヤ") as connection:
        apply_changes(connection, load_definitions()["shelter"], [Insert({"shelter_id": "s", "name": "館"}, POINT)])
    words = words_of(log_in("saburo").get("/staff/people/jiro?lang=en").text)
    assert "測量し直し" in words and "別のレイヤ" in words and "新設" not in words


def test_what_never_was_is_not_found(log_in: LogIn, story: tuple[int, int, int]) -> None:
    client = log_in("hanako")
    for path in (
        "changesets/99999",
        "changesets/99999.geojson",
        "people/nobody",
        "layers/evacuation_site/features/9999",
    ):
        assert client.get(f"/staff/{path}").status_code == 404, path


def test_a_changeset_is_taken_back_with_a_reason(
    log_in: LogIn, story: tuple[int, int, int], database: Database
) -> None:
    fid, _, second = story
    status, words = press_undo(log_in("hanako"), second, "測り間違い")
    assert status == 200
    assert f"Changeset {second} was taken back." in words
    assert f"undo of {second}: 測り間違い" in words
    assert name_of(database, fid) == "北の丘"


def test_taking_back_is_refused_with_the_later_edits(
    log_in: LogIn, story: tuple[int, int, int], database: Database
) -> None:
    fid, first, second = story
    status, words = press_undo(log_in("hanako"), first)
    assert status == 409
    assert "later edits depend on it" in words
    assert f"Changeset {second}" in words and "測量し直し" in words
    assert name_of(database, fid) == "南の丘"


def test_taking_back_needs_a_reason(log_in: LogIn, story: tuple[int, int, int], database: Database) -> None:
    client = log_in("hanako")
    token = csrf_token(client.get(f"/staff/changesets/{story[2]}").text)
    answer = client.post(f"/staff/changesets/{story[2]}/undo", data={"csrf_token": token, "reason": "  "})
    assert answer.status_code == 400
    assert name_of(database, story[0]) == "南の丘"


def test_another_department_is_not_offered_it_and_refused_by_the_database(
    log_in: LogIn, story: tuple[int, int, int], database: Database
) -> None:
    client = log_in("saburo")
    page = client.get(f"/staff/changesets/{story[2]}").text
    assert 'name="reason"' not in page
    data = {"csrf_token": csrf_token(page), "reason": "勝手に"}
    answer = client.post(f"/staff/changesets/{story[2]}/undo?lang=en", data=data)
    assert answer.status_code == 403
    assert "Nothing was changed" in answer.text
    assert name_of(database, story[0]) == "南の丘"


def test_a_long_history_is_turned_page_by_page(log_in: LogIn, story: tuple[int, int, int], database: Database) -> None:
    sites = load_definitions()["evacuation_site"]
    for number in range(51):
        with database.begin("dept_disaster", "hanako", f"理由{number}") as connection:
            apply_changes(connection, sites, [Insert({"site_id": f"n{number}", "name": "丘"}, POINT)])
    client = log_in("hanako")
    first = client.get("/staff/layers/evacuation_site/history?lang=en").text
    (before,) = re.findall(r'href="\?[^"]*before=(\d+)', first)
    assert "理由50" in first and "新設" not in first
    assert "新設" in client.get(f"/staff/layers/evacuation_site/history?before={before}").text
