"""When it happened, in every way in which a police writes it."""

from datetime import datetime

import pytest

from ingest.mail.times import JST, find_occurred
from ingest.mail.words import plain

SENT = datetime(2025, 11, 20, 18, 30, tzinfo=JST)


def _find(text, sent=SENT):
    found = find_occurred(plain(text), sent)
    if found is None:
        return None
    return f"{found.at:%m-%d %H:%M}", found.until and f"{found.until:%m-%d %H:%M}", found.precision


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("11月20日午後0時ころ、", ("11-20 12:00", None, "hour")),
        ("11月20日午前0時30分ころ、", ("11-20 00:30", None, "minute")),
        ("11月20日（木）午後３時４５分頃", ("11-20 15:45", None, "minute")),
        ("令和7年11月19日(水)午後4時半ごろ", ("11-19 16:30", None, "minute")),
        ("R7.11.19 16:05", ("11-19 16:05", None, "minute")),
        ("7年11月19日正午ころ", ("11-19 12:00", None, "hour")),
        ("2025年11月19日 零時", ("11-19 00:00", None, "hour")),
        ("2025/11/19 7:50", ("11-19 07:50", None, "minute")),
        ("本日午前７時50分頃", ("11-20 07:50", None, "minute")),
        ("昨日の午後5時ころ", ("11-19 17:00", None, "hour")),
        ("昨夜9時ころ", ("11-19 21:00", None, "hour")),
        ("昨夜、", ("11-19 18:00", "11-20 05:00", "band")),
        ("19日夕方、", ("11-19 15:00", "11-19 19:00", "band")),
        ("25日午後3時ころ", ("10-25 15:00", None, "hour")),
        ("11月中旬、", ("11-11 00:00", "11-21 00:00", "third")),
        ("11月上旬ころ", ("11-01 00:00", "11-11 00:00", "third")),
        ("10月下旬", ("10-21 00:00", "11-01 00:00", "third")),
        ("11月19日、", ("11-19 00:00", "11-20 00:00", "day")),
        ("11月19日午後12時30分ころ", ("11-19 00:00", "11-20 00:00", "day")),
        ("11月19日午後9時ころから翌20日午前6時ころまでの間", ("11-19 21:00", "11-20 06:00", "hour")),
        ("11月19日午後3時から4時までの間", ("11-19 15:00", "11-19 16:00", "hour")),
        ("11月18日から11月19日までの間", ("11-18 00:00", "11-20 00:00", "day")),
        ("11月19日15時〜16時30分", ("11-19 15:00", "11-19 16:30", "hour")),
        ("11月18日24時ころ", ("11-19 00:00", None, "hour")),
        ("13月40日に", None),
        ("2月30日午後3時", None),
        ("身長170cm、30歳くらい", None),
        ("2030年1月1日", None),
        ("3日間に2件", None),
    ],
)
def test_a_time_is_read(text, expected):
    assert _find(text) == expected


def test_a_mail_of_january_tells_of_december():
    found = find_occurred("12月31日午後11時ころ", datetime(2026, 1, 1, 9, tzinfo=JST))
    assert found.at == datetime(2025, 12, 31, 23, tzinfo=JST)


def test_the_time_of_an_arrest_is_not_that_of_the_event():
    assert _find("11月20日に検挙しました。11月18日午後3時ころの声かけ事案です。") == ("11-18 15:00", None, "hour")
