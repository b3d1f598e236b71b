"""When it happened, as Japanese police write it: eras, 午後0時, 昨日, 中旬, ころ, から…までの間."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

JST = timezone(timedelta(hours=9))

# The first year of each era; 元 is 1.
_ERAS = {"令和": 2019, "R": 2019, "平成": 1989, "H": 1989}
_RELATIVE = {
    **dict.fromkeys(("本日", "今日", "きょう", "今朝", "今夜", "今晩"), 0),
    **dict.fromkeys(("昨日", "きのう", "昨夜", "昨晩", "昨夕"), 1),
    **dict.fromkeys(("一昨日", "おととい"), 2),
}
# From and to, in hours of the day; what ends after 24 goes into the next day.
_BANDS = {
    "未明": (0, 4),
    **dict.fromkeys(("早朝", "明け方"), (4, 7)),
    **dict.fromkeys(("朝", "今朝"), (6, 10)),
    "午前中": (0, 12),
    "昼前": (10, 12),
    **dict.fromkeys(("昼ごろ", "昼頃"), (11, 14)),
    "昼過ぎ": (12, 15),
    **dict.fromkeys(("昼間", "日中"), (9, 17)),
    **dict.fromkeys(("夕方", "昨夕"), (15, 19)),
    **dict.fromkeys(("夜", "今夜", "今晩"), (18, 24)),
    **dict.fromkeys(("夜間", "昨夜", "昨晩"), (18, 29)),
    "深夜": (22, 29),
}
_THIRDS = {"上旬": (1, 10), "中旬": (11, 20), "下旬": (21, 31)}

_WEEKDAY = r"(?:\s?\((?:日|月|火|水|木|金|土)(?:曜日?)?(?:・祝)?\)|\s?(?:日|月|火|水|木|金|土)曜日?)?"


def _one_of(words: Iterable[str]) -> str:
    """Return a pattern for the longest of some words."""
    return "|".join(sorted(words, key=len, reverse=True))


_DATE = (
    # R7.11.19 and 2025/11/19; 7.11 alone may be a version of anything, 1.11月 the number of a notice.
    r"(?:(?:(?P<era>令和|平成|R|H)\s?(?P<era_year>元|\d{1,2})\s?[年./-]|(?P<year>元|\d{1,2}(?=\s?年)|\d{4})\s?[年./-])\s?)?"
    r"(?P<month>\d{1,2})\s?"
    r"(?:月\s?(?P<day>\d{1,2})\s?日|[./-]\s?(?P<day2>\d{1,2})(?!\d|/|\.\d)日?|月\s?(?P<third>上旬|中旬|下旬))"
    r"|(?P<only_third>上旬|中旬|下旬)"
    r"|(?P<next>翌日?)(?:\s?(?P<next_day>\d{1,2})\s?日)?|(?P<same>同日)"
    rf"|(?P<relative>{_one_of(_RELATIVE)})"
    r"|(?P<only_day>(?<![\d月年])\d{1,2})\s?日(?!間|目|以内|前|後)"
)
_CLOCK = (
    r"(?P<half>午前|午後|AM|PM|am|pm)?\s?(?P<hour>\d{1,2})\s?(?:時(?!間)\s?(?:(?P<minute>\d{1,2})\s?分|(?P<halfhour>半))?|:(?P<minute2>\d{2})(?!\d))"
    rf"|(?P<noon>正午)|(?P<zero>零時|れい時)|(?P<band>{_one_of(_BANDS)})"
)
_MOMENT = re.compile(rf"(?:(?:{_DATE}){_WEEKDAY})?[\s、,の]{{0,2}}(?:{_CLOCK})?")
_ABOUT = r"(?:ころ|頃|ごろ|前後|過ぎ|すぎ)?"
_RANGE = re.compile(rf"\s?{_ABOUT}\s?(?:から|より|~|-|―|及び)[、\s]?")
_NO_EVENT = re.compile(
    rf"{_ABOUT}[にへ、]?\s?(?:お?知らせ|配信|送信|メール|現在|検挙|逮捕|発見され|保護され|解決|解除)"
)


@dataclass(frozen=True)
class Occurred:
    """When something happened.

    Attributes
    ----------
    at : the earliest moment that the words allow; until : the latest, None when it is one moment.
    precision : `minute`, `hour`, `band` (夕方), `day`, `third` (中旬).
    start, end : where it stands in the text, in characters.
    """

    at: datetime
    until: datetime | None
    precision: str
    start: int
    end: int


@dataclass(frozen=True)
class _Moment:
    day: date
    last_day: date
    clock: time | None
    until_hour: int | None
    precision: str
    start: int
    end: int

    @property
    def at(self) -> datetime:
        return datetime.combine(self.day, self.clock or time(), JST)

    @property
    def until(self) -> datetime | None:
        if self.until_hour is not None:
            return datetime.combine(self.day, time(), JST) + timedelta(hours=self.until_hour)
        if self.precision in ("day", "third"):
            return datetime.combine(self.last_day, time(), JST) + timedelta(days=1)
        return None


def find_occurred(text: str, sent_at: datetime) -> Occurred | None:
    """Return the first time in a text that something happened; None when none is named or it cannot be.

    Parameters
    ----------
    text : in NFKC form. sent_at : gives the year, 本日 and 20日; what lies after it by more than a day did not happen.
    """
    today = sent_at.astimezone(JST).date()
    latest = sent_at + timedelta(days=1)
    for first in _moments(text, today, None):
        if first.at > latest or _NO_EVENT.match(text, first.end):
            continue
        joint = _RANGE.match(text, first.end)
        last = next(_moments(text[: joint.end() + 40], today, first, joint.end()), None) if joint else None
        if joint and last and last.start <= joint.end() + 1:
            until = last.until if last.clock is None else last.at
            if until and first.at < until <= latest + timedelta(days=1):
                return Occurred(first.at, until, first.precision, first.start, last.end)
        return Occurred(first.at, first.until, first.precision, first.start, first.end)
    return None


def _moments(text: str, today: date, before: _Moment | None, start: int = 0) -> Iterator[_Moment]:
    """Yield the moments from `start` on; one without a date is of the day before it, or of today."""
    known = before
    for match in _MOMENT.finditer(text, start):
        if not match[0].strip(" 、,の"):
            continue
        found = _read(match, today, known)
        if found is not None:
            yield found
            known = found


def _read(match: re.Match[str], today: date, known: _Moment | None) -> _Moment | None:
    try:
        days = _days(match, today, known)
        clock, until_hour, precision = _clock(match, known)
    except (ValueError, OverflowError):
        return None
    if days is None:
        # A clock without a date, or with the day of the one before it.
        if known is None and match["half"] is None and match["noon"] is None and match["band"] is None:
            return None
        days = (known.day, known.day) if known else (today, today)
    if precision == "day" and (match["third"] or match["only_third"]):
        precision = "third"
    day, last_day = days
    if clock is not None and match["hour"] and int(match["hour"]) == 24:
        day = last_day = day + timedelta(days=1)
    return _Moment(day, last_day, clock, until_hour, precision, match.start(), match.end())


def _days(match: re.Match[str], today: date, known: _Moment | None) -> tuple[date, date] | None:
    base = known.day if known else today
    if match["relative"]:
        day = today - timedelta(days=_RELATIVE[match["relative"]])
        return day, day
    if match["next"]:
        day = base + timedelta(days=1)
        if match["next_day"] and int(match["next_day"]) != day.day:
            raise ValueError("翌 and the day do not agree")
        return day, day
    if match["same"]:
        return base, base
    if match["only_day"]:
        day = base.replace(day=1)
        number = int(match["only_day"])
        if known is None and number > base.day:
            day = (day - timedelta(days=1)).replace(day=1)
        return day.replace(day=number), day.replace(day=number)
    if match["only_third"]:
        if known is None:
            raise ValueError("a third of no month")
        return _third(known.day.year, known.day.month, match["only_third"])
    if not match["month"]:
        return None
    month, year = int(match["month"]), _year(match)
    if match["third"]:
        return _third(year or (today.year if month <= today.month else today.year - 1), month, match["third"])
    number = int(match["day"] or match["day2"])
    day = date(year or base.year, month, number)
    if year is None and day > today + timedelta(days=1):
        # A mail of January tells of December.
        day = day.replace(year=day.year - 1)
    return day, day


def _third(year: int, month: int, name: str) -> tuple[date, date]:
    first, last = _THIRDS[name]
    return date(year, month, first), date(year, month, min(last, calendar.monthrange(year, month)[1]))


def _year(match: re.Match[str]) -> int | None:
    words = match["era_year"] or match["year"]
    if words is None:
        return None
    number = 1 if words == "元" else int(words)
    if match["era"]:
        return _ERAS[match["era"]] + number - 1
    # 7年 is of the era of today; no police writes of the first years of our count.
    return number if number > 99 else _ERAS["令和"] + number - 1


def _clock(match: re.Match[str], known: _Moment | None) -> tuple[time | None, int | None, str]:
    """Return the time, for a band its end in hours, and the precision."""
    if match["noon"]:
        return time(12), None, "hour"
    if match["zero"]:
        return time(0), None, "hour"
    band = match["band"] or (match["relative"] if match["relative"] in _BANDS and not match["hour"] else None)
    if band:
        first, last = _BANDS[band]
        return time(first), last, "band"
    if not match["hour"]:
        return None, None, "day"
    hour, half = int(match["hour"]), (match["half"] or "").upper()
    minute = int(match["minute"] or match["minute2"] or (30 if match["halfhour"] else 0))
    if half and hour == 12:
        # By the law of 1872 午後12時 is midnight, in most mouths it is noon: only the day is sure.
        return None, None, "day"
    if not half and match["relative"] in ("昨夜", "昨晩", "今夜", "今晩") and 5 <= hour < 12:
        hour += 12
    if half in ("午後", "PM") and hour < 12:
        hour += 12
    elif (
        not half
        and known is not None
        and known.clock is not None
        and known.clock.hour > 12 >= hour + 1
        and hour + 12 > known.clock.hour
    ):
        hour += 12  # 午後3時から4時まで
    exact = match["minute"] or match["minute2"] or match["halfhour"]
    return time(0 if hour == 24 else hour, minute), None, "minute" if exact else "hour"
