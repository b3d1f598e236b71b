"""Where a message of the desk begins: what a source said, an earlier message, templates of the staff; CAP's words."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from lxml import etree
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

from gis.database import Database
from tests.ingest.telegrams import forecast, telegram
from tests.webmap.conftest import Send, csrf_token, tokens
from tests.webmap.test_staff_alert_edit import begin, fields, quarter

LogIn = Callable[[str], FlaskClient]
__all__ = ["quarter"]


# What a mail said of a person: pending, so that only the moderators read it.
INCIDENT = """
    INSERT INTO layers.incident (kind, status, event_key, publication, headline, description, place_name, is_personal,
                                 geom)
    VALUES ('suspicious_person', 'Actual', 'k', 'pending', '声かけ', '白い服の山田太郎', '大曲', true,
            ST_SetSRID(ST_MakePoint(141.2, 38.4), 6668)) RETURNING fid"""
REPORT = """
    WITH d AS (INSERT INTO ingest.document (source, origin, name, sha256, byte_size, body)
               VALUES ('mail', 'replay', 'x', 'x', 0, '') RETURNING id)
    INSERT INTO ingest.report (source, source_id, document_id, kind, status, action, event_key, reported_at,
                               controlled_at, facts, concerns_town, incident_fid)
    SELECT 'mail', 'x', id, 'suspicious_person', 'Actual', 'issue', 'k', now(), now(), '{}', true, :fid FROM d
    RETURNING id"""
SITUATION = """
    INSERT INTO ingest.situation (incident_fid, report_id, kind, status, phase, level, is_fresh, reported_at, headline,
                                  text, facts)
    VALUES (:fid, :report, 'suspicious_person', 'Actual', 'issued', 1, true, now(), '声かけ', '山田太郎', '{}')"""


def press(client: FlaskClient, page: str, path: str, **values: str) -> TestResponse:
    return client.post(path, data=tokens(client.get(page).text) | values)


def read(connection: Connection, alert_id: int) -> tuple[object, ...]:
    names = "state, is_written, cap_status, about_incident IS NOT NULL, incident_fid, kind, level, event"
    return tuple(connection.execute(text(f"SELECT {names} FROM alerts.alert WHERE id = :i"), {"i": alert_id}).one())


def number(answer: TestResponse) -> int:
    assert answer.status_code == 302, answer.text
    found = re.search(r"/alerts/(\d+)/edit", answer.location)
    assert found, answer.location
    return int(found[1])


@pytest.mark.parametrize("status", ["通常", "訓練"])
def test_a_warning_is_written_from_a_telegram_with_one_button(
    town_database: Database, send: Send, log_in: LogIn, owner: Engine, status: str
) -> None:
    send(telegram("VTSE41", forecast("51"), status=status))
    with owner.begin() as connection:
        fid, document = connection.execute(text("SELECT incident_fid, document_id FROM ingest.report")).one()
        telegrams_own = connection.execute(text("SELECT id FROM alerts.alert")).scalar_one()
    hanako = log_in("hanako")
    doors = (f"/staff/incidents/{fid}", f"/staff/ingest/documents/{document}/details")
    for page in doors:
        shown = hanako.get(page).text
        assert f"/staff/alerts/from-incident/{fid}" in shown, page
        report = re.search(r'name="report" value="(\d+)"', shown)
        values = {"report": report[1]} if report else {}
        alert_id = number(press(hanako, page, f"/staff/alerts/from-incident/{fid}", **values))
        form = hanako.get(f"/staff/alerts/{alert_id}/edit?lang=en").text
        assert "津波警報" in form and "Tsunami Warning" in form and "{{" not in form
        assert ("drill-bar" in form) == (status == "訓練")
        assert "Too long for a push message" not in form, "a short form was made of the words"
    with owner.begin() as connection:
        expected = "Actual" if status == "通常" else "Exercise"
        assert read(connection, alert_id) == ("draft", True, expected, True, None, "tsunami", 4, "tsunami.warning")
        assert read(connection, telegrams_own)[0] == "draft", "the telegram's own draft stays as it was"
    assert log_in("saburo").post(f"/staff/alerts/from-incident/{fid}").status_code in (302, 400, 403)


def test_an_unpublished_incidents_words_are_not_put_into_a_message(
    town_database: Database, log_in: LogIn, owner: Engine
) -> None:
    with owner.begin() as connection:
        fid = connection.execute(text(INCIDENT)).scalar_one()
        report = connection.execute(text(REPORT), {"fid": fid}).scalar_one()
        connection.execute(text(SITUATION), {"fid": fid, "report": report})
    hanako = log_in("hanako")
    alert_id = number(press(hanako, "/staff/alerts/new", f"/staff/alerts/from-incident/{fid}"))
    form = hanako.get(f"/staff/alerts/{alert_id}/edit?lang=en").text
    assert "山田" not in form and "{{ message }}" in form and "Fill the blanks" in form


def test_a_template_is_made_of_a_message_edited_used_and_retired(
    log_in: LogIn, quarter: None, owner: Engine, town_database: Database
) -> None:
    hanako = log_in("hanako")
    drill = begin(hanako, status="Exercise")
    alert_id = number(drill)
    page = hanako.get(f"/staff/alerts/templates/new?from={alert_id}").text
    values = fields(page)
    assert "{{ place }}" in values["headline-ja"] and "訓練" not in values["headline-ja"] + values["description-ja"]
    values |= {
        "title": "橋の通行止め",
        "instruction-ja": "{{ detour }}を通ってください。",
        "csrf_token": csrf_token(page),
    }
    refused = hanako.post("/staff/alerts/templates/new", data=values | {"headline-en": ""})
    assert refused.status_code == 400 and "橋の通行止め" in refused.text, "what was typed is kept"
    assert hanako.post("/staff/alerts/templates/new", data=values).status_code == 302
    with owner.begin() as connection:
        own = connection.execute(text("SELECT id FROM alerts.template")).scalar_one()
    assert "橋の通行止め" in hanako.get("/staff/alerts/new").text
    begun = number(begin(hanako, template=f"own:{own}"))
    edit = f"/staff/alerts/{begun}/edit"
    shown = hanako.get(edit).text
    assert "detour" in shown and "試験町" in shown
    held = hanako.post(edit, data=fields(shown) | {"act": "submit"})
    assert held.status_code == 400, "a blank holds it"
    filled = hanako.post(edit, data=fields(shown) | {"act": "save", "blank-detour-ja": "{{ place }}の橋"})
    assert filled.status_code == 302
    assert "{{ place }}の橋を通ってください。" in hanako.get(edit).text.replace("&#39;", "'"), "a value is no template"
    del values["csrf_token"]
    for name in ("hanako", "jiro"):
        client = log_in(name)
        assert press(client, "/staff/alerts/templates", f"/staff/alerts/templates/{own}", **values).status_code == 302
    with owner.begin() as connection:
        assert connection.execute(text("SELECT updated_by FROM alerts.template")).scalar_one() == "jiro"
    press(hanako, "/staff/alerts/templates", f"/staff/alerts/templates/{own}/retire")
    assert "橋の通行止め" not in hanako.get("/staff/alerts/new").text
    assert "使用終了" in hanako.get("/staff/alerts/templates?lang=ja").text
    with pytest.raises(DBAPIError, match="neither alert author"), town_database.begin("dept_disaster", "x") as other:
        other.execute(text("UPDATE alerts.template SET title = 'x'"))


def test_the_words_of_cap_are_chosen_kept_and_written(
    log_in: LogIn, quarter: None, owner: Engine, town_database: Database
) -> None:
    hanako, jiro = log_in("hanako"), log_in("jiro")
    begun = number(begin(hanako))
    edit = f"/staff/alerts/{begun}/edit?lang=en"
    values = fields(hanako.get(edit).text)
    assert values["category"] == "Safety" and values["short-ja"].startswith("【警戒レベル４】避難指示 試験町")
    assert "cannot be read" in hanako.post(edit, data=values | {"web": "javascript:alert(1)", "act": "save"}).text
    chosen = {"category": "Infra", "web": "https://city.example/bridge", "severity": "Minor", "short-en": "x" * 130}
    chosen |= {"effective_at": "2031-05-03T16:05", "expires_at": "2031-05-03T23:05"}
    assert hanako.post(edit, data=values | chosen | {"act": "save"}).status_code == 302
    page = hanako.get(edit).text
    assert "milder than usual" in page and "Too long for a push message" in page
    values = fields(page)
    late = hanako.post(edit, data=values | {"expires_at": "2031-05-03T16:00", "act": "submit"})
    assert late.status_code == 400 and "ends before it takes effect" in late.text
    assert hanako.post(edit, data=fields(hanako.get(edit).text) | {"act": "submit"}).status_code == 302
    with pytest.raises(DBAPIError, match="only as a draft"), town_database.begin("dept_disaster", "jiro") as connection:
        connection.execute(text("UPDATE alerts.alert SET web = 'https://elsewhere.example'"))
    press(jiro, f"/staff/alerts/{begun}", f"/staff/alerts/{begun}/approve")
    cap = etree.fromstring(hanako.get(f"/alerts/{begun}.cap").data)
    space = {"c": "urn:oasis:names:tc:emergency:cap:1.2"}
    assert len(cap.findall("c:info", space)) == 3
    for name, expected in (
        ("category", "Infra"), ("web", "https://city.example/bridge"), ("severity", "Minor"),
        ("effective", "2031-05-03T16:05:00+09:00"), ("expires", "2031-05-03T23:05:00+09:00"),
    ):  # fmt: skip
        assert {element.text for element in cap.findall(f"c:info/c:{name}", space)} == {expected}
    assert 'href="https://city.example/bridge"' in hanako.get(f"/alerts/{begun}").text
    copied = number(press(hanako, f"/staff/alerts/{begun}", f"/staff/alerts/{begun}/copy"))
    with owner.begin() as connection:
        row = connection.execute(
            text("SELECT category, references_id, thread_id, state, ST_IsEmpty(area) FROM alerts.alert WHERE id = :i"),
            {"i": copied},
        ).one()
    assert tuple(row) == ("Infra", None, None, "draft", False)
    answered = press(hanako, f"/staff/alerts/{begun}", f"/staff/alerts/{begun}/answer", answer="update")
    assert "references: <code>machimori-" in hanako.get(f"/staff/alerts/{number(answered)}/edit").text
