"""Warnings of the weather on the citizen's pages, and as drafts of the disaster office."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from gis.database import CITIZEN, SERVICE, Database
from tests.ingest.weather_telegrams import RAIN_ADVISORY, RAIN_DANGER, RAIN_LIFTED, in_force, rain, warning_telegram
from tests.webmap.conftest import Send
from webmap.wording import event_name


def only_incident(database: Database) -> int:
    with database.begin(CITIZEN) as connection:
        return int(connection.execute(text("SELECT fid FROM open.incident")).scalar_one())


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ja", "大雨危険警報"),
        ("en", "Heavy Rain Danger Warning (level 4)"),
        ("ja-x-easy", "大雨（おおあめ）の 危険警報"),
    ],
)
def test_a_warning_is_on_the_board_and_has_a_page_under_its_own_name(
    town_database: Database, send: Send, client: FlaskClient, language: str, words: str
) -> None:
    send(rain(RAIN_ADVISORY), rain(RAIN_DANGER, 1))
    assert words in client.get(f"/list?lang={language}").text
    page = client.get(f"/incidents/{only_incident(town_database)}?lang={language}").text
    assert words in page
    assert "sunami" not in page.partition("<main")[2].partition("<h2")[0]


def test_a_warning_is_no_tsunami_warning_in_the_timeline(
    town_database: Database, send: Send, client: FlaskClient
) -> None:
    send(warning_telegram("VPWW56", in_force(("レベル３土砂災害警報", "09", "発表"))))
    page = client.get(f"/incidents/{only_incident(town_database)}?lang=en").text
    timeline = page[page.index('class="timeline"') :]
    assert "Landslide Warning (level 3)" in timeline
    assert "Tsunami warning" not in timeline


def test_from_the_telegram_to_a_draft_that_goes_when_the_warning_is_lifted(town_database: Database, send: Send) -> None:
    states = []
    for telegram in (rain(RAIN_ADVISORY), rain(RAIN_DANGER, 1), rain(RAIN_LIFTED, 5)):
        send(telegram)
        with town_database.begin(SERVICE) as connection:
            rows = connection.execute(text("SELECT state, event FROM alerts.alert")).all()
            states.append([tuple(row) for row in rows])
    assert states == [
        [],
        [("draft", "weather.heavy_rain.danger_warning")],
        [("discarded", "weather.heavy_rain.danger_warning")],
    ]


def test_an_event_that_no_catalogue_knows_has_the_name_of_its_kind() -> None:
    assert event_name("flood", "flood") == event_name(None, "flood") == event_name("flood.whatever.new", "flood")
    assert event_name("evacuation.order", "flood") == event_name(None, "flood"), "a catalogue that is not there"
