"""Pushed messages: what is public of them, what is not, and what is wrong with them."""

import json
from itertools import permutations

import pytest

from gis.town import load_town
from ingest.fire.dispatch import Service, fold_dispatch, read_number
from ingest.fire.message import mark_exercise, read_messages
from ingest.folding import timeline
from ingest.reports import Rejected, Report, Unreadable

TOWN = load_town()
LON, LAT = TOWN.center
SECRETS = ("大町", "佐藤", "090", "141.2", "やけど")


def message(minute=16, stage="出動", **changes):
    said = {
        "number": "R8-01234",
        "sent_at": f"2026-11-22T10:{minute:02}:00+09:00",
        "type": "建物火災",
        "stage": stage,
        "called_at": "2026-11-22T10:15:00+09:00",
        "address": "東松島市矢本字大町1-2",
        "landmark": "矢本駅前",
        "position": {"lon": LON, "lat": LAT, "datum": "JGD2011"},
        "caller": {"name": "佐藤花子", "phone": "090-1234-5678"},
        "casualties": [{"age": 71, "injury": "やけど"}],
    } | changes
    return {key: value for key, value in said.items() if value is not ...}


def read(*messages):
    body = json.dumps({"messages": list(messages)} if len(messages) != 1 else messages[0]).encode()
    return read_messages(body, TOWN, Service("石巻消防"), "fire")


def one(**changes):
    (found,) = read(message(**changes))
    assert isinstance(found, Report), found
    return found


def wrong(**changes):
    (found,) = read(message(**changes))
    assert isinstance(found, Rejected), found
    return found.record, found.reason


def fold(*reports):
    return timeline(reports, fold_dispatch)


def test_the_public_reads_kind_stage_and_time_and_nothing_else():
    report = one()
    public = json.dumps([report.headline, report.text, report.facts, report.event_key, report.source_id])
    assert not [secret for secret in SECRETS if secret in public]
    assert (report.kind, report.headline, report.office) == ("fire", "建物火災", "石巻消防")
    assert report.private.place.lon == LON and report.private.place_text == "東松島市矢本字大町1-2 矢本駅前"
    assert report.private.details["caller"]["name"] == "佐藤花子"


def test_of_a_rescue_not_even_the_minute_is_public():
    report = one(type="救助")
    assert report.kind == "other" and report.facts["occurred_at"] == "2026-11-22T10:00:00+09:00"


@pytest.mark.parametrize(
    ("said", "is_personal"), [("建物火災", True), ("車両火災", True), ("救急", True), ("林野火災", False)]
)
def test_only_where_no_household_is_near_the_place_itself_is_shown(said, is_personal):
    assert fold(one(type=said))[-1].known.is_personal == is_personal


def test_an_unknown_type_and_stage_are_taken_with_care():
    report = one(type="謎の活動", stage="謎の段階")
    assert report.facts["category"] == "その他" and "stage" not in report.facts and report.kind == "other"
    assert "謎の活動" in report.private.original


def life():
    return [one(minute=15, stage="覚知"), one(stage="出動"), one(minute=40, stage="鎮圧"), one(minute=59, stage="鎮火")]


def test_a_fire_lives_from_the_call_to_its_end():
    states = fold(*life())
    assert [state.state for state in states] == ["open", "updated", "updated", "resolved"]
    assert states[-1].known.headline == "建物火災（鎮火）"
    assert "10時59分ごろに鎮火した" in states[-1].known.columns["description"]


def test_in_whatever_order_the_messages_come_the_end_is_the_same():
    last = fold(*life())[-1]
    for order in permutations(life()):
        assert fold(*order)[-1] == last


def test_a_correction_after_the_end_does_not_kindle_the_fire_again():
    corrected = read(
        message(minute=59, stage="鎮火"), message(minute=59, stage=..., action="correct", type="車両火災", serial=9)
    )
    state = fold(*corrected)[-1]
    assert state.state == "resolved" and state.known.headline == "車両火災（鎮火）"


def test_a_fire_that_breaks_out_again_is_open_again():
    assert fold(*life(), one(sent_at="2026-11-22T12:00:00+09:00", stage="再燃、出動"))[-1].state == "updated"


@pytest.mark.parametrize("stage", ["誤報", "いたずら", "誤作動"])
def test_a_false_alarm_is_withdrawn_and_stays_so_whatever_comes_late(stage):
    called, gone, late = one(minute=15, stage="覚知"), one(minute=30, stage=stage), one(minute=20)
    assert fold(called, gone)[-1].state == fold(called, gone, late)[-1].state == "cancelled"


def test_two_alarms_with_one_number_are_one_event_and_a_second_number_joins_by_name():
    first, second = one(), one(number="Ｒ８－０１２３５", same_as="R8-01234")
    assert first.event_key == one(minute=20, message_id="x").event_key == second.event_key
    assert one(number="R8-01236").event_key != first.event_key


def test_a_drill_is_never_the_same_event_as_the_real_thing():
    assert one(status="exercise").status == "Exercise"
    assert one(status="exercise").event_key != one().event_key
    drilled = read_messages(mark_exercise(json.dumps(message()).encode()), TOWN, Service(), "fire")
    assert [report.status for report in drilled] == ["Exercise"]


def test_the_same_message_twice_is_one_and_another_of_the_moment_is_another():
    assert len(read(message(), message())) == 1
    assert len({report.source_id for report in read(message(), message(note="もう1台"))}) == 2
    assert one(message_id="m1").source_id == one(message_id="m1", note="corrected").source_id
    (kept, refused) = read(message(message_id="m1"), message(message_id="m1", type="車両火災"))
    assert isinstance(kept, Report) and refused.record == "/messages/1"


def test_coordinates_elsewhere_under_an_address_of_ours_are_not_believed():
    far = {"lon": 139.7, "lat": 35.6, "datum": "WGS84"}
    assert one(position=far).private.place is None and one(position=far).concerns_town
    assert not one(position=far, address="東京都港区1-1").concerns_town


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("大町1-2", "東松島市大町1-2"),
        ("矢本字大町1-2", "東松島市矢本字大町1-2"),
        ("赤井字川前", "東松島市赤井字川前"),
        ("宮城県東松島市矢本", "宮城県東松島市矢本"),
        ("石巻市蛇田", "石巻市蛇田"),
        ("牡鹿郡女川町浜", "牡鹿郡女川町浜"),
        ("女川町浜", "女川町浜"),
        ("松島町松島", "松島町松島"),
        ("", ""),
    ],
)
def test_an_address_without_a_municipality_is_ours_and_a_neighbours_is_theirs(address, said):
    assert one(address=address, landmark="").private.place_text == said


@pytest.mark.parametrize(
    ("changes", "pointer", "reason"),
    [
        ({"number": ...}, "/number", "no text"),
        ({"number": "<script>"}, "/number", "dispatch number"),
        ({"number": 12}, "/number", "no text"),
        ({"sent_at": ...}, "/sent_at", "missing"),
        ({"sent_at": "2026-11-22T10:15:00"}, "/sent_at", "offset"),
        ({"sent_at": "10:15"}, "/sent_at", "no time"),
        ({"sent_at": "0001-01-01T00:00:00+09:00"}, "/sent_at", "year"),
        ({"stage": ...}, "/stage", "missing"),
        ({"status": "maybe"}, "/status", "none of"),
        ({"action": ["withdraw"]}, "/action", "no text"),
        ({"serial": True}, "/serial", "whole number"),
        ({"serial": 2**40}, "/serial", "whole number"),
        ({"position": [141, 38]}, "/position", "no object"),
        ({"position": {"lon": LON, "lat": LAT}}, "/position", "datum is missing"),
        ({"position": {"lon": LON, "lat": LAT, "datum": "Tokyo"}}, "/position", "Tokyo Datum"),
        ({"position": {"lon": LON, "lat": LAT, "datum": "日本測地系"}}, "/position", "450 m"),
        ({"position": {"lon": LAT, "lat": LON, "datum": "JGD2011"}}, "/position", "swapped"),
        ({"position": {"lon": 141250.5, "lat": -176000, "datum": "JGD2011"}}, "/position", "not metres"),
        ({"position": {"lon": "141.12.34.5", "lat": "38.25.01.2", "datum": "JGD2011"}}, "/position", "decimal degrees"),
        ({"position": {"lon": "nan", "lat": LAT, "datum": "JGD2011"}}, "/position", "number"),
        ({"position": {"lon": None, "lat": LAT, "datum": "JGD2011"}}, "/position", "number"),
        ({"position": {"lon": LON, "lat": LAT, "datum": "JGD2011", "accuracy_m": -1}}, "/position", "accuracy"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_pointer(changes, pointer, reason):
    where, why = wrong(**changes)
    assert where == pointer and reason in why


def test_one_wrong_message_does_not_take_the_others_with_it():
    kept, refused = read(message(), message(number=5))
    assert isinstance(kept, Report) and refused.record == "/messages/1/number"


@pytest.mark.parametrize("said", [[], "fire", 3, None, {"messages": []}, {"messages": "x"}, {"messages": [1] * 501}])
def test_a_document_that_is_none_is_unreadable(said):
    with pytest.raises(Unreadable):
        read_messages(json.dumps(said).encode(), TOWN, Service(), "fire")


@pytest.mark.parametrize("said", [1, [], {"messages": [None]}])
def test_a_drill_of_nonsense_stays_nonsense(said):
    assert json.loads(mark_exercise(json.dumps(said).encode())) == said


@pytest.mark.parametrize(
    ("said", "number"), [(" Ｒ８－１ ", "R8-1"), ("8—1", "8-1"), ("", None), ("a b", None), ("x" * 65, None)]
)
def test_a_number_has_one_form(said, number):
    assert read_number(said) == number
