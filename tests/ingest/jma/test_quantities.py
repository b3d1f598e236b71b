import pytest
from lxml import etree

from ingest.jma.quantities import WORST_HEIGHT_RANK, parse_coordinates, parse_height, parse_intensity, parse_number
from ingest.reports import Unreadable


def coordinate(value, **attributes):
    element = etree.Element("Coordinate", attributes)
    element.text = value
    return element


def height(value, description):
    element = etree.Element("TsunamiHeight", description=description)
    element.text = value
    return parse_height(element)


def test_a_position_is_latitude_longitude_and_depth_in_metres():
    position = parse_coordinates([coordinate("+38.0+142.9-10000/")])
    assert (position.lat, position.lon, position.depth_m) == (38.0, 142.9, 10000.0)


def test_southern_and_western_positions_are_negative():
    position = parse_coordinates([coordinate("-17.2-178.6-570000/")])
    assert (position.lat, position.lon) == (-17.2, -178.6)


def test_degrees_and_minutes_are_preferred_because_they_are_exact():
    rough, exact = coordinate("+39.0+140.9-10000/"), coordinate("+3901.7+14052.8-8000/", type="震源位置（度分）")
    position = parse_coordinates([rough, exact])
    assert position.lat == pytest.approx(39 + 1.7 / 60)
    assert position.lon == pytest.approx(140 + 52.8 / 60)
    assert position.depth_m == 8000
    assert position.accuracy_m < 100


def test_southern_degrees_and_minutes_keep_their_sign():
    position = parse_coordinates([coordinate("-1730.0+17836.0-8000/", type="震源位置（度分）")])
    assert position.lat == pytest.approx(-17.5)
    assert position.lon == pytest.approx(178.6)


def test_a_very_shallow_depth_is_zero_and_an_unknown_depth_is_none():
    assert parse_coordinates([coordinate("+38.0+142.9+0/")]).depth_m == 0
    assert parse_coordinates([coordinate("+38.0+142.9/")]).depth_m is None


def test_an_unknown_hypocentre_is_none():
    assert parse_coordinates([coordinate(None, condition="不明")]) is None
    assert parse_coordinates([]) is None


@pytest.mark.parametrize("value", ["38.0,142.9", "+138.0+42.9-10000/", "+38.0/"])
def test_what_is_no_position_is_refused(value):
    with pytest.raises(Unreadable, match="Coordinate"):
        parse_coordinates([coordinate(value)])


def test_a_magnitude_of_nan_is_none():
    assert parse_number(coordinate("NaN")) is None
    assert parse_number(coordinate("7.4")) == 7.4


def test_the_worst_heights_share_the_worst_rank():
    assert height("NaN", "巨大").rank == height("10", "１０ｍ超").rank == WORST_HEIGHT_RANK


def test_nan_is_no_number_and_never_ranks_as_small():
    giant, high, ten = height("NaN", "巨大"), height("NaN", "高い"), height("10", "１０ｍ")
    assert giant.height_m is None
    assert giant.rank > ten.rank > high.rank
    assert high.rank >= height("3", "３ｍ").rank


def test_a_nan_without_words_has_no_rank_of_its_own():
    assert height("NaN", "").rank is None
    assert parse_height(None).rank is None


def test_heights_rank_by_their_metres():
    ranks = [height(value, text).rank for value, text in [("0.2", "０．２ｍ未満"), ("1", "１ｍ"), ("5", "５ｍ")]]
    assert ranks == [20, 100, 500]


def intensity(value):
    place = etree.Element("City")
    etree.SubElement(place, "MaxInt").text = value
    return parse_intensity(place)


def test_every_intensity_of_the_scale_is_known():
    for code in ("1", "2", "3", "4", "5-", "5+", "6-", "6+", "7"):
        assert intensity(code) == (code, False)


@pytest.mark.parametrize("value", ["震度５弱以上未入電", "!5-"])
def test_an_intensity_that_has_not_come_in_is_missing_not_zero(value):
    assert intensity(value) == (None, True)


def test_an_unknown_intensity_is_refused():
    with pytest.raises(Unreadable, match="City/MaxInt: '8' is no seismic intensity"):
        intensity("8")
