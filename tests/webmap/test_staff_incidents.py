"""The moderators' desk: who sees what, what a decision does, and what a refusal keeps."""

import pytest
from sqlalchemy import text

from tests.ingest.desk import people, person_report, post  # noqa: F401 (fixtures)
from tests.webmap.conftest import csrf_token


@pytest.fixture
def enter(app, people):  # noqa: F811
    def run(name):
        client = app.test_client()
        page = client.get("/staff/login").text
        values = {"name": name, "password": "a password of the tests", "csrf_token": csrf_token(page)}
        assert client.post("/staff/login", data=values).status_code == 302
        return client

    return run


@pytest.fixture
def fid(post, database):  # noqa: F811
    post(person_report("1"))
    with database.begin("machimori_service") as connection:
        return connection.execute(text("SELECT fid FROM layers.incident")).scalar_one()


def send(client, fid, act, **values):
    page = client.get(f"/staff/incidents/{fid}").text
    form = {"csrf_token": csrf_token(page), "version": "1"} | values
    return client.post(f"/staff/incidents/{fid}/{act}", data=form)


def test_the_queue_shows_what_waits_and_the_page_what_the_source_said_with_marks(enter, fid):
    client = enter("mod")
    assert "声かけ事案の発生" in client.get("/staff/incidents?lang=ja").text
    page = client.get(f"/staff/incidents/{fid}").text
    assert "<mark>" in page and "田中" in page and "公開する" in page
    area = client.get(f"/staff/incidents/{fid}.geojson").json
    assert {feature["properties"]["what"] for feature in area["features"]} == {"public", "original"}


def test_who_is_no_moderator_sees_neither_the_original_nor_its_place_nor_a_button(enter, fid):
    client = enter("plain")
    page = client.get(f"/staff/incidents/{fid}?lang=en").text
    assert "田中" not in page and "上河戸" not in page and 'data-key="p"' not in page
    area = client.get(f"/staff/incidents/{fid}.geojson").json
    assert {feature["properties"]["what"] for feature in area["features"]} == {"public"}
    token = csrf_token(page)
    answer = client.post(f"/staff/incidents/{fid}/publish", data={"csrf_token": token, "version": "1"})
    assert answer.status_code in (400, 403)
    assert client.get(f"/incidents/{fid}").status_code == 404


def test_another_department_is_refused(enter, fid):
    client = enter("sewerman")
    assert client.get(f"/staff/incidents/{fid}").status_code == 403


def test_a_moderator_publishes_and_the_public_reads_it_without_the_original(enter, client, fid):
    assert send(enter("mod"), fid, "publish").status_code == 302
    page = client.get(f"/incidents/{fid}")
    assert page.status_code == 200 and "田中" not in page.text


def test_a_second_moderator_is_told_and_keeps_what_was_typed(enter, fid):
    first, second = enter("mod"), enter("modtwo")
    send(first, fid, "hold", reason="asking the police")
    answer = send(second, fid, "text", headline="わたしの見出し", description="x")
    assert answer.status_code == 409 and "わたしの見出し" in answer.text and "mod がこの事案を変更" in answer.text


def test_a_name_in_the_text_is_asked_about_before_it_is_saved(enter, fid):
    client = enter("mod")
    answer = send(client, fid, "text", headline="注意", description="田中さんの電話090-1234-5678")
    assert answer.status_code == 400 and 'name="override"' in answer.text
    words = {"headline": "注意", "description": "田中さんの電話090-1234-5678", "override": "1", "reason": "asked"}
    assert send(client, fid, "text", **words).status_code == 302


def test_who_looks_at_it_now_is_told_to_the_next(enter, fid):
    enter("mod").get(f"/staff/incidents/{fid}")
    assert "mod looks at it now" in enter("modtwo").get(f"/staff/incidents/{fid}?lang=en").text


def test_a_note_an_end_and_an_area_are_written_by_plain_forms(enter, fid):
    client = enter("mod")
    assert send(client, fid, "note", note="called the police").status_code == 302
    assert send(client, fid, "resolve", reason="caught").status_code == 302
    assert send(client, fid, "area", version="2", rule="mesh_1000").status_code == 302
    assert "called the police" in client.get(f"/staff/incidents/{fid}").text


def test_a_citizen_is_told_why_and_no_name_with_it(enter, fid, database, client, app):
    reference = "0123456789abcdefghijkl"
    with database.begin("machimori_service") as connection:
        connection.execute(
            text("UPDATE ingest.report SET source = 'citizen', source_id = :ref || '\\:1'"), {"ref": reference}
        )
        connection.execute(
            text("INSERT INTO ingest.citizen_report (reference, kind, language) VALUES (:ref, 'other', 'ja')"),
            {"ref": reference},
        )
    desk = enter("mod")
    assert 'name="public_reason"' in desk.get(f"/staff/incidents/{fid}").text
    assert send(desk, fid, "reject", reason="seen").status_code == 400
    assert send(desk, fid, "reject", reason="seen", public_reason="田中さんに確認しました").status_code == 400
    assert send(desk, fid, "reject", reason="seen", public_reason="ほかの通報と同じです。").status_code == 302
    with database.begin("citizen") as connection:
        told = connection.execute(text("SELECT state, public_reason FROM open.citizen_report(:r)"), {"r": reference})
        assert tuple(told.one()) == ("rejected", "ほかの通報と同じです。")


def test_the_page_tells_how_many_households_an_area_holds_and_refuses_what_is_none(enter, fid):
    desk = enter("mod")
    square = '{"type":"Polygon","coordinates":[[[141,38],[142,38],[142,39],[141,38]]]}'
    assert desk.get("/staff/incidents/households", query_string={"drawn": square}).json == {"households": 0, "least": 8}
    assert desk.get("/staff/incidents/households", query_string={"drawn": "x"}).status_code == 400
    assert send(desk, fid, "area", rule="drawn", drawn='{"type":"Nothing"}').status_code == 400
    assert enter("plain").get("/staff/incidents/households", query_string={"drawn": square}).status_code == 400
