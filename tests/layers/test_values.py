"""Values as town offices write them are understood, or refused with a reason a person can act on."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from layers.definition import Attribute
from layers.unfit import UnfitError
from layers.values import convert_value

JST = timezone(timedelta(hours=9))


def _attribute(kind: str = "text", **options: Any) -> Attribute:
    return Attribute("a", {"ja": "あ", "en": "A"}, kind, **options)


@pytest.mark.parametrize("written", ["1", 1, 1.0, True, "○", "◯", "〇", "はい", "有", "１", "TRUE"])
def test_a_flag_is_true_in_all_its_spellings(written: object) -> None:
    assert convert_value(_attribute("boolean"), written) is True


@pytest.mark.parametrize("written", [None, "", "0", 0, False, "×", "－", "無", "　"])
def test_a_flag_is_false_when_blank_or_denied(written: object) -> None:
    assert convert_value(_attribute("boolean"), written) is False


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        ("integer", "１，２００", 1200),
        ("integer", 3.0, 3),
        ("real", "-0.5", -0.5),
        ("date", "2011/3/11", date(2011, 3, 11)),
        ("date", "2011年3月11日", date(2011, 3, 11)),
        ("date", "2011-03-11T00:00:00", date(2011, 3, 11)),
        ("timestamp", "2011-03-11T14:46:00+09:00", datetime(2011, 3, 11, 14, 46, tzinfo=JST)),
        ("timestamp", "2011/03/11 14:46", datetime(2011, 3, 11, 14, 46, tzinfo=JST)),
        ("text", 4214.0, "4214"),
        ("text", "  丘 ", "丘"),
        ("text", "", None),
        ("real", None, None),
    ],
)
def test_a_value_is_read_as_its_attribute_says(kind: str, written: object, value: object) -> None:
    assert convert_value(_attribute(kind), written) == value


@pytest.mark.parametrize(
    ("attribute", "written", "reason"),
    [
        (_attribute("real", unit="m"), "5m", "is no number"),
        (_attribute("real"), "nan", "no finite number"),
        (_attribute("real"), "inf", "no finite number"),
        (_attribute("integer"), "1.5", "no whole number"),
        (_attribute("integer", maximum=5), "6", "more than 5"),
        (_attribute("date"), "昨日", "no date"),
        (_attribute("timestamp"), "14時46分", "no time"),
        (_attribute("boolean"), "たぶん", "neither ○"),
        (_attribute(required=True), " ", "is missing"),
        (_attribute(pattern="^[0-9]{5}$"), "4214", "lost its leading zero"),
        (_attribute(pattern="^[0-9]{5}$"), "ABC", "does not have the form"),
        (_attribute(code_list="road_class"), "けもの道", "is none of .*municipal"),
    ],
)
def test_a_value_that_is_none_says_why(attribute: Attribute, written: object, reason: str) -> None:
    with pytest.raises(UnfitError, match=reason):
        convert_value(attribute, written)


def test_a_name_of_a_code_becomes_its_value() -> None:
    assert convert_value(_attribute(code_list="road_class"), "国道") == "national"
    assert convert_value(_attribute(code_list="road_class"), "national") == "national"


def test_a_placeholder_is_an_unknown_number_and_stays_a_text() -> None:
    assert convert_value(_attribute("real"), "999.99", (999.99, 9999.0)) is None
    assert convert_value(_attribute("integer"), 9999, (999.99, 9999.0)) is None
    assert convert_value(_attribute("real", default=0.0), "999.99", (999.99,)) == 0.0
    assert convert_value(_attribute(), "999.99", (999.99,)) == "999.99"
