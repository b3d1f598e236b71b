"""Dates, hours, ages and codes as the police write them."""

import pytest

from ingest.police.cells import WrongCell, read_age, read_municipality_code, read_occurred


@pytest.mark.parametrize(
    ("day", "hour", "at", "precision"),
    [
        ("2018/9/16", "20", "2018-09-16T20:00:00+09:00", "hour"),
        ("2018-09-16", "03", "2018-09-16T03:00:00+09:00", "hour"),
        ("2018-09-16", "00", "2018-09-16T00:00:00+09:00", "hour"),
        ("２０１８年９月１６日", "８時台", "2018-09-16T08:00:00+09:00", "hour"),
        ("20180916", "17:00", "2018-09-16T17:00:00+09:00", "hour"),
        ("2018/9/16 0:00:00", "5", "2018-09-16T05:00:00+09:00", "hour"),
        ("平成30年9月16日", "不明", "2018-09-16T00:00:00+09:00", "day"),
        ("H30.9.16", "", "2018-09-16T00:00:00+09:00", "day"),
        ("令和元年5月1日", "1", "2019-05-01T01:00:00+09:00", "hour"),
        ("R6/2/29", "23", "2024-02-29T23:00:00+09:00", "hour"),
        ("2018年9月不明", "5", "2018-09-01T00:00:00+09:00", "month"),
        ("2018/9/不明", "不明", "2018-09-01T00:00:00+09:00", "month"),
    ],
)
def test_a_time_is_read_as_exactly_as_it_is_said(day: str, hour: str, at: str, precision: str) -> None:
    occurred = read_occurred(day, hour)
    assert occurred.at is not None
    assert (occurred.at.isoformat(), occurred.precision) == (at, precision)


@pytest.mark.parametrize("day", ["不明", "", "－", " 不明 "])
def test_an_unknown_day_is_no_day(day: str) -> None:
    occurred = read_occurred(day, "20")
    assert (occurred.at, occurred.precision) == (None, "unknown")


@pytest.mark.parametrize(
    ("day", "hour", "reason"),
    [
        ("2018/2/30", "1", "no day"),
        ("2018/13/1", "1", "no day"),
        ("1918/9/16", "1", "before"),
        ("昨日", "1", "not understood"),
        ("43359", "1", "not understood"),
        ("2018/9/16", "24", "not 0 to 23"),
        ("2018/9/16", "夜", "not 0 to 23"),
    ],
)
def test_what_is_no_time_says_why(day: str, hour: str, reason: str) -> None:
    with pytest.raises(WrongCell, match=reason):
        read_occurred(day, hour)


@pytest.mark.parametrize(
    ("words", "ages"),
    [
        ("30歳代", (30, 39)),
        ("10代", (10, 19)),
        ("65-69歳", (65, 69)),
        ("６５～６９歳", (65, 69)),
        ("70歳以上", (70, None)),
        ("10歳代以下", (0, 19)),
        ("20歳未満", (0, 19)),
        ("法人・団体、被害者なし", (None, None)),
        ("不明", (None, None)),
    ],
)
def test_an_age_is_a_band(words: str, ages: tuple[int | None, int | None]) -> None:
    assert read_age(words) == ages


@pytest.mark.parametrize(
    ("words", "prefecture", "code"),
    [
        ("11011", "北海道", "01101"),  # lost its leading zero
        ("011011", "北海道", "01101"),
        ("11011", "埼玉県", "11011"),  # the same digits, without the check digit
        ("112011", "埼玉県", "11201"),
        ("042145", "宮城県", "04214"),
        ("42145", "宮城県", "04214"),
        ("04214", "宮城県", "04214"),
        ("4214", "宮城県", "04214"),
        ("４２１４５", "", "04214"),
        ("131016.0", "東京都", "13101"),
        ("", "宮城県", ""),
    ],
)
def test_a_code_is_found_with_and_without_its_zero_and_its_check_digit(words: str, prefecture: str, code: str) -> None:
    assert read_municipality_code(words, prefecture) == code


@pytest.mark.parametrize(
    ("words", "prefecture", "reason"),
    [
        ("042146", "宮城県", "check digit"),
        ("11011", "宮城県", "none of 宮城県"),
        ("東松島", "宮城県", "5 or 6 digits"),
        ("042145", "宮城", "no prefecture"),
    ],
)
def test_a_code_that_cannot_be_right_says_why(words: str, prefecture: str, reason: str) -> None:
    with pytest.raises(WrongCell, match=reason):
        read_municipality_code(words, prefecture)
