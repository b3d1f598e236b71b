import json

import pytest

from gis.town import load_town
from ingest.jma.record import parse_reports
from tests.ingest.telegrams import forecast, observation, shaking, telegram


def report(*args, **kwargs):
    (only,) = parse_reports(telegram(*args, **kwargs), load_town())
    return only


def test_a_warning_for_our_coast_concerns_the_town():
    made = report("VTSE41", forecast("53"))
    assert made.concerns_town
    assert made.facts["forecast"]["class"] == "major_warning"
    assert made.facts["forecast"]["arrival_at"] == "2031-05-01T10:30:00+09:00"


def test_a_warning_for_another_coast_does_not():
    assert not report("VTSE41", forecast("53", area="250")).concerns_town


def test_no_tsunami_on_our_coast_does_not_concern_the_town_unless_there_was_one():
    assert not report("VTSE41", forecast("00", last="00")).concerns_town
    assert report("VTSE41", forecast("60", last="62")).concerns_town


def test_a_height_left_open_ranks_by_its_class():
    height = '<eb:TsunamiHeight description="">NaN</eb:TsunamiHeight>'
    major, advisory = (report("VTSE41", forecast(kind, height=height)) for kind in ("52", "62"))
    assert major.facts["forecast"]["height_rank"] == 10_000
    assert advisory.facts["forecast"]["height_rank"] == 100
    assert advisory.facts["forecast"]["height_m"] is None


def test_an_observation_on_our_coast_concerns_the_town():
    made = report("VTSE51", forecast(area="250", observed=observation(3.3)))
    assert made.concerns_town
    assert made.facts["observed"][0]["height_m"] == 3.3


def test_the_area_counts_in_the_flash_and_the_city_later():
    assert report("VXSE51", shaking(area="5+")).concerns_town
    assert not report("VXSE53", shaking(area="5+", position="+38+142-10000/")).concerns_town
    assert report("VXSE53", shaking("4", area="5+", position="+38+142-10000/")).concerns_town


def test_a_city_whose_value_has_not_come_in_concerns_the_town():
    made = report("VXSE53", shaking(condition="震度５弱以上未入電", position="+38+142-10000/"))
    assert made.concerns_town
    assert made.facts["shaking"]["city_intensity"] is None
    assert made.facts["shaking"]["city_is_missing"]


def test_a_drill_belongs_to_another_event_than_the_real_one():
    keys = {report("VTSE41", forecast(), status=status).event_key for status in ("通常", "訓練", "試験")}
    assert keys == {f"jma:tsunami:20310501095700:{status}" for status in ("Actual", "Exercise", "Test")}


def test_a_tsunami_of_several_earthquakes_belongs_to_the_earliest():
    assert (
        report("VTSE41", forecast(), event="20310501101500 20310501095700").event_key
        == report("VTSE41", forecast()).event_key
    )


@pytest.mark.parametrize(
    "other",
    [{"minute": 1}, {"action": "訂正"}, {"status": "訓練"}, {"serial": "2"}, {"event": "20310501095800"}],
)
def test_messages_that_differ_in_one_thing_have_different_identities(other):
    assert report("VTSE41", forecast(), **other).source_id != report("VTSE41", forecast()).source_id


def test_facts_are_plain_json(samples):
    for path in (samples / "jma").glob("32-39_11_*"):
        (made,) = parse_reports(path.read_bytes(), load_town())
        assert json.loads(json.dumps(made.facts, allow_nan=False)) == made.facts
