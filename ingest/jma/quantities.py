"""JMA's ways to write a place, a magnitude, an intensity and a height (地震火山関連XML電文解説資料, jmx_eb)."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass

from lxml import etree

from ingest.jma.xml import path_of, text_of
from ingest.reports import Unreadable

INTENSITIES = ("1", "2", "3", "4", "5-", "5+", "6-", "6+", "7")
# No value has come from the station, and it must be 5- or stronger.
_INTENSITY_MISSING = frozenset({"震度５弱以上未入電", "!5-"})

# Latitude and longitude are given in steps of 0.1 degree, or of 0.1 minute: half a step, in metres of latitude.
_DEGREE_ACCURACY_M = 5600.0
_MINUTE_ACCURACY_M = 93.0

_COORDINATE = re.compile(r"([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)?/")

# The rank of 巨大 and 10m超: nothing is worse. Other ranks are centimetres.
WORST_HEIGHT_RANK = 10_000
_WORDED_RANKS = {"巨大": WORST_HEIGHT_RANK, "高い": 300}


@dataclass(frozen=True)
class Position:
    """A hypocentre: degrees, JGD2011; depth in metres below sea level (None: 不明); accuracy in metres."""

    lat: float
    lon: float
    depth_m: float | None
    accuracy_m: float


@dataclass(frozen=True)
class Height:
    """A tsunami height.

    Attributes
    ----------
    height_m : metres, None when JMA gives words only (巨大, 高い) or nothing; with 超 or 未満 it is the bound.
    text : as JMA writes it, e.g. 巨大, １０ｍ超, "" when nothing is said.
    rank : for comparing, larger is worse; None when neither a number nor a known word is given.
    """

    height_m: float | None
    text: str
    rank: int | None


def parse_coordinates(elements: list[etree._Element]) -> Position | None:
    """Return the most exact of several `Coordinate` elements; None when the hypocentre is unknown.

    `+38.0+142.9-10000/` is latitude, longitude, height in metres; in the type 震源位置（度分） the
    first two are degrees and minutes (`+3901.7` = 39° 01.7′).
    """
    positions = [position for element in elements if (position := _parse_coordinate(element)) is not None]
    return min(positions, key=lambda position: position.accuracy_m, default=None)


def _parse_coordinate(element: etree._Element) -> Position | None:
    value = (element.text or "").strip()
    if not value:
        return None
    match = _COORDINATE.fullmatch(value)
    if match is None:
        raise Unreadable(f"{path_of(element)}: {value!r} is no position")
    in_minutes = "度分" in element.get("type", "")
    lat, lon = (_degrees(float(part)) if in_minutes else float(part) for part in match.group(1, 2))
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise Unreadable(f"{path_of(element)}: {value!r} is not on the earth")
    depth_m = None if match.group(3) is None else abs(float(match.group(3)))
    return Position(lat, lon, depth_m, _MINUTE_ACCURACY_M if in_minutes else _DEGREE_ACCURACY_M)


def _degrees(degrees_minutes: float) -> float:
    whole, minutes = divmod(abs(degrees_minutes), 100)
    return math.copysign(whole + minutes / 60, degrees_minutes)


def parse_number(element: etree._Element) -> float | None:
    """Return the element's number, None for NaN or nothing (then its `description` says what is meant)."""
    value = (element.text or "").strip()
    if not value:
        return None
    try:
        number = float(value)
    except ValueError as error:
        raise Unreadable(f"{path_of(element)}: {value!r} is no number") from error
    return number if math.isfinite(number) else None


def parse_intensity(place: etree._Element) -> tuple[str | None, bool]:
    """Read the `MaxInt` of a place: (intensity code or None, whether a value of 5- or more is missing).

    Raises
    ------
    Unreadable : the code is not one of JMA's.
    """
    value = text_of(place, "MaxInt")
    if value in _INTENSITY_MISSING:
        return None, True
    if not value:
        return None, False
    if value not in INTENSITIES:
        raise Unreadable(f"{path_of(place)}/MaxInt: {value!r} is no seismic intensity")
    return value, False


def parse_height(element: etree._Element | None) -> Height:
    """Read `TsunamiHeight`. `NaN` never compares as small: its rank comes from the words, or is None."""
    if element is None:
        return Height(None, "", None)
    height_m = parse_number(element)
    text = element.get("description", "").strip()
    for word, rank in _WORDED_RANKS.items():
        if word in text:
            return Height(height_m, text, rank)
    if height_m is None:
        return Height(None, text, None)
    plain = unicodedata.normalize("NFKC", text)
    if height_m >= 10 and "超" in plain:
        return Height(height_m, text, WORST_HEIGHT_RANK)
    return Height(height_m, text, round(height_m * 100) + ("超" in plain))
