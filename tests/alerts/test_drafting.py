"""What people write: two of them send it, blanks and doubtful areas are held back, also from SQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import shapely
from sqlalchemy.exc import DBAPIError

from alerts.approval import approve, submit
from alerts.areas import Area, Piece, combine, compose_area, polygons_of, read_drawn
from alerts.catalogue import JST
from alerts.drafting import (
    Answer,
    Draft,
    StaleDraft,
    answer_alert,
    plan_draft,
    save_draft,
    set_area,
    take_back,
    write_draft,
)
from alerts.templates import fill_template, load_templates
from gis.errors import UsageError
from gis.languages import LANGUAGES
from gis.town import load_town
from tests.alerts.alert_town import FIRST, MAJOR, SquareTown

BOW_TIE = '{"type":"Polygon","coordinates":[[[141.2,38.4],[141.21,38.41],[141.21,38.4],[141.2,38.41],[141.2,38.4]]]}'
SQUARE = '{"type":"Polygon","coordinates":[[[141.2,38.4],[141.21,38.4],[141.21,38.41],[141.2,38.41],[141.2,38.4]]]}'
Considered = Callable[..., int | None]


def words(blanks: dict[str, str] | None = None) -> Draft:
    template = load_templates()["order"]
    filled = {"place": "大曲", "time": "16時05分", "hazard": "洪水"} if blanks is None else blanks
    texts = tuple(fill_template(template, language, filled, "Actual") for language in LANGUAGES)
    return plan_draft("flood", template.event, 4, "大曲", texts, datetime.now(JST))


def area(town: SquareTown, *pieces: Piece) -> Area:
    with town.database.begin("dept_disaster", account="sato") as connection:
        return compose_area(connection, pieces, load_town())


def write(town: SquareTown, draft: Draft | None = None, drawn: str = SQUARE, status: str = "Actual") -> int:
    found = area(town, *([Piece("add", "drawn", drawn)] if drawn else []))
    with town.database.begin("dept_disaster", account="sato") as connection:
        return write_draft(connection, draft or words(), found, status, load_town())


def hand_in(town: SquareTown, alert_id: int) -> None:
    with town.database.begin("dept_disaster", account="sato") as connection:
        submit(connection, alert_id, "sato")


def send(town: SquareTown, alert_id: int) -> int:
    hand_in(town, alert_id)
    with town.database.begin("dept_disaster", account="ito") as connection:
        return approve(connection, alert_id, "ito")


def version(town: SquareTown, alert_id: int) -> str:
    return str(town.scalar("SELECT updated_at FROM alerts.alert WHERE id = :id", id=alert_id).isoformat())


def test_a_written_message_reaches_who_is_inside_and_keeps_the_end_that_was_named(town: SquareTown) -> None:
    town.subscribe("in@machimori.example", 141.205, 38.405, kinds="{flood}")
    town.subscribe("out@machimori.example", 141.22, 38.42, kinds="{flood}")
    end = datetime.now(JST).replace(microsecond=0) + timedelta(hours=3)
    alert_id = write(town, replace(words(), expires_at=end))
    assert send(town, alert_id) == 1
    assert town.scalar("SELECT expires_at FROM alerts.alert") == end
    assert town.scalar("SELECT address FROM alerts.delivery") == "in@machimori.example"


def test_a_blank_stops_a_message_also_past_the_console(town: SquareTown) -> None:
    alert_id = write(town, words({"place": "大曲"}))
    with pytest.raises(UsageError, match="Blanks are not filled"):
        hand_in(town, alert_id)
    with pytest.raises(DBAPIError, match="a blank is not filled"):
        town.execute("UPDATE alerts.alert SET state = 'submitted', submitted_by = 'sato'")


def test_without_an_area_nothing_is_submitted(town: SquareTown) -> None:
    alert_id = write(town, drawn="")
    with pytest.raises(UsageError, match="has no area"):
        hand_in(town, alert_id)
    with pytest.raises(DBAPIError, match="has no area"):
        town.execute("UPDATE alerts.alert SET state = 'submitted', submitted_by = 'sato'")


def test_an_area_without_a_name_is_not_submitted(town: SquareTown) -> None:
    alert_id = write(town, replace(words(), area_name=""))
    with pytest.raises(UsageError, match="has no name"):
        hand_in(town, alert_id)
    with pytest.raises(DBAPIError, match="has no name"):
        town.execute("UPDATE alerts.alert SET state = 'submitted', submitted_by = 'sato'")


def test_a_crossing_area_is_asked_about_and_the_answer_is_kept(town: SquareTown) -> None:
    alert_id = write(town, drawn=BOW_TIE)
    with pytest.raises(UsageError, match="in doubt"):
        hand_in(town, alert_id)
    with pytest.raises(DBAPIError, match="nobody has confirmed"):
        town.execute("UPDATE alerts.alert SET state = 'submitted', submitted_by = 'sato'")
    found = area(town, Piece("add", "drawn", BOW_TIE))
    with town.database.begin("dept_disaster", account="sato") as connection:
        set_area(connection, alert_id, version(town, alert_id), found, "sato")
    hand_in(town, alert_id)
    assert town.execute("SELECT area_confirmed_by, area_doubts FROM alerts.alert")[0] == ("sato", ["crosses_itself"])


def test_an_area_outside_the_town_is_doubtful_and_one_at_its_border_is_not(town: SquareTown) -> None:
    outside = SQUARE.replace("141.21", "141.9")
    assert area(town, Piece("add", "drawn", outside)).doubts == ("outside",)
    assert area(town, Piece("add", "town")).doubts == ()
    assert area(town, Piece("add", "town"), Piece("cut", "town")).doubts == ("empty",)


def test_an_end_that_is_past_is_not_approved_also_past_the_console(town: SquareTown) -> None:
    alert_id = write(town, replace(words(), expires_at=datetime.now(JST) - timedelta(minutes=1)))
    hand_in(town, alert_id)
    with town.database.begin("dept_disaster", account="ito") as connection, pytest.raises(UsageError, match="is past"):
        approve(connection, alert_id, "ito")
    with pytest.raises(DBAPIError, match="its end is past"):
        town.execute("UPDATE alerts.alert SET state = 'approved', approved_by = 'ito', sent_at = now()")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE alerts.alert_text SET headline = 'x'",
        "DELETE FROM alerts.alert_text",
        "UPDATE alerts.alert SET level = 1",
        "UPDATE alerts.alert SET area = ST_Multi(ST_MakeEnvelope(141.16, 38.36, 141.17, 38.37, 6668))",
        "UPDATE alerts.alert SET level = 1, state = 'approved', approved_by = 'ito', sent_at = now()",
    ],
)
def test_what_was_submitted_is_not_changed_under_the_second_persons_eyes(town: SquareTown, sql: str) -> None:
    alert_id = write(town)
    hand_in(town, alert_id)
    with pytest.raises(DBAPIError, match="only as a draft"):
        town.execute(sql)
    with town.database.begin("dept_disaster", account="ito") as connection:
        take_back(connection, alert_id)
    with town.database.begin("dept_disaster", account="ito") as connection, pytest.raises(UsageError, match="is draft"):
        approve(connection, alert_id, "ito")


@pytest.mark.parametrize(("before", "after"), [("Actual", "Exercise"), ("Exercise", "Actual"), ("Test", "Actual")])
def test_a_drill_never_becomes_live_nor_the_reverse(town: SquareTown, before: str, after: str) -> None:
    write(town, status=before)
    with pytest.raises(DBAPIError, match="drill cannot become live"):
        town.execute("UPDATE alerts.alert SET cap_status = :after", after=after)


def test_a_drill_reaches_the_drill_list_only_and_says_so_in_every_headline(town: SquareTown) -> None:
    for name, is_drill in (("live", False), ("drill", True)):
        town.subscribe(f"{name}@machimori.example", 141.205, 38.405, kinds="{flood}", is_drill=is_drill)
    assert send(town, write(town, status="Exercise")) == 1
    assert town.scalar("SELECT address FROM alerts.delivery") == "drill@machimori.example"
    assert all("訓練" in row[0] or "DRILL" in row[0] for row in town.execute("SELECT headline FROM alerts.alert_text"))


def test_two_people_at_one_draft_do_not_undo_each_other(town: SquareTown) -> None:
    alert_id = write(town)
    read = version(town, alert_id)
    with town.database.begin("dept_disaster", account="sato") as connection:
        save_draft(connection, alert_id, read, replace(words(), level=3))
    with town.database.begin("dept_disaster", account="ito") as connection, pytest.raises(StaleDraft):
        save_draft(connection, alert_id, read, replace(words(), level=5))
    assert town.scalar("SELECT level FROM alerts.alert") == 3


def test_an_all_clear_follows_and_only_one_answer_of_two_goes_out(town: SquareTown) -> None:
    town.subscribe("in@machimori.example", 141.205, 38.405, kinds="{flood}")
    first = write(town)
    send(town, first)
    answers = []
    for _ in range(2):
        with town.database.begin("dept_disaster", account="sato") as connection:
            answers.append(answer_alert(connection, first, "clear", load_town()))
    assert send(town, answers[0]) == 1
    with pytest.raises(UsageError, match="out of date"):
        send(town, answers[1])
    assert town.scalar("SELECT state FROM alerts.alert WHERE id = :id", id=first) == "updated"
    assert town.scalar("SELECT phase FROM alerts.alert WHERE id = :id", id=answers[0]) == "cleared"


@pytest.mark.parametrize("status", ["Actual", "Exercise"])
@pytest.mark.parametrize(("answer", "sign"), [("clear", "解除："), ("cancel", "取り消し：")])
def test_what_ends_a_message_tells_nobody_to_flee_any_more(
    town: SquareTown, answer: Answer, sign: str, status: str
) -> None:
    first = write(town, status=status)
    send(town, first)
    with town.database.begin("dept_disaster", account="sato") as connection:
        ending = answer_alert(connection, first, answer, load_town())
    texts = "SELECT language, headline, description, instruction FROM alerts.alert_text WHERE alert_id = :id"
    before = {row.language: row for row in town.execute(texts, id=first)}
    after = {row.language: row for row in town.execute(texts, id=ending)}
    assert after.keys() == before.keys()
    mark = {"Actual": "", "Exercise": "【訓練】"}[status]
    told = before["ja"].headline.removeprefix(mark)
    assert after["ja"].headline == f"{mark}{sign}{told}" and told in after["ja"].description
    for language, words in after.items():
        said = f"{words.headline}\n{words.description}\n{words.instruction}"
        assert before[language].instruction.removeprefix(mark) not in said


def test_an_answer_by_hand_hides_no_later_telegram(town: SquareTown, considered: Considered) -> None:
    first = considered(MAJOR)
    assert first
    with town.database.begin("dept_disaster", account="sato") as connection:
        answer = answer_alert(connection, first, "update", load_town())
    send(town, answer)
    later = considered({**MAJOR, "class": "warning"}, reported_at=FIRST + timedelta(minutes=1))
    assert later and town.scalar("SELECT references_id FROM alerts.alert WHERE id = :id", id=later) == answer


def test_a_telegram_leaves_a_persons_draft_alone(town: SquareTown, considered: Considered) -> None:
    first = considered(MAJOR)
    assert first
    with town.database.begin("dept_disaster", account="sato") as connection:
        answer = answer_alert(connection, first, "update", load_town())
    considered({**MAJOR, "class": "warning"}, reported_at=FIRST + timedelta(minutes=1))
    assert town.scalar("SELECT state || event FROM alerts.alert WHERE id = :id", id=answer) == (
        "drafttsunami.major_warning"
    )
    with pytest.raises(UsageError, match="out of date"):
        send(town, answer)


def test_pieces_are_added_cut_and_kept() -> None:
    square, half = shapely.box(0, 0, 2, 2), shapely.box(1, 0, 3, 2)
    assert combine(square, half, "add").area == 6
    assert combine(square, half, "cut").area == 2
    assert combine(square, half, "keep").area == 2
    assert polygons_of(combine(square, shapely.box(2, 0, 3, 2), "keep")).is_empty, "a common edge is no area"


def test_a_buffer_is_metres_on_the_ground(town: SquareTown) -> None:
    found = area(town, Piece("add", "drawn", SQUARE, buffer_m=100))
    grown = town.scalar(
        "SELECT ST_HausdorffDistance(ST_Transform(ST_GeomFromWKB(:new, 6668), 6678),"
        " ST_Transform(ST_SetSRID(ST_GeomFromGeoJSON(:old), 6668), 6678))",
        new=shapely.to_wkb(found.shape), old=SQUARE,
    )  # fmt: skip
    assert grown == pytest.approx(100, abs=0.5)


@pytest.mark.parametrize(
    "drawn",
    ["", "[]", "{}", '{"type":"Point","coordinates":[1,2]}', SQUARE.replace("38.4,", "1").replace("141.2", "38000")],
)
def test_what_is_no_drawn_area_is_refused(drawn: str) -> None:
    with pytest.raises(UsageError):
        read_drawn(drawn)
