"""Coordinates of a dispatch: in degrees of a datum that is named, or none at all."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Any

from ingest.reports import Place

# JGD2011 and WGS 84 are one within a metre; JGD2000 differs by up to five metres here, which no dispatch notices.
_DATUMS = {"jgd2011": 0.0, "wgs84": 1.0, "jgd2000": 6.0}
_ACCURACY_M = 50.0
_JAPAN = (122.0, 20.0, 154.5, 46.5)  # lon, lat, lon, lat


def read_place(lon: Any, lat: Any, datum: str, accuracy_m: Any = None, text: str = "") -> Place:
    """Return a place from what a message says.

    Parameters
    ----------
    lon, lat : decimal degrees. datum : must be named; Tokyo Datum (旧日本測地系) is 450 m off and looks the same.
    accuracy_m : radius in metres, None = 50.

    Raises
    ------
    ValueError : what is wrong, for the sender.
    """
    name = re.sub(r"[\s_()-]", "", unicodedata.normalize("NFKC", datum)).lower()
    if name not in _DATUMS:
        said = f"{datum[:30]!r} is not" if datum else "is missing; write"
        raise ValueError(f"the datum {said} JGD2011, JGD2000 or WGS84 (Tokyo Datum is not taken: it is 450 m off)")
    x, y = _degrees(lon), _degrees(lat)
    min_lon, min_lat, max_lon, max_lat = _JAPAN
    if not (min_lon <= x <= max_lon and min_lat <= y <= max_lat):
        swapped = min_lon <= y <= max_lon and min_lat <= x <= max_lat
        hint = ": longitude and latitude are swapped" if swapped else "; degrees are wanted, not metres or minutes"
        raise ValueError(f"the position is not in Japan{hint}")
    radius_m = _ACCURACY_M if accuracy_m is None else _number(accuracy_m)
    if not 0 <= radius_m <= 50_000:
        raise ValueError("accuracy_m is not between 0 and 50000 metres")
    return Place(x, y, max(radius_m, _DATUMS[name]), text)


def _degrees(value: Any) -> float:
    if isinstance(value, str) and re.search(r"[°度′分:]|\d\.\d+\.\d", value):
        raise ValueError("decimal degrees are wanted, not degrees, minutes and seconds")
    return _number(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("a number is wanted")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise ValueError("a number is wanted") from None
    if not math.isfinite(number):
        raise ValueError("a number is wanted")
    return number
