from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from gis.town import load_town
from ingest.folding import timeline
from ingest.jma.earthquake_fold import fold_earthquake
from ingest.jma.record import parse_reports
from ingest.jma.tsunami_fold import fold_tsunami
from tests.ingest.telegrams import forecast, observation, shaking, telegram

HYPOCENTER = "+38.0+142.9-10000/"


def report(*args, **kwargs):
    (only,) = parse_reports(telegram(*args, **kwargs), load_town())
    return only


def tsunami(*reports):
    return timeline(reports, fold_tsunami)


def earthquake(*reports):
    return timeline(reports, fold_earthquake)


def test_a_first_warning_opens_an_incident():
    (state,) = tsunami(report("VTSE41", forecast("53")))
    assert (state.state, state.phase, state.level) == ("open", "issued", 5)
    assert state.known.event == "tsunami.major_warning"


def test_a_second_report_updates_it():
    states = tsunami(report("VTSE41", forecast("51")), report("VTSE41", forecast("52", last="51"), minute=5))
    assert [state.phase for state in states] == ["issued", "updated"]
    assert [state.level for state in states] == [4, 5]
    assert states[-1].state == "updated"


def test_an_older_report_that_comes_late_does_not_overwrite_a_newer_one():
    newer, older = report("VTSE41", forecast("52"), minute=9), report("VTSE41", forecast("62"), minute=2)
    assert tsunami(newer, older)[-1].level == 5


def test_of_two_reports_of_one_minute_the_one_sent_later_holds():
    first = telegram("VTSE41", forecast("62"))
    second = telegram("VTSE41", forecast("52")).replace(b"T01:00:00Z", b"T01:00:40Z")
    reports = [parse_reports(body, load_town())[0] for body in (second, first)]
    assert tsunami(*reports)[-1].level == 5


def test_nothing_about_the_town_is_no_incident():
    assert tsunami(report("VTSE41", forecast("52", area="250"))) == []


def test_a_telegram_that_does_not_name_our_coast_leaves_it_as_it_was():
    states = tsunami(report("VTSE41", forecast("52")), report("VTSE41", forecast("62", area="250"), minute=5))
    assert [state.level for state in states] == [5]


def test_a_warning_that_sinks_to_a_forecast_is_cleared():
    states = tsunami(report("VTSE41", forecast("52")), report("VTSE41", forecast("72", last="62"), minute=500))
    assert (states[-1].state, states[-1].phase, states[-1].level) == ("resolved", "cleared", 1)
    assert states[-1].resolved_at is not None


def test_an_advisory_that_is_cleared_is_cleared():
    states = tsunami(report("VTSE41", forecast("62")), report("VTSE41", forecast("60", last="62"), minute=50))
    assert (states[-1].phase, states[-1].level) == ("cleared", 0)


def test_a_mere_forecast_has_nothing_to_clear():
    (state,) = tsunami(report("VTSE41", forecast("71")))
    assert (state.state, state.phase, state.level) == ("open", "issued", 1)


def test_a_warning_after_an_all_clear_begins_anew():
    states = tsunami(
        report("VTSE41", forecast("62")),
        report("VTSE41", forecast("60", last="62"), minute=50),
        report("VTSE41", forecast("52", last="00"), minute=60),
    )
    assert [state.phase for state in states] == ["issued", "cleared", "issued"]


def test_a_withdrawal_cancels_the_warning_and_its_details():
    states = tsunami(
        report("VTSE41", forecast("52")),
        report("VTSE51", forecast("52", observed=observation(1.0)), minute=3),
        report("VTSE41", "<Text>取り消します。</Text>", minute=5, action="取消"),
    )
    assert (states[-1].state, states[-1].phase, states[-1].level) == ("cancelled", "withdrawn", 0)


def test_a_cancelled_incident_still_says_what_was_withdrawn():
    states = tsunami(
        report("VTSE41", forecast("62", name="津波注意報")), report("VTSE41", "<Text/>", minute=5, action="取消")
    )
    assert states[-1].known.facts["class_name"] == "津波注意報"


def test_a_withdrawal_of_details_leaves_the_warning():
    states = tsunami(
        report("VTSE41", forecast("52")),
        report("VTSE51", forecast("52", observed=observation(4.0)), minute=3),
        report("VTSE51", "<Text/>", minute=5, action="取消"),
    )
    assert (states[-1].state, states[-1].phase, states[-1].level) == ("updated", "updated", 5)
    assert "observed" not in states[-1].known.facts


def test_a_withdrawal_that_came_first_cancels_what_comes_late():
    withdrawal = report("VTSE41", "<Text/>", minute=5, action="取消")
    assert tsunami(withdrawal) == []
    assert tsunami(withdrawal, report("VTSE41", forecast("52")))[-1].state == "cancelled"


def test_a_withdrawal_does_not_reach_what_was_said_after_it():
    states = tsunami(
        report("VTSE41", forecast("62")),
        report("VTSE41", "<Text/>", minute=5, action="取消"),
        report("VTSE41", forecast("51"), minute=6),
    )
    assert (states[-1].state, states[-1].phase, states[-1].level) == ("updated", "issued", 4)


def test_a_correction_replaces():
    states = tsunami(report("VTSE41", forecast("62")), report("VTSE41", forecast("52"), minute=1, action="訂正"))
    assert states[-1].level == 5


def test_observations_add_up_gauge_by_gauge():
    states = tsunami(
        report("VTSE41", forecast("52")),
        report("VTSE51", forecast("52", observed=observation(1.0)), minute=3),
        report("VTSE51", forecast("52", observed=observation(0.5, code="22021", station="仙台港")), minute=4),
        report("VTSE51", forecast("52", observed=observation(3.2)), minute=5),
    )
    heights = {seen["station"]: seen["height_m"] for seen in states[-1].known.facts["observed"]}
    assert heights == {"鮎川": 3.2, "仙台港": 0.5}
    assert states[-1].known.columns["observed_station"] == "鮎川"
    assert states[-1].known.columns["observed_height_m"] == 3.2


def test_a_corrected_observation_drops_the_gauge_that_was_wrong():
    states = tsunami(
        report("VTSE51", forecast("52", observed=observation(30.0))),
        report("VTSE51", forecast("52", observed=observation(0.5, code="22021")), minute=1, action="訂正"),
    )
    assert [seen["code"] for seen in states[-1].known.facts["observed"]] == ["22021"]


def test_a_gauge_that_only_watches_is_no_height_of_zero():
    (state,) = tsunami(report("VTSE51", forecast("52", observed=observation(None))))
    assert state.known.columns["observed_height_m"] is None
    assert state.known.columns["observed_height_text"] == "観測中"


def test_flash_and_full_report_are_one_earthquake():
    states = earthquake(
        report("VXSE51", shaking(area="5+")),
        report("VXSE53", shaking("6+", area="6+", position=HYPOCENTER), minute=3),
    )
    assert [state.level for state in states] == [4, 5]
    assert states[0].known.position is None
    assert states[1].known.position == (142.9, 38.0)
    assert states[1].known.columns["city_intensity"] == "6+"


def test_a_withdrawn_hypocentre_does_not_take_the_full_report_with_it():
    states = earthquake(
        report("VXSE52", shaking(position=HYPOCENTER)),
        report("VXSE53", shaking("4", position=HYPOCENTER), minute=2),
        report("VXSE52", "<Text/>", minute=4, action="取消"),
    )
    assert states[-1].state == "updated"
    assert states[-1].known.position == (142.9, 38.0)


def test_a_withdrawn_full_report_leaves_the_flash():
    states = earthquake(
        report("VXSE51", shaking(area="4")),
        report("VXSE53", shaking("6+", position=HYPOCENTER), minute=2),
        report("VXSE53", "<Text/>", minute=4, action="取消"),
    )
    assert (states[-1].state, states[-1].level) == ("updated", 3)


def test_when_all_that_concerned_the_town_is_withdrawn_it_is_cancelled():
    states = earthquake(
        report("VXSE52", shaking(position=HYPOCENTER)),
        report("VXSE53", shaking("6+", position=HYPOCENTER), minute=2),
        report("VXSE53", "<Text/>", minute=4, action="取消"),
    )
    assert states[-1].state == "cancelled"


def test_the_corrected_hypocentre_holds_against_later_rough_ones():
    states = earthquake(
        report("VXSE53", shaking("4", position=HYPOCENTER)),
        report("VXSE61", shaking(position="+38.1+142.8-20000/"), minute=5),
        report("VXSE53", shaking("4", position=HYPOCENTER), minute=9, serial="2"),
    )
    assert states[-1].known.position == (142.8, 38.1)


def test_a_missing_value_counts_as_five_lower():
    (state,) = earthquake(report("VXSE53", shaking("3", condition="震度５弱以上未入電", position=HYPOCENTER)))
    assert state.level == 4


MESSAGES = [
    report("VTSE41", forecast("62")),
    report("VTSE41", forecast("52", last="62"), minute=2),
    report("VTSE51", forecast("52", observed=observation(1.0)), minute=3),
    report("VTSE51", "<Text/>", minute=4, action="取消"),
    report("VTSE41", forecast("60", last="62"), minute=9),
]


def test_the_order_of_arrival_never_matters():
    expected = tsunami(*MESSAGES)
    assert len(expected) == 5
    for arrival in permutations(MESSAGES):
        assert tsunami(*arrival) == expected


@given(st.data())
def test_what_is_known_after_a_report_needs_no_later_one(data):
    count = data.draw(st.integers(1, len(MESSAGES)))
    assert tsunami(*MESSAGES[:count]) == tsunami(*MESSAGES)[:count]


def test_the_tsunami_of_2011_is_told_as_it_was(samples):
    paths = sorted((samples / "jma").glob("32-39_11_*VTSE*"))
    states = tsunami(*(parse_reports(path.read_bytes(), load_town())[0] for path in paths))
    told = [
        (state.report.reported_at.strftime("%H:%M"), state.level, state.known.facts["height_text"]) for state in states
    ]
    assert told == [
        ("14:49", 5, "巨大"), ("14:50", 5, "巨大"), ("14:53", 5, "巨大"), ("14:59", 5, "巨大"), ("15:00", 5, "１０ｍ"),
        ("15:01", 5, "１０ｍ"), ("15:12", 5, "１０ｍ超"), ("17:58", 1, ""),
    ]  # fmt: skip
    assert [state.phase for state in states] == ["issued", *["updated"] * 6, "cleared"]
    assert states[5].known.facts["observed"][0]["station"] == "石巻市鮎川"


def test_the_iwate_earthquake_of_2008_ends_withdrawn(samples):
    paths = sorted((samples / "jma").glob("32-35_06_*"))
    states = earthquake(*(parse_reports(path.read_bytes(), load_town())[0] for path in paths))
    assert states[0].known.columns["city_intensity"] == "4"
    assert states[-1].state == "cancelled"
