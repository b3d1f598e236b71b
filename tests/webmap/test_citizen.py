from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from gis.database import CITIZEN, Database
from tests.ingest.telegrams import forecast, telegram
from tests.webmap.conftest import HUGE, Send


def latest_alert(database: Database) -> int:
    with database.begin(CITIZEN) as connection:
        return int(connection.execute(text("SELECT max(id) FROM open.alert")).scalar_one())


def incident(database: Database, kind: str) -> int:
    with database.begin(CITIZEN) as connection:
        sql = text("SELECT fid FROM open.incident WHERE kind = :kind")
        return int(connection.execute(sql, {"kind": kind}).scalar_one())


def test_an_empty_board_says_that_nothing_is_going_on(database: Database, client: FlaskClient) -> None:
    page = client.get("/list?lang=en").text
    assert "No warnings are in force." in page
    assert "Nothing is going on." in page


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ja", ("大津波警報", "震度6強", "10 mを超える")),
        ("en", ("Major tsunami warning", "intensity 6 upper", "over 10 m")),
        ("ja-x-easy", ("大津波警報（おおつなみけいほう）",)),
    ],
)
def test_the_board_tells_warning_and_incidents(
    warned_town: Database, client: FlaskClient, language: str, words: tuple[str, ...]
) -> None:
    page = client.get(f"/list?lang={language}").text
    for word in words:
        assert word in page


@pytest.mark.parametrize("path", ["/", "/list", "/shelters", "/nothing-here"])
def test_a_real_warning_of_level_5_stands_above_every_page(
    warned_town: Database, client: FlaskClient, path: str
) -> None:
    page = client.get(f"{path}?lang=ja").text
    assert 'class="banner level-5"' in page
    assert "大津波警報" in page.partition("<header")[0]


def test_a_drill_raises_no_banner_and_is_marked(town_database: Database, send: Send, client: FlaskClient) -> None:
    send(telegram("VTSE41", forecast("52", height=HUGE), status="訓練"))
    page = client.get("/list?lang=ja").text
    assert "banner" not in page
    assert '<strong class="mark drill">訓練</strong>' in page
    fid = incident(town_database, "tsunami")
    assert 'class="drill-bar"' in client.get(f"/incidents/{fid}").text
    assert 'class="drill-bar"' in client.get(f"/alerts/{latest_alert(town_database)}").text


def test_the_banner_goes_when_the_warning_is_lifted(warned_town: Database, send: Send, client: FlaskClient) -> None:
    send(telegram("VTSE41", forecast("50", last="52"), minute=60, event="20310501095701"))
    page = client.get("/list?lang=ja").text
    assert "banner" not in page
    assert "解除" in page


def test_an_incident_shows_what_was_known_when(warned_town: Database, client: FlaskClient) -> None:
    page = client.get(f"/incidents/{incident(warned_town, 'tsunami')}?lang=en").text
    newest, before = page.index("over 10 m", page.index("timeline")), page.index("HUGE", page.index("timeline"))
    assert newest < before, "the newest comes first"
    assert "鮎川" in page


def test_an_earthquake_without_a_word_about_a_tsunami_has_a_page(warned_town: Database, client: FlaskClient) -> None:
    page = client.get(f"/incidents/{incident(warned_town, 'earthquake')}?lang=en")
    assert page.status_code == 200
    assert "Expected tsunami height" not in page.text
    assert "intensity 6 upper" in page.text


def test_an_alert_shows_all_languages_and_leads_with_the_readers(warned_town: Database, client: FlaskClient) -> None:
    page = client.get(f"/alerts/{latest_alert(warned_town)}?lang=en").text
    places = [page.index(f'<article class="message{more}" lang="{tag}"') for tag, more in
              (("en", " level-5"), ("ja", ""), ("ja-x-easy", ""))]  # fmt: skip
    assert places == sorted(places)


def test_a_replaced_alert_says_so_and_leads_to_the_newest(warned_town: Database, client: FlaskClient) -> None:
    newest = latest_alert(warned_town)
    page = client.get(f"/alerts/{newest - 1}?lang=en").text
    assert "no longer in force" in page
    assert f'<a href="/alerts/{newest}">To the newest message</a>' in page


def test_an_alert_is_also_cap(warned_town: Database, client: FlaskClient) -> None:
    answer = client.get(f"/alerts/{latest_alert(warned_town)}.cap")
    assert answer.mimetype == "application/cap+xml"
    assert answer.data.startswith(b"<?xml") and b"urn:oasis:names:tc:emergency:cap:1.2" in answer.data
    relayed = client.get(f"/alerts/{latest_alert(warned_town)}/l-alert.xml")
    assert relayed.mimetype == "application/xml" and b"urn:machimori:l-alert:1" in relayed.data


@pytest.mark.parametrize(
    "path",
    ["/alerts/999", "/alerts/999.cap", "/alerts/999/l-alert.xml", "/incidents/999", "/incidents/999.geojson", "/x"],
)
def test_what_is_not_there_is_404_in_the_readers_language(database: Database, client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers={"Accept-Language": "en"})
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


def test_a_held_incident_is_seen_nowhere(warned_town: Database, client: FlaskClient, database: Database) -> None:
    fid = incident(warned_town, "earthquake")
    with database.begin("machimori_service") as connection:
        connection.execute(text("UPDATE layers.incident SET publication = 'held' WHERE fid = :fid"), {"fid": fid})
    assert client.get(f"/incidents/{fid}").status_code == 404
    assert "震度6強" not in client.get("/list?lang=ja").text
    with database.begin(CITIZEN) as connection:
        assert connection.execute(text("SELECT count(*) FROM open.timeline(:fid)"), {"fid": fid}).scalar_one() == 0


def test_the_site_table_filters_by_hazard(town_database: Database, client: FlaskClient) -> None:
    with town_database.begin(CITIZEN) as connection:
        rows = connection.execute(text("SELECT name, tsunami FROM open.evacuation_site")).all()
    page = client.get("/shelters?hazard=tsunami&lang=en").text
    safe = [row.name for row in rows if row.tsunami]
    assert f"({len(safe)})" in page
    assert 0 < len(safe) < len(rows)
    assert page.count('<td class="flag">') == 8 * len(safe)


def test_an_unknown_hazard_is_the_readers_mistake(database: Database, client: FlaskClient) -> None:
    answer = client.get("/shelters?hazard=dragons&lang=en")
    assert answer.status_code == 400
    assert "There is no hazard “dragons”." in answer.text


def test_invented_places_are_labelled(town_database: Database, client: FlaskClient) -> None:
    assert "これはデモです" in client.get("/list?lang=ja").text
    assert "デモ" in client.get("/shelters?lang=ja").text.partition("<tbody>")[2]


def test_the_map_page_asks_no_other_host_for_scripts_and_lets_people_zoom(
    town_database: Database, client: FlaskClient
) -> None:
    answer = client.get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self' 'nonce-" in policy and "unsafe" not in policy
    assert "user-scalable" not in answer.text and "maximum-scale" not in answer.text
    assert "cdn" not in answer.text.lower() and "unpkg" not in answer.text
    assert "style=" not in answer.text, "an inline style would be blocked"


def test_two_answers_have_two_nonces(town_database: Database, client: FlaskClient) -> None:
    policies = {client.get("/").headers["Content-Security-Policy"] for _ in range(2)}
    assert len(policies) == 2
