"""地名: the quarters of the town (`layers.town_block`) by their names, each with a position and how far it reaches."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import cos, hypot, radians

from sqlalchemy import Connection

from gis.queries import load_queries

_QUERIES = load_queries(__file__)
_DIGITS = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_KANJI_NUMBER = re.compile(r"([一二三四五六七八九]?十[一二三四五六七八九]?|[一二三四五六七八九])(?=丁目)")
_BARE_CHOME = re.compile(r"\d*丁目")
# Who runs a school or hall is left out of its name as often as not: 東松島市立矢本東小学校.
_OWNED = re.compile(r"^[^\s都道府県市区町村]{0,6}?[都道府県市区町村]立")
# 大字, 字 and 小字 stand before a name or not, as the writer likes.
_PREFIXES = re.compile(r"(?:大字|小字|字)")
_METRES_PER_DEGREE = 111_195.0  # of latitude, on a sphere of 6,371 km: far finer than any quarter is
# A point says nothing of how far its quarter reaches; no 小字 is told apart more finely than this.
_LEAST_RADIUS_M = 250.0


@dataclass(frozen=True)
class Quarter:
    """A 町字 or one 小字・丁目 of it.

    Attributes
    ----------
    name, sub_name : as the gazetteer writes them; sub_name "" for the quarter as a whole. Of a landmark (a school, a
        hall) sub_name is its own name, and name the quarter it stands in.
    other_names : by which it goes, too (an old name, a short one).
    lon, lat : of its middle, degrees, JGD2011. radius_m : of a circle around it that covers the quarter, metres.
    """

    name: str
    sub_name: str
    lon: float
    lat: float
    radius_m: float
    other_names: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        return self.name + self.sub_name


class Gazetteer:
    """All quarters of the town, to be asked by words."""

    def __init__(self, quarters: Iterable[Quarter]) -> None:
        self.quarters = tuple(quarters)

    @cached_property
    def by_words(self) -> Mapping[str, Quarter]:
        """Normalised name → quarter; a 小字 by its full name, and by its own name where no other has it."""
        found: dict[str, Quarter] = {}
        short: dict[str, set[Quarter]] = defaultdict(set)
        for quarter in self.quarters:
            found[normalise(quarter.full_name)] = quarter
            for words in filter(None, (quarter.sub_name, *quarter.other_names)):
                short[normalise(words)].add(quarter)
        for words, owners in short.items():
            # One character alone, or a bare 丁目, is in too many texts by chance; what two go by names neither.
            if len(owners) == 1 and len(words) > 1 and not _BARE_CHOME.fullmatch(words):
                found.setdefault(words, *owners)
        return found

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        words = sorted(self.by_words, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, words)) or r"(?!)")

    def find_all(self, text: str) -> list[Quarter]:
        """Return the quarters that a text names, in its order, each at its longest name."""
        found: list[Quarter] = []
        for match in self._pattern.finditer(normalise(text)):
            quarter = self.by_words[match[0]]
            if quarter not in found:
                found.append(quarter)
        return found


def normalise(text: str) -> str:
    """Write a place name in the one way that names are compared in.

    Full-width forms become plain, 丁目 gets digits, ヶ and が between names become ケ, 大字・字 and spaces go.
    """
    plain = unicodedata.normalize("NFKC", text)
    plain = re.sub(r"\s+", "", plain)
    plain = _KANJI_NUMBER.sub(lambda match: str(_number(match[1])), plain)
    plain = re.sub(r"[ヶヵ]", "ケ", plain)
    return _PREFIXES.sub("", plain)


def load_gazetteer(connection: Connection) -> Gazetteer:
    """Read the town's quarters; empty when none are loaded. Role: service or a department."""
    given = [
        Quarter(row.name, row.sub_name, row.lon, row.lat, row.radius_m, _split(row.other_names))
        for row in connection.execute(_QUERIES["quarters"])
    ]
    landmarks = [
        Quarter(row.quarter, row.name, row.lon, row.lat, _LEAST_RADIUS_M, _without_owner(row.name))
        for row in connection.execute(_QUERIES["landmarks"])
    ]
    return Gazetteer([*_reaching(given), *landmarks])


def has_gazetteer(connection: Connection) -> bool:
    """Whether any quarter is loaded: without them nothing that happened has a place. Role: service or a department."""
    return bool(connection.execute(_QUERIES["has_quarters"]).scalar_one())


def _split(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in re.split(r"[、,，;；/／・]", names) if name.strip())


def _without_owner(name: str) -> tuple[str, ...]:
    short = _OWNED.sub("", name)
    return (short,) if short != name else ()


def distance_m(one: Quarter, other: Quarter) -> float:
    """Return the distance between two quarters' middles in metres (on a sphere; good to 0.5 %)."""
    north = (one.lat - other.lat) * _METRES_PER_DEGREE
    east = (one.lon - other.lon) * _METRES_PER_DEGREE * cos(radians((one.lat + other.lat) / 2))
    return hypot(north, east)


def _reaching(quarters: list[Quarter]) -> list[Quarter]:
    """Give quarters that are only points a radius: to the farthest 小字 of the quarter, or to the next of its kind."""
    of_name: dict[str, list[Quarter]] = defaultdict(list)
    for quarter in quarters:
        of_name[quarter.name].append(quarter)
    found = []
    for name, group in of_name.items():
        subs = [quarter for quarter in group if quarter.sub_name]
        for quarter in group:
            found.append(quarter if quarter.radius_m else _with_radius(quarter, subs, quarters))
        if subs and len(subs) == len(group):
            # Only its parts are known: the whole is the middle of them.
            middle = Quarter(
                name, "", sum(sub.lon for sub in subs) / len(subs), sum(sub.lat for sub in subs) / len(subs), 0
            )
            found.append(_with_radius(middle, subs, quarters))
    return found


def _with_radius(quarter: Quarter, subs: list[Quarter], quarters: list[Quarter]) -> Quarter:
    if not quarter.sub_name and subs:
        reach = max(distance_m(quarter, sub) for sub in subs) + _LEAST_RADIUS_M
    else:
        others = [other for other in quarters if (other.lon, other.lat) != (quarter.lon, quarter.lat)]
        reach = min((distance_m(quarter, other) for other in others), default=_LEAST_RADIUS_M)
    return replace(quarter, radius_m=max(reach, _LEAST_RADIUS_M))


def _number(kanji: str) -> int:
    if "十" not in kanji:
        return _DIGITS[kanji]
    tens, ones = kanji.split("十")
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)
