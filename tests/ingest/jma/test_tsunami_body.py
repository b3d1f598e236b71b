import pytest
from lxml import etree

from ingest.jma.telegram import parse_telegram
from ingest.jma.tsunami import tsunami_class
from ingest.reports import Unreadable
from tests.ingest.telegrams import forecast, observation, telegram


def kind(code, name):
    element = etree.Element("Kind")
    etree.SubElement(element, "Name").text = name
    etree.SubElement(element, "Code").text = code
    return element


def parse(name, samples):
    (path,) = (samples / "jma").glob(f"{name}*")
    return parse_telegram(path.read_bytes()).body


@pytest.mark.parametrize(
    ("code", "expected"),
    [("52", "major_warning"), ("53", "major_warning"), ("51", "warning"), ("62", "advisory"), ("71", "forecast"),
     ("72", "forecast"), ("73", "forecast"), ("00", "none"), ("50", "none"), ("60", "none")],
)  # fmt: skip
def test_the_code_decides_the_class(code, expected):
    assert tsunami_class(kind(code, "")) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("大津波警報：発表", "major_warning"),
        ("津波警報", "warning"),
        ("津波警報解除", "none"),
        ("津波注意報", "advisory"),
    ],
)
def test_the_name_decides_when_the_code_is_new(name, expected):
    assert tsunami_class(kind("99", name)) == expected


def test_a_class_that_nobody_knows_is_never_taken_for_none():
    with pytest.raises(Unreadable, match="'竜巻' with code '99'"):
        parse_telegram(telegram("VTSE41", forecast("99", name="竜巻")))


def test_the_first_warning_of_2011_names_our_coast(samples):
    (ours,) = [item for item in parse("32-39_11_02", samples).forecasts if item.code == "220"]
    assert ours.tsunami_class == "major_warning"
    assert ours.class_name == "大津波警報"
    assert ours.last_class == "none"
    assert ours.height.text == "巨大"
    assert ours.height.height_m is None
    assert ours.arrival_at.isoformat() == "2011-03-11T15:00:00+09:00"


def test_the_warning_of_15_12_is_over_ten_metres_and_arrived(samples):
    (ours,) = [item for item in parse("32-39_11_11", samples).forecasts if item.code == "220"]
    assert ours.height.text == "１０ｍ超"
    assert ours.height.height_m == 10.0
    assert ours.arrival_text == "第１波の到達を確認"
    assert ours.arrival_at is None


def test_the_first_gauge_of_2011_is_watched_still(samples):
    (seen,) = [item for item in parse("32-39_11_10", samples).observations if item.area_code == "220"]
    assert seen.station == "石巻市鮎川"
    assert seen.station_code == "22002"
    assert seen.initial == "押し"
    assert seen.condition == "観測中"
    assert seen.height.height_m is None


def test_gauges_off_the_coast_need_no_area():
    content = forecast(observed=observation(2.5, area=""))
    (seen,) = parse_telegram(telegram("VTSE52", content)).body.observations
    assert seen.area_code == ""
    assert seen.height.height_m == 2.5
