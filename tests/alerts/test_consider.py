"""From situations to alerts, on the real database: the course of a tsunami, drills, withdrawals, drafts."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from alerts.approval import approve, submit
from alerts.consider import consider
from alerts.tasks import sweep
from gis.errors import UsageError
from tests.alerts.alert_town import FIRST, MAJOR, QUAKE, SquareTown

Considered = Callable[..., int | None]
TEN = {**MAJOR, "height_m": 10.0, "height_text": "１０ｍ", "arrival_at": None, "arrival_text": "津波到達中と推測"}
OVER = {**TEN, "height_text": "１０ｍ超", "arrival_text": "第１波の到達を確認"}


def minutes(number: int) -> dict[str, Any]:
    return {"reported_at": FIRST + timedelta(minutes=number)}


def alerts(town: SquareTown) -> list[tuple[Any, ...]]:
    rows = town.execute("SELECT msg_type, phase, state, references_id FROM alerts.alert ORDER BY id")
    return [tuple(row) for row in rows]


def test_the_course_of_2011_is_one_alert_two_updates_and_an_all_clear(town: SquareTown, considered: Considered) -> None:
    town.subscribe("a@machimori.example")
    first = considered(MAJOR, phase="issued")
    assert considered({**MAJOR, "observed": []}, telegram="VTSE51", **minutes(1)) is None
    assert considered({**MAJOR, "magnitude_text": "Ｍ８．４"}, **minutes(4)) is None
    second = considered(TEN, **minutes(11))
    assert considered(OVER, telegram="VTSE51", **minutes(12)) is None
    third = considered(OVER, **minutes(23))
    last = considered({"class": "forecast", "area_name": "宮城県"}, level=1, phase="cleared", **minutes(3000))
    assert alerts(town) == [
        ("Alert", "issued", "updated", None),
        ("Update", "updated", "updated", first),
        ("Update", "updated", "updated", second),
        ("Update", "cleared", "sending", third),
    ]
    assert town.execute("SELECT alert_id FROM alerts.delivery ORDER BY id") == [(first,), (second,), (third,), (last,)]
    assert {row[0] for row in town.execute("SELECT coalesce(thread_id, id) FROM alerts.alert")} == {first}


def test_an_automatic_alert_names_its_source_and_its_policy(town: SquareTown, considered: Considered) -> None:
    alert_id = considered(MAJOR)
    steps = town.execute(
        "SELECT state, account, note FROM alerts.alert_step WHERE alert_id = :i ORDER BY id", i=alert_id
    )
    assert [tuple(step)[:2] for step in steps] == [
        ("draft", "machimori_service"),
        ("submitted", "source:jma"),
        ("approved", "policy:VTSE41:5"),
        ("sending", "policy:VTSE41:5"),
    ]
    assert steps[1].note.startswith("VTSE41 2011-03-11T14:49")
    assert steps[2].note == "大津波警報（一刻を争う）"


def test_sending_is_enqueued_with_the_alert(town: SquareTown, considered: Considered) -> None:
    alert_id = considered(MAJOR)
    jobs = town.execute("SELECT task_name, args->>'alert_id' FROM queue.procrastinate_jobs")
    assert jobs == [("alerts.send", str(alert_id))]


def test_considering_the_same_situation_again_does_nothing(town: SquareTown) -> None:
    situation_id = town.situation(MAJOR)

    def run(_: int) -> int | None:
        with town.database.begin("machimori_service") as connection:
            return consider(connection, situation_id)

    with ThreadPoolExecutor(4) as pool:
        made = [alert_id for alert_id in pool.map(run, range(8)) if alert_id]
    assert len(made) == 1
    assert len(alerts(town)) == 1


@pytest.mark.parametrize("status", ["Exercise", "Test"])
def test_a_drill_reaches_the_drill_list_only_and_says_so(town: SquareTown, considered: Considered, status: str) -> None:
    town.subscribe("all@machimori.example")
    town.subscribe("drill@machimori.example", is_drill=True)
    alert_id = considered(MAJOR, status=status)
    assert town.execute("SELECT address FROM alerts.delivery") == [("drill@machimori.example",)]
    assert town.scalar("SELECT cap_status FROM alerts.alert WHERE id = :i", i=alert_id) == status
    headlines = town.execute("SELECT headline FROM alerts.alert_text ORDER BY language")
    mark = {"Exercise": ("DRILL", "訓練"), "Test": ("TEST", "試験")}[status]
    assert all(any(word in row.headline for word in mark) for row in headlines)


def test_a_drill_never_touches_a_real_incident(town: SquareTown, considered: Considered) -> None:
    real = considered(MAJOR, incident_fid=1)
    drill = considered(MAJOR, incident_fid=2, status="Exercise", phase="issued", **minutes(1))
    considered({}, incident_fid=2, status="Exercise", phase="withdrawn", level=0, **minutes(2))
    assert town.scalar("SELECT state FROM alerts.alert WHERE id = :i", i=real) == "sending"
    assert town.scalar("SELECT state FROM alerts.alert WHERE id = :i", i=drill) == "cancelled"


def test_a_withdrawal_goes_to_who_got_the_original_with_its_area(town: SquareTown, considered: Considered) -> None:
    for name in ("got", "waits", "left"):
        town.subscribe(f"{name}@machimori.example")
    first = considered(MAJOR)
    town.execute("UPDATE alerts.delivery SET state = 'accepted' WHERE address LIKE 'got%' OR address LIKE 'left%'")
    town.execute("UPDATE alerts.subscriber SET state = 'unsubscribed' WHERE email LIKE 'left%'")
    town.subscribe("new@machimori.example")
    town.execute("UPDATE layers.city_area SET geom = ST_Translate(geom, 1, 0)")
    cancel = considered({}, phase="withdrawn", level=0, **minutes(5))
    row = town.execute("SELECT msg_type, level, event, references_id FROM alerts.alert WHERE id = :i", i=cancel)[0]
    assert tuple(row) == ("Cancel", 5, "tsunami.major_warning", first)
    assert town.scalar("SELECT count(DISTINCT ST_AsBinary(area)) FROM alerts.alert") == 1
    deliveries = town.execute("SELECT alert_id, address, state FROM alerts.delivery ORDER BY alert_id, address")
    assert deliveries == [
        (first, "got@machimori.example", "accepted"),
        (first, "left@machimori.example", "accepted"),
        (first, "waits@machimori.example", "suppressed"),
        (cancel, "got@machimori.example", "pending"),
    ]


def test_an_update_goes_to_who_got_the_original_and_to_who_is_newly_inside(
    town: SquareTown, considered: Considered
) -> None:
    moved = town.subscribe("moved@machimori.example")
    considered(MAJOR)
    town.execute("UPDATE alerts.place SET plane = ST_Translate(plane, 90000, 0) WHERE subscriber_id = :s", s=moved)
    town.subscribe("new@machimori.example")
    town.subscribe("outside@machimori.example", lon=142.0)
    update = considered(TEN, **minutes(11))
    rows = town.execute(
        "SELECT address, place_names FROM alerts.delivery WHERE alert_id = :i ORDER BY address", i=update
    )
    assert rows == [("moved@machimori.example", []), ("new@machimori.example", ["自宅"])]


def test_a_lower_warning_waits_as_a_draft_that_follows_the_facts(town: SquareTown, considered: Considered) -> None:
    warning = {**MAJOR, "class": "warning", "height_m": 3.0, "height_text": "３ｍ"}
    draft = considered(warning, level=4)
    assert considered({**warning, "magnitude_text": "Ｍ８．４"}, level=4, **minutes(2)) == draft
    assert alerts(town) == [("Alert", "issued", "draft", None)]
    assert town.scalar("SELECT facts->>'magnitude_text' FROM alerts.alert") == "Ｍ８．４"
    assert town.scalar("SELECT count(*) FROM alerts.delivery") == 0


def test_a_draft_becomes_the_automatic_alert_when_it_gets_worse(town: SquareTown, considered: Considered) -> None:
    draft = considered({**MAJOR, "class": "warning"}, level=4)
    assert considered(MAJOR, level=5, **minutes(3)) == draft
    assert alerts(town) == [("Alert", "issued", "sending", None)]
    assert town.scalar("SELECT event FROM alerts.alert_text WHERE language = 'ja'") == "大津波警報"


def test_what_somebody_submitted_is_not_changed_but_overtaken(town: SquareTown, considered: Considered) -> None:
    draft = considered({**MAJOR, "class": "warning"}, level=4)
    assert draft
    with town.database.begin("dept_disaster", account="sato") as connection:
        submit(connection, draft, "sato")
    other = considered(MAJOR, level=5, **minutes(3))
    assert other != draft
    assert alerts(town) == [("Alert", "issued", "discarded", None), ("Alert", "issued", "sending", None)]


def test_a_draft_that_was_withdrawn_is_discarded_and_nobody_hears_of_it(
    town: SquareTown, considered: Considered
) -> None:
    town.subscribe("a@machimori.example")
    draft = considered({**MAJOR, "class": "warning"}, level=4)
    assert draft
    with town.database.begin("dept_disaster", account="sato") as connection:
        submit(connection, draft, "sato")
    considered({}, phase="withdrawn", level=0, **minutes(1))
    assert alerts(town) == [("Alert", "issued", "discarded", None)]
    assert town.scalar("SELECT count(*) FROM alerts.delivery") == 0
    with (
        town.database.begin("dept_disaster", account="ito") as connection,
        pytest.raises(UsageError, match="discarded"),
    ):
        approve(connection, draft, "ito")


def test_the_intensity_flash_and_the_details_are_one_draft_with_the_towns_intensity(
    town: SquareTown, considered: Considered
) -> None:
    draft = considered(QUAKE, kind="earthquake", telegram="VXSE51")
    later = QUAKE | {"city_intensity": "6+", "hypocenter": "三陸沖"}
    assert considered(later, kind="earthquake", telegram="VXSE53", **minutes(5)) == draft
    assert alerts(town) == [("Alert", "issued", "draft", None)]
    description = town.scalar("SELECT description FROM alerts.alert_text WHERE language = 'ja'")
    assert "東松島市で震度6強" in description and "三陸沖" in description


def test_a_late_report_becomes_a_draft(town: SquareTown, considered: Considered) -> None:
    considered(MAJOR, is_fresh=False)
    assert alerts(town) == [("Alert", "issued", "draft", None)]


def test_a_town_without_a_boundary_is_said_with_the_cure(town: SquareTown, considered: Considered) -> None:
    town.execute("DELETE FROM layers.city_area")
    with pytest.raises(UsageError, match="city_area has no municipality 04214"):
        considered(MAJOR)
    assert alerts(town) == []


def test_what_went_out_stays_as_it_was_when_the_town_changes(town: SquareTown, considered: Considered) -> None:
    alert_id = considered(MAJOR)
    before = town.scalar("SELECT ST_AsText(area) FROM alerts.alert WHERE id = :i", i=alert_id)
    town.execute("UPDATE layers.city_area SET geom = ST_Translate(geom, 1, 0), name = 'x'")
    assert town.scalar("SELECT ST_AsText(area) FROM alerts.alert WHERE id = :i", i=alert_id) == before
    with pytest.raises(Exception, match="frozen"):
        town.execute("UPDATE alerts.alert_text SET headline = 'x' WHERE alert_id = :i", i=alert_id)


def test_every_decision_is_kept_with_its_reason(town: SquareTown, considered: Considered) -> None:
    first = considered(MAJOR)
    considered(MAJOR, telegram="VTSE51", **minutes(1))
    rows = town.execute("SELECT step, alert_id, reason FROM alerts.decision ORDER BY situation_id")
    assert [tuple(row)[:2] for row in rows] == [("send", first), ("nothing", None)]
    assert rows[1].reason == "nothing new for the town"


def test_a_situation_whose_job_was_lost_is_found_and_decided(town: SquareTown, considered: Considered) -> None:
    old = town.situation(MAJOR)
    lost = town.situation(TEN, **minutes(11))
    fresh = town.situation(MAJOR, incident_fid=2)
    town.execute("UPDATE ingest.situation SET created_at = now() - interval '1 minute' WHERE id <> :i", i=fresh)
    sweep()
    jobs = town.execute("SELECT args FROM queue.procrastinate_jobs WHERE task_name = 'alerts.consider'")
    assert [row.args for row in jobs] == [{"situation_id": lost}]
    with town.database.begin("machimori_service") as connection:
        assert consider(connection, lost) is not None
        assert consider(connection, old) is None
        connection.execute(text("DELETE FROM queue.procrastinate_jobs"))
    sweep()
    assert town.execute("SELECT 1 FROM queue.procrastinate_jobs WHERE task_name = 'alerts.consider'") == []


def test_an_incident_that_was_joined_into_another_or_held_back_warns_nobody(
    town: SquareTown, considered: Considered
) -> None:
    town.subscribe("a@machimori.example")
    insert = (
        "INSERT INTO layers.incident (kind, status, event_key, publication, level, geom)"
        " VALUES ('tsunami', 'Actual', :key, :key, 5, ST_SetSRID(ST_MakePoint(141.2, 38.4), 6668)) RETURNING fid"
    )
    for publication in ("merged", "held", "rejected"):
        fid = town.scalar(insert, key=publication)
        assert considered(MAJOR, incident_fid=fid) is None
    assert alerts(town) == []
    reasons = town.execute("SELECT reason FROM alerts.decision ORDER BY situation_id")
    assert reasons[0][0] == "the incident is part of another"
    assert considered(MAJOR, incident_fid=town.scalar(insert, key="published")) is not None
