"""Warnings that run on, as incidents in the database: one row per time that the town was under them."""

import pytest
from sqlalchemy import text

from gis import jobs
from gis.database import SERVICE
from ingest.reports import load_running
from ingest.tasks import close_quiet_incidents
from tests.ingest.telegrams import forecast, shaking, telegram
from tests.ingest.weather_telegrams import (
    BEGIN,
    NOTHING,
    RAIN_ADVISORY,
    RAIN_DANGER,
    RAIN_LIFTED,
    RAIN_WARNING,
    in_force,
    rain,
    warning_telegram,
)

TORNADO = in_force(("竜巻注意情報", "1", "発表"))


@pytest.fixture
def incidents(rows):
    columns = "fid, kind, state, level, event, headline, event_key, publication, resolved_at, version"
    return lambda: rows(f"SELECT {columns} FROM layers.incident ORDER BY occurred_at, fid")


def test_each_time_the_town_is_under_a_warning_is_an_incident(receive_jma, incidents, rows):
    receive_jma(
        rain(NOTHING), rain(RAIN_ADVISORY, 1), rain(RAIN_DANGER, 2), rain(RAIN_LIFTED, 5), rain(NOTHING, 6),
        rain(RAIN_WARNING, 30),
    )  # fmt: skip
    first, second = incidents()
    assert (first["kind"], first["state"], first["event"]) == ("weather", "resolved", "weather.heavy_rain.none")
    assert (second["state"], second["level"], second["publication"]) == ("open", 3, "published")
    assert second["headline"] == "レベル３大雨警報（東松島市）"
    assert first["event_key"] == "jma:heavy_rain:仙台管区気象台:Actual:20310831T2200Z"
    lines = rows(
        "SELECT incident_fid, telegram, phase, level, facts->>'event' AS event FROM ingest.situation ORDER BY id"
    )
    assert [(line["incident_fid"] == first["fid"], line["phase"], line["level"]) for line in lines] == [
        (True, "issued", 2), (True, "updated", 4), (True, "cleared", 0), (False, "issued", 3),
    ]  # fmt: skip
    assert lines[1]["event"] == "weather.heavy_rain.danger_warning"
    assert len(rows("SELECT 1 FROM queue.procrastinate_jobs WHERE task_name = 'alerts.consider'")) == 4
    assert len(rows("SELECT 1 FROM ingest.report WHERE incident_fid IS NULL")) == 2


def test_an_older_incident_is_not_touched_by_the_next_one(receive_jma, incidents):
    receive_jma(rain(RAIN_WARNING), rain(RAIN_LIFTED, 1), rain(RAIN_WARNING, 9))
    before = incidents()[0]
    receive_jma(rain(RAIN_DANGER, 10), rain(RAIN_LIFTED, 11), rain(RAIN_ADVISORY, 20), rain(RAIN_LIFTED, 21))
    assert incidents()[0] == before
    assert [row["state"] for row in incidents()] == ["resolved"] * 3


def test_backwards_the_incidents_are_the_same(receive_jma, incidents):
    telegrams = [rain(RAIN_ADVISORY, 1), rain(RAIN_LIFTED, 5), rain(RAIN_WARNING, 30), rain(RAIN_DANGER, 31)]
    receive_jma(*reversed(telegrams))
    assert [(row["state"], row["level"]) for row in incidents()] == [("resolved", 0), ("updated", 4)]


def test_two_incidents_that_turn_out_to_be_one_are_one(receive_jma, incidents):
    receive_jma(rain(RAIN_WARNING), rain(RAIN_LIFTED, 1), rain(RAIN_DANGER, 3), rain("<Text/>", 2, action="取消"))
    assert [(row["state"], row["level"]) for row in incidents()] == [("updated", 4), ("cancelled", 0)]


def test_a_drill_and_another_hazard_have_incidents_of_their_own(receive_jma, incidents):
    receive_jma(
        rain(RAIN_WARNING),
        rain(RAIN_LIFTED, 1, status="訓練"),
        warning_telegram("VPWW58", in_force(("暴風警報", "05", "発表")), hour=1),
        warning_telegram("VPWW56", in_force(("レベル３土砂災害警報", "09", "発表")), hour=1),
    )
    assert [(row["event"], row["state"]) for row in incidents()] == [
        ("weather.heavy_rain.warning", "open"), ("weather.wind.warning", "open"), ("landslide.warning", "open"),
    ]  # fmt: skip


def test_an_earthquake_is_resolved_a_day_after_the_last_report_arrived(
    receive_jma, incidents, rows, database, owner, settings
):
    jobs.set_context(database, settings)
    receive_jma(telegram("VXSE51", shaking(area="5+")), telegram("VTSE41", forecast("52")))
    close_quiet_incidents()
    assert [row["state"] for row in incidents()] == ["open", "open"]
    with owner.begin() as connection:
        for table in ("ingest.situation", "ingest.report"):
            connection.execute(text(f"UPDATE {table} SET created_at = created_at - interval '25 hours'"))
    close_quiet_incidents()
    assert {row["kind"]: row["state"] for row in incidents()} == {"earthquake": "resolved", "tsunami": "open"}
    (change,) = rows("SELECT account, reason FROM gis.changeset WHERE account = 'clock'")
    assert "24 hours" in change["reason"]
    receive_jma(telegram("VXSE53", shaking("5+", position="+38.0+142.9-10000/"), minute=30))
    assert {row["kind"]: row["state"] for row in incidents()}["earthquake"] == "updated"


def test_a_notice_is_resolved_when_its_time_is_over(receive_jma, incidents, database, owner, settings):
    jobs.set_context(database, settings)
    receive_jma(warning_telegram("VPHW50", TORNADO))
    close_quiet_incidents()
    assert [row["state"] for row in incidents()] == ["open"]
    with owner.begin() as connection:
        passed = "jsonb_set(facts, '{valid_until}', '\"2020-01-01T00:00:00+09:00\"')"
        connection.execute(text(f"UPDATE ingest.situation SET facts = {passed}"))
    close_quiet_incidents()
    assert [(row["state"], row["resolved_at"].year) for row in incidents()] == [("resolved", 2020)]


def test_a_quiet_day_resolves_nothing_and_leaves_no_changeset(database, settings, rows):
    jobs.set_context(database, settings)
    close_quiet_incidents()
    assert rows("SELECT 1 FROM gis.changeset WHERE account = 'clock'") == []


def test_only_what_is_near_is_loaded(receive_jma, database):
    receive_jma(*(rain(RAIN_WARNING if hour % 2 else RAIN_LIFTED, hour) for hour in range(1, 13)))
    key = "jma:heavy_rain:仙台管区気象台:Actual"
    with database.begin(SERVICE) as connection:
        loaded = load_running(connection, key, BEGIN.replace(hour=23))
    assert len(loaded) == 2


def test_a_series_that_never_spoke_of_the_town_is_not_loaded(receive_jma, database, rows):
    receive_jma(*(rain(NOTHING, hour) for hour in range(5)))
    assert len(rows("SELECT 1 FROM ingest.report")) == 5
    with database.begin(SERVICE) as connection:
        assert load_running(connection, "jma:heavy_rain:仙台管区気象台:Actual", BEGIN.replace(hour=23)) == {}
