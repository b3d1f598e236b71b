from datetime import datetime
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.town import load_town
from ingest.folding import timeline
from ingest.jma.earthquake_fold import fold_earthquake
from ingest.jma.record import parse_reports
from ingest.jma.running_fold import fold_running
from ingest.reports import Unreadable
from tests.ingest.telegrams import shaking, telegram
from tests.ingest.weather_telegrams import (
    NOTHING,
    RAIN_ADVISORY,
    RAIN_DANGER,
    RAIN_LIFTED,
    RAIN_SPECIAL,
    RAIN_WARNING,
    in_force,
    rain,
    warning_telegram,
)


def course(*telegrams, hazard="heavy_rain"):
    reports = [report for body in telegrams for report in parse_reports(body, load_town())]
    mine = [report for report in reports if report.facts["hazard"] == hazard]
    assert len({report.event_key for report in mine}) == 1
    return timeline(mine, fold_running, is_running=True)


def lines(states):
    return [(state.episode, state.phase, state.level) for state in states]


def test_a_warning_opens_rises_falls_and_ends():
    states = course(rain(RAIN_ADVISORY), rain(RAIN_DANGER, 1), rain(RAIN_WARNING, 2), rain(RAIN_LIFTED, 3))
    assert lines(states) == [(0, "issued", 2), (0, "updated", 4), (0, "updated", 3), (0, "cleared", 0)]
    assert [state.known.event for state in states] == [
        "weather.heavy_rain.advisory", "weather.heavy_rain.danger_warning",
        "weather.heavy_rain.warning", "weather.heavy_rain.none",
    ]  # fmt: skip
    assert states[1].known.headline == "レベル４大雨危険警報（東松島市）"
    assert states[-1].known.headline == "レベル３大雨警報 解除（東松島市）"
    assert states[-1].state == "resolved"
    assert states[-1].known.facts["lifted"] == ["レベル３大雨警報"]


def test_the_next_warning_is_another_incident():
    states = course(rain(RAIN_WARNING), rain(RAIN_LIFTED, 3), rain(NOTHING, 5), rain(RAIN_ADVISORY, 30))
    assert lines(states) == [(0, "issued", 3), (0, "cleared", 0), (1, "issued", 2)]
    assert states[-1].state == "open"
    assert states[-1].known.occurred_at == states[-1].report.reported_at


def test_nothing_in_force_ends_it_even_if_the_lifting_was_lost():
    assert lines(course(rain(RAIN_WARNING), rain(NOTHING, 3)))[-1] == (0, "cleared", 0)


def test_the_end_of_what_nobody_heard_of_is_no_incident():
    assert course(rain(RAIN_LIFTED)) == []
    assert lines(course(rain(RAIN_LIFTED), rain(RAIN_WARNING, 1)))[0][1:] == ("issued", 3)


def test_a_quiet_office_leaves_no_trace():
    assert (
        course(rain(NOTHING), rain(in_force(("レベル３大雨警報", "03", "発表"), area=("仙台市", "0410000")), 1)) == []
    )


def test_a_town_that_a_telegram_does_not_name_is_under_nothing():
    elsewhere = in_force(("レベル３大雨警報", "03", "発表"), area=("仙台市", "0410000"))
    assert lines(course(rain(RAIN_WARNING), rain(elsewhere, 1)))[-1] == (0, "cleared", 0)


def test_a_withdrawal_takes_back_the_last_telegram_only():
    states = course(rain(RAIN_WARNING), rain(RAIN_SPECIAL, 1), rain("<Text>誤りでした</Text>", 2, action="取消"))
    assert lines(states) == [(0, "issued", 3), (0, "updated", 5), (0, "updated", 3)]


def test_a_withdrawal_of_the_only_telegram_cancels_and_what_follows_is_another_incident():
    states = course(rain(RAIN_SPECIAL), rain("<Text/>", 1, action="取消"), rain(RAIN_ADVISORY, 2))
    assert lines(states) == [(0, "issued", 5), (0, "withdrawn", 0), (1, "issued", 2)]
    assert states[1].state == "cancelled"


def test_a_lifting_that_is_withdrawn_did_not_happen():
    states = course(rain(RAIN_WARNING), rain(RAIN_LIFTED, 1), rain("<Text/>", 2, action="取消"))
    assert lines(states)[-1] == (0, "issued", 3)
    assert states[-1].state == "updated"


def test_a_correction_replaces_what_it_corrects():
    states = course(rain(RAIN_SPECIAL), rain(RAIN_WARNING, 0.1, action="訂正"))
    assert lines(states) == [(0, "issued", 5), (0, "updated", 3)]


def test_in_whatever_order_they_come_the_course_is_the_same():
    telegrams = [
        rain(RAIN_WARNING), rain(RAIN_LIFTED, 1), rain(RAIN_ADVISORY, 4), rain("<Text/>", 5, action="取消"),
    ]  # fmt: skip
    courses = {str(lines(course(*order))) for order in permutations(telegrams)}
    assert len(courses) == 1


def test_two_kinds_of_telegram_about_one_hazard_hold_side_by_side():
    warned = in_force(("レベル３土砂災害警報", "09", "発表"))
    alerted = in_force(("警戒", "3", "発表"))
    lifted = in_force(("解除", "1", "解除"))
    states = course(
        warning_telegram("VPWW56", warned),
        warning_telegram("VXWW50", alerted, hour=1, head_title="宮城県レベル４土砂災害危険警報"),
        warning_telegram("VPWW56", warned, hour=2),
        warning_telegram("VXWW50", lifted, hour=3, head_title="宮城県レベル４土砂災害危険警報"),
        warning_telegram("VPWW56", NOTHING, hour=4),
        hazard="landslide",
    )
    assert lines(states) == [
        (0, "issued", 3), (0, "updated", 4), (0, "updated", 4), (0, "updated", 3), (0, "cleared", 0),
    ]  # fmt: skip
    assert states[1].known.event == "landslide.danger_warning"
    assert [warning["name"] for warning in states[1].known.facts["warnings"]] == [
        "レベル４土砂災害危険警報", "レベル３土砂災害警報",
    ]  # fmt: skip


def test_of_old_and_split_warnings_of_one_hour_only_the_split_ones_count():
    before = {"begin": datetime.fromisoformat("2026-05-27T06:00:00+09:00")}
    old = in_force(("大雨特別警報", "33", "発表"), ("雷注意報", "14", "発表"))
    both = (rain(RAIN_ADVISORY, **before), warning_telegram("VPWW54", old, hour=1, **before))
    assert lines(course(*both))[-1] == (0, "updated", 2)
    assert lines(course(*both, hazard="other")) == [(0, "issued", 2)]


def test_old_warnings_are_not_read_once_the_split_ones_hold():
    old = warning_telegram("VPWW54", in_force(("大雨特別警報", "33", "発表")))
    (report,) = parse_reports(old, load_town())
    assert not report.concerns_town
    assert "2026-05-28" in report.facts["silent"]


def special(hour, *cities):
    items = "".join(
        "<Item><Kind><Name>大雨特別警報</Name><Code>33</Code></Kind>"
        f"<Areas><Area><Name>市</Name><Code>{city}</Code></Area></Areas></Item>"
        for city in cities
    )
    return warning_telegram("VPNO50", "", hour=hour, head=f'<Information type="市町村等">{items}</Information>')


def test_a_special_warning_counts_from_its_announcement_until_the_warning_says_otherwise():
    states = course(
        rain(RAIN_DANGER), special(1, "0421400"), rain(RAIN_SPECIAL, 1.1), special(2, "0410000"), rain(RAIN_DANGER, 2.1)
    )
    assert [state.level for state in states] == [4, 5, 5, 4]


def test_a_notice_lapses_and_the_next_one_is_another_incident():
    tornado = in_force(("竜巻注意情報", "1", "発表"))
    states = course(*(warning_telegram("VPHW50", tornado, hour=hour) for hour in (0, 0.9, 5)), hazard="tornado")
    assert lines(states) == [(0, "issued", 2), (0, "updated", 2), (1, "issued", 2)]
    assert states[0].known.lapses_at.isoformat() == "2031-09-01T07:00:00+09:00"


def test_the_notice_after_the_great_earthquake_concerns_the_coast_that_is_to_take_care():
    (state,) = course(
        warning_telegram("VYSE60", "<Text>後発地震に注意</Text>", event="20310901055000"), hazard="follow_up_quake"
    )
    assert (state.known.event, state.level) == ("other.follow_up_quake.notice", 2)


def test_ash_and_eruption_concern_the_town_only_by_name():
    ash = """<VolcanoInfo type="噴火警報・予報（対象市町村等）"><Item><Kind><Name>レベル３（入山規制）</Name>
    <Code>13</Code><Condition>引上げ</Condition></Kind><Areas><Area><Name>町</Name><Code>{}</Code></Area></Areas>
    </Item></VolcanoInfo>"""
    (ours,) = parse_reports(warning_telegram("VFVO50", ash.format("0421400"), event="221"), load_town())
    (theirs,) = parse_reports(warning_telegram("VFVO50", ash.format("0430100"), event="221"), load_town())
    assert (ours.kind, ours.facts["level"], ours.event_key) == ("other", 3, "jma:volcano:221:Actual")
    assert ours.concerns_town
    assert not theirs.concerns_town


def test_a_warning_of_an_unknown_class_is_no_silence():
    with pytest.raises(Unreadable, match="大雨大警戒"):
        parse_reports(rain(in_force(("大雨大警戒", "77", "発表"))), load_town())


@pytest.mark.parametrize(
    ("name", "code", "level"),
    [("氾濫注意情報解除", "10", 0), ("氾濫注意情報（警戒情報解除）", "22", 2), ("氾濫危険情報", "41", 4),
     ("氾濫発生情報", "51", 5), ("レベル５氾濫特別警報", "51", 5)],
)  # fmt: skip
def test_a_river_has_its_level_by_name_or_code(name, code, level):
    head = f"""<Information type="指定河川洪水予報（予報区域）"><Item>
    <Kind><Name>{name}</Name><Code>{code}</Code></Kind><Areas><Area><Name>鳴瀬川・吉田川</Name><Code>850102030405</Code></Area></Areas></Item></Information>"""
    body = warning_telegram("VXKOii", "", head=head, event="850102030405")
    (report,) = parse_reports(body, load_town())
    assert (report.kind, report.facts["level"], report.event_key) == ("flood", level, "jma:flood:850102030405:Actual")
    assert report.concerns_town


@given(st.permutations(range(7)))
def test_seven_telegrams_in_any_order_tell_one_story(order):
    bodies = [RAIN_ADVISORY, RAIN_DANGER, RAIN_LIFTED, NOTHING, RAIN_WARNING, "<Text/>", RAIN_SPECIAL]
    actions = ["発表"] * 5 + ["取消", "発表"]
    telegrams = [rain(bodies[hour], hour, action=actions[hour]) for hour in order]
    assert lines(course(*telegrams)) == [
        (0, "issued", 2), (0, "updated", 4), (0, "cleared", 0), (1, "issued", 3), (1, "withdrawn", 0), (2, "issued", 5),
    ]  # fmt: skip


def test_the_sway_of_high_buildings_joins_its_earthquake():
    content = """<Intensity><Observation><MaxInt>6+</MaxInt><MaxLgInt>4</MaxLgInt>
    <Pref><Name>宮城県</Name><Code>04</Code><Area><Name>宮城県中部</Name><Code>222</Code><MaxLgInt>3</MaxLgInt></Area></Pref></Observation></Intensity>"""
    (swayed,) = parse_reports(telegram("VXSE62", content, title="長周期地震動に関する観測情報", minute=9), load_town())
    (shaken,) = parse_reports(telegram("VXSE51", shaking(area="6-")), load_town())
    assert swayed.event_key == shaken.event_key
    known = timeline([shaken, swayed], fold_earthquake)[-1].known
    assert known.facts["long_period"] == {"area_class": "3", "max_class": "4"}
    assert known.level == 5
