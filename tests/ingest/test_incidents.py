from datetime import datetime

import pytest

from gis.database import SERVICE
from ingest.jma.xml import JST
from ingest.overview import list_dead_letters, list_sources
from tests.ingest.telegrams import forecast, observation, shaking, telegram

HYPOCENTER = "+38.0+142.9-10000/"
WITHDRAWAL = telegram("VTSE41", "<Text>取り消します。</Text>", minute=5, action="取消")


@pytest.fixture
def incident(rows):
    def one():
        (row,) = rows("SELECT *, ST_AsText(geom) AS wkt, ST_GeometryType(geom) AS type FROM layers.incident")
        return row

    return one


def test_a_tsunami_warning_becomes_a_published_incident(receive_jma, incident):
    receive_jma(telegram("VTSE41", forecast("53", name="大津波警報：発表")))
    row = incident()
    assert (row["kind"], row["status"], row["state"], row["publication"]) == ("tsunami", "Actual", "open", "published")
    assert (row["level"], row["event"]) == (5, "tsunami.major_warning")
    assert row["tsunami_height_m"] == 5.0
    assert row["tsunami_arrival_at"] == datetime(2031, 5, 1, 10, 30, tzinfo=JST)
    assert row["magnitude"] == 7.4
    assert row["source"] == "気象庁"
    assert row["headline"] == "VTSE41 0分の見出し"


def test_a_giant_height_is_no_number(receive_jma, incident):
    height = '<eb:TsunamiHeight description="巨大">NaN</eb:TsunamiHeight>'
    receive_jma(telegram("VTSE41", forecast("53", height=height)))
    assert incident()["tsunami_height_m"] is None
    assert incident()["tsunami_height_text"] == "巨大"


def test_a_tsunami_lies_on_the_town(receive_jma, rows, town_database):
    receive_jma(telegram("VTSE41", forecast("53")))
    query = "SELECT ST_Equals(i.geom, c.geom) AS same FROM layers.incident i, layers.city_area c WHERE c.code = '04214'"
    assert rows(query) == [{"same": True}]


def test_without_a_boundary_it_lies_on_the_towns_extent(receive_jma, incident):
    receive_jma(telegram("VTSE41", forecast("53")))
    assert incident()["type"] == "ST_MultiPolygon"


def test_an_earthquake_stands_on_its_hypocentre_once_that_is_known(receive_jma, incident):
    receive_jma(telegram("VXSE51", shaking(area="5+")))
    assert incident()["type"] == "ST_Point"
    assert incident()["accuracy_m"] == 100_000
    receive_jma(telegram("VXSE53", shaking("5+", position=HYPOCENTER), minute=3))
    assert incident()["wkt"] == "POINT(142.9 38)"
    assert incident()["accuracy_m"] < 10_000
    assert (incident()["city_intensity"], incident()["max_intensity"]) == ("5+", "7")
    assert incident()["depth_m"] == 10_000


def test_earthquake_and_tsunami_of_one_event_are_two_incidents(receive_jma, rows):
    receive_jma(telegram("VXSE51", shaking(area="5+")), telegram("VTSE41", forecast("52")))
    assert {row["kind"] for row in rows("SELECT kind FROM layers.incident")} == {"earthquake", "tsunami"}


def test_a_drill_never_touches_the_real_incident(receive_jma, rows):
    receive_jma(
        telegram("VTSE41", forecast("52")),
        telegram("VTSE41", forecast("60", last="52"), minute=1, status="訓練"),
        telegram("VTSE41", "<Text/>", minute=2, status="訓練", action="取消"),
    )
    states = {row["status"]: row["state"] for row in rows("SELECT status, state FROM layers.incident")}
    assert states == {"Actual": "open", "Exercise": "cancelled"}


def test_nothing_about_the_town_makes_no_incident_but_a_report(receive_jma, rows):
    receive_jma(telegram("VTSE41", forecast("52", area="250")))
    assert rows("SELECT 1 FROM layers.incident") == []
    assert rows("SELECT concerns_town, incident_fid FROM ingest.report") == [
        {"concerns_town": False, "incident_fid": None}
    ]


def test_each_report_leaves_a_line_in_the_timeline_and_a_job(receive_jma, rows):
    receive_jma(
        telegram("VTSE41", forecast("51")),
        telegram("VTSE41", forecast("52", last="51"), minute=1),
        telegram("VTSE51", forecast("52", observed=observation(3.0)), minute=2),
        telegram("VTSE41", forecast("72", last="62"), minute=3),
    )
    lines = rows("SELECT telegram, phase, level FROM ingest.situation ORDER BY id")
    assert [tuple(line.values()) for line in lines] == [
        ("VTSE41", "issued", 4), ("VTSE41", "updated", 5), ("VTSE51", "updated", 5), ("VTSE41", "cleared", 1),
    ]  # fmt: skip
    jobs = rows("SELECT task_name, lock, args FROM queue.procrastinate_jobs ORDER BY id")
    situations = [row["id"] for row in rows("SELECT id FROM ingest.situation ORDER BY id")]
    (fid,) = [row["fid"] for row in rows("SELECT fid FROM layers.incident")]
    assert [job["args"]["situation_id"] for job in jobs] == situations
    assert {(job["task_name"], job["lock"]) for job in jobs} == {("alerts.consider", f"incident:{fid}")}


def test_facts_hold_what_the_alert_side_needs(receive_jma, rows):
    receive_jma(telegram("VTSE51", forecast("53", name="大津波警報：発表", observed=observation(3.0))))
    ((facts,),) = [row.values() for row in rows("SELECT facts FROM ingest.situation")]
    expected = {
        "class": "major_warning", "class_name": "大津波警報", "area_code": "220", "area_name": "宮城県",
        "height_m": 5.0, "height_text": "５ｍ", "height_rank": 500,
        "arrival_at": "2031-05-01T10:30:00+09:00", "arrival_text": "",
        "magnitude": 7.4, "magnitude_text": "Ｍ７．４", "hypocenter": "三陸沖",
        "origin_at": "2031-05-01T09:57:00+09:00",
    }  # fmt: skip
    assert {name: facts[name] for name in expected} == expected
    assert facts["observed"][0]["height_m"] == 3.0


def test_a_withdrawal_cancels_and_is_linked(receive_jma, incident, rows):
    receive_jma(telegram("VTSE41", forecast("62")), WITHDRAWAL)
    assert incident()["state"] == "cancelled"
    assert incident()["level"] == 0
    assert incident()["resolved_at"] is not None
    assert rows("SELECT phase, text FROM ingest.situation ORDER BY id DESC LIMIT 1") == [
        {"phase": "withdrawn", "text": "取り消します。"}
    ]
    assert len(rows("SELECT 1 FROM ingest.report WHERE concerns_town AND incident_fid IS NOT NULL")) == 2


def test_a_withdrawal_of_nothing_is_no_incident(receive_jma, rows):
    receive_jma(WITHDRAWAL)
    assert rows("SELECT 1 FROM layers.incident") == []


def test_a_warning_that_comes_after_its_withdrawal_warns_nobody(receive_jma, incident, rows):
    receive_jma(WITHDRAWAL, telegram("VTSE41", forecast("52")))
    assert incident()["state"] == "cancelled"
    (job,) = rows("SELECT args FROM queue.procrastinate_jobs")
    (line,) = rows("SELECT phase FROM ingest.situation WHERE id = :id", id=job["args"]["situation_id"])
    assert line["phase"] == "withdrawn"


def test_a_late_report_takes_its_place_in_the_past_and_changes_nothing_now(receive_jma, incident, rows):
    receive_jma(telegram("VTSE41", forecast("52"), minute=9))
    version = incident()["version"]
    receive_jma(telegram("VTSE41", forecast("62"), minute=1))
    assert incident()["level"] == 5
    assert incident()["reported_at"] == datetime(2031, 5, 1, 10, 9, tzinfo=JST)
    lines = rows("SELECT level FROM ingest.situation ORDER BY reported_at")
    assert [line["level"] for line in lines] == [2, 5]
    assert len(rows("SELECT 1 FROM queue.procrastinate_jobs")) == 1
    assert incident()["version"] <= version + 1


def test_a_late_report_that_changes_the_present_is_told(receive_jma, rows):
    receive_jma(
        telegram("VXSE51", shaking(area="4")),
        telegram("VXSE61", shaking(position="+38.1+142.8-20000/"), minute=9),
        telegram("VXSE53", shaking("6+", position=HYPOCENTER), minute=3),
    )
    lines = rows("SELECT level, reported_at FROM ingest.situation ORDER BY id")
    assert lines[-1] == {"level": 5, "reported_at": datetime(2031, 5, 1, 10, 9, tzinfo=JST)}


def test_a_moderators_decision_stays(receive_jma, incident, database, rows):
    receive_jma(telegram("VTSE41", forecast("52")))
    with database.begin(SERVICE) as connection:
        connection.exec_driver_sql("UPDATE layers.incident SET publication = 'held'")
    receive_jma(telegram("VTSE41", forecast("51"), minute=1))
    assert (incident()["publication"], incident()["level"]) == ("held", 4)


def test_a_report_that_adds_nothing_leaves_no_new_version_of_the_incident(receive_jma, incident):
    receive_jma(telegram("VTSE41", forecast("52")))
    version = incident()["version"]
    receive_jma(telegram("VTSE41", forecast("62", area="250"), minute=5))
    assert incident()["version"] == version


def test_the_history_names_the_source(receive_jma, rows):
    receive_jma(telegram("VTSE41", forecast("52")))
    (change,) = rows("SELECT c.account FROM gis.changeset c JOIN history.incident h ON h.changeset = c.id")
    assert change["account"] == "source:jma"


def test_the_overview_counts_and_shows_reasons(receive_jma, database):
    receive_jma(telegram("VTSE41", forecast("52")), b"<broken")
    with database.begin(SERVICE) as connection:
        sources, letters = list_sources(connection), list_dead_letters(connection)
    (jma,) = [source for source in sources if source.name == "jma"]
    assert (jma.documents, jma.reports, jma.rejected, jma.health) == (2, 1, 1, "good")
    assert "not XML" in letters[0].reason


def test_what_came_in_is_all_accounted_for(receive_jma, database):
    """Read = incidents + updates + about other places + rejected: nothing is dropped silently."""
    receive_jma(telegram("VTSE41", forecast("52")), b"<broken")
    receive_jma(telegram("VTSE41", forecast("51"), minute=5))
    receive_jma(telegram("VTSE41", forecast("52", area="250"), event="20310501093000"))
    with database.begin(SERVICE) as connection:
        (jma,) = [source for source in list_sources(connection) if source.name == "jma"]
    assert (jma.records, jma.incidents, jma.updates, jma.elsewhere, jma.rejected) == (4, 1, 1, 1, 1)


def test_a_source_that_brought_nothing_never_ran(database):
    with database.begin(SERVICE) as connection:
        (jma,) = [source for source in list_sources(connection) if source.name == "jma"]
    assert jma.health == "never_ran"
