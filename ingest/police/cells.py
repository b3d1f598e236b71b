"""Single cells of the police's tables: dates, hours, ages in bands, municipality codes."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache

JST = timezone(timedelta(hours=9))

_UNKNOWN = frozenset({"", "不明", "-", "―", "ー", "…", "*", "***"})
# The first year of each era (明治五年太政官布告第三百三十七号 and its successors).
_ERAS = {"令和": 2019, "R": 2019, "平成": 1989, "H": 1989}
_DATE = re.compile(
    r"(?:(?P<era>令和|平成|R|H)(?P<era_year>元|\d{1,2})|(?P<year>\d{4}))(?:[-/.]|年)"
    r"(?P<month>\d{1,2})(?:(?:[-/.]|月)(?P<day>\d{1,2}|不明)日?|月(?:日不明)?)(?:0?0:00(?::00)?)?"
)
_SHORT_DATE = re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})")
_HOUR = re.compile(r"(\d{1,2})(?:時台?|時頃|:00(?::00)?)?")
_AGE_RANGE = re.compile(r"(\d{1,3})[-~〜](\d{1,3})(?:歳代?)?")
_AGE_BAND = re.compile(r"(\d{1,3})(歳代|代|歳)?(以上|以下|未満)?")
# Open data of this kind began in 2019 with the year 2018; what lies far before is a slip of the pen.
_FIRST_YEAR = 2000


class WrongCell(ValueError):
    """A cell cannot be right; the message says why, without showing what stands in it of persons."""


@dataclass(frozen=True)
class Occurred:
    """When it began, as exactly as the police say.

    Attributes
    ----------
    at : the earliest moment that the words allow; None when not even the month is known.
    precision : `hour`, `day`, `month` or `unknown`.
    """

    at: datetime | None
    precision: str


@lru_cache(maxsize=16384)  # a table says the same few thousand words over and over
def plain(cell: str) -> str:
    """Write a cell in one way: full-width digits and signs become plain, spaces go."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", cell))


@lru_cache(maxsize=16384)
def known(cell: str) -> str:
    """Return a cell's plain words, "" when it says that nobody knows."""
    words = plain(cell)
    return "" if words in _UNKNOWN else words


def read_occurred(day_cell: str, hour_cell: str) -> Occurred:
    """Read date and hour.

    Raises
    ------
    WrongCell : there is no such day or hour, or it is written in a way that we do not know.
    """
    hour = _hour(known(hour_cell))
    day, has_day = _day(known(day_cell))
    if day is None:
        return Occurred(None, "unknown")
    if not has_day:
        return Occurred(day, "month")
    return Occurred(day, "day") if hour is None else Occurred(day.replace(hour=hour), "hour")


@lru_cache(maxsize=16384)
def _day(words: str) -> tuple[datetime | None, bool]:
    """Return the beginning of a day or month, None for none, and whether it is a day."""
    if not words:
        return None, False
    match = _DATE.fullmatch(words) or _SHORT_DATE.fullmatch(words)
    if match is None:
        raise WrongCell(f"the date {words!r} is not understood")
    parts = match.groupdict()
    if parts.get("era"):
        year = _ERAS[parts["era"]] + (1 if parts["era_year"] == "元" else int(parts["era_year"])) - 1
    else:
        year = int(parts["year"])
    has_day = parts["day"] is not None and parts["day"] != "不明"
    try:
        day = datetime(year, int(parts["month"]), int(parts["day"]) if has_day else 1, tzinfo=JST)
    except ValueError as error:
        raise WrongCell(f"there is no day {words!r}") from error
    if year < _FIRST_YEAR:
        raise WrongCell(f"the date {words!r} is before {_FIRST_YEAR}")
    return day, has_day


@lru_cache(maxsize=1024)
def _hour(words: str) -> int | None:
    if not words:
        return None
    match = _HOUR.fullmatch(words)
    if match is None or int(match[1]) > 23:
        raise WrongCell(f"the hour {words!r} is not 0 to 23")
    return int(match[1])


@lru_cache(maxsize=1024)
def read_age(cell: str) -> tuple[int | None, int | None]:
    """Return the least and greatest age of a band such as 65-69歳, 30歳代, 10歳代以下, 70歳以上; None = open.

    What is no age (法人, 不明) is open on both sides.
    """
    words = known(cell)
    if match := _AGE_RANGE.fullmatch(words):
        return int(match[1]), int(match[2])
    match = _AGE_BAND.fullmatch(words)
    if match is None:
        return None, None
    age, is_band = int(match[1]), match[2] in ("歳代", "代")
    last = age + 9 if is_band else age
    match match[3]:
        case "以上":
            return age, None
        case "以下":
            return 0, last
        case "未満":
            return 0, age - 1
    return age, last


@lru_cache(maxsize=16384)
def read_municipality_code(cell: str, prefecture: str) -> str:
    """Return the five digits of a 全国地方公共団体コード (JIS X 0401/0402), "" when there is none.

    Programs that take codes for numbers drop the leading zero: 11011 is 011011 札幌市中央区 if the row says 北海道,
    and would be a code of 埼玉県 without its check digit if not. The check digit decides, then the prefecture.

    Raises
    ------
    WrongCell : it is no code in any of the ways in which it may be written.
    """
    words = known(cell).removesuffix(".0")
    if not words:
        return ""
    if not re.fullmatch(r"\d{4,6}", words):
        raise WrongCell(f"the municipality code {words!r} is not 5 or 6 digits")
    readings = [words[:5]] if len(words) == 6 and is_code(words) else []
    if len(words) < 6 and is_code(words.zfill(6)):
        readings.append(words.zfill(6)[:5])
    if len(words) < 6:
        readings.append(words.zfill(5))
    if not readings:
        raise WrongCell(f"the municipality code {words!r} has the wrong check digit")
    name = known(prefecture)
    if not name:
        return readings[0]
    number = PREFECTURES.get(name)
    if number is None:
        raise WrongCell(f"{name!r} is no prefecture")
    for code in readings:
        if code.startswith(number):
            return code
    raise WrongCell(f"the municipality code {words!r} is none of {name}")


def is_code(words: str) -> bool:
    """Tell whether the last of six digits is the check digit of the others (総務省 全国地方公共団体コード仕様)."""
    total = sum(int(digit) * weight for digit, weight in zip(words[:5], (6, 5, 4, 3, 2), strict=True))
    return int(words[5]) == (11 - (total if total < 11 else total % 11)) % 10


# 都道府県コード 01 to 47, JIS X 0401.
_PREFECTURE_NAMES = """
北海道 青森県 岩手県 宮城県 秋田県 山形県 福島県 茨城県 栃木県 群馬県 埼玉県 千葉県 東京都 神奈川県 新潟県 富山県
石川県 福井県 山梨県 長野県 岐阜県 静岡県 愛知県 三重県 滋賀県 京都府 大阪府 兵庫県 奈良県 和歌山県 鳥取県 島根県
岡山県 広島県 山口県 徳島県 香川県 愛媛県 高知県 福岡県 佐賀県 長崎県 熊本県 大分県 宮崎県 鹿児島県 沖縄県
"""
PREFECTURES = {name: f"{number:02}" for number, name in enumerate(_PREFECTURE_NAMES.split(), 1)}
