"""Facts of a situation in words of one language: heights, arrivals, intensities."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from alerts.catalogue import fill, load_texts, write_moment
from alerts.events import WARNING_KINDS
from alerts.warning_phrases import warning_blanks
from gis.town import Town

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
# JMA's words for an arrival without a time (気象庁防災情報XMLフォーマット 地震火山関連解説資料, FirstHeight/Condition).
_ARRIVALS = {
    "津波到達中と推測": "arriving",
    "第1波の到達を確認": "confirmed",
    "ただちに津波来襲と予測": "imminent",
}


def write_height(texts: Mapping[str, Any], height_m: float | None, height_text: str | None) -> str:
    """Write an expected tsunami height; "" when nothing was said about it.

    巨大 means that JMA does not know the height and expects the worst; it must never read as a missing number.

    Parameters
    ----------
    texts : the catalogue of kind tsunami.
    height_m : metres, None when JMA gives no number.
    height_text : JMA's own words, e.g. `巨大`, `１０ｍ超`.
    """
    words = unicodedata.normalize("NFKC", height_text or "")
    forms = texts["height"]
    if "巨大" in words:
        return str(forms["huge"])
    if "高い" in words:
        return str(forms["high"])
    number = _NUMBER.search(words)
    if number:
        form = "over" if "超" in words or "以上" in words else "under" if "未満" in words else "plain"
        return fill(forms[form], {"n": number.group()})
    if height_m is not None:
        return fill(forms["plain"], {"n": f"{height_m:g}"})
    return words


def write_arrival(texts: Mapping[str, Any], arrival_at: str | None, arrival_text: str | None, language: str) -> str:
    """Write when the first wave comes; "" when nothing was said. `arrival_at` is ISO 8601 with offset."""
    words = unicodedata.normalize("NFKC", arrival_text or "")
    if words:
        return str(texts["arrival"].get(_ARRIVALS.get(words, ""), words))
    if arrival_at:
        time = write_moment(datetime.fromisoformat(arrival_at), language, "clock")
        return fill(texts["arrival"]["at"], {"time": time})
    return ""


def write_magnitude(facts: Mapping[str, Any], language: str) -> str:
    """Write the magnitude; words where JMA has no number (Ｍ８を超える巨大地震, Ｍ不明); "" when nothing was said."""
    words = unicodedata.normalize("NFKC", facts.get("magnitude_text") or "")
    forms = load_texts("common", language)["magnitude"]
    if "超える" in words:
        return str(forms["giant"])
    if "不明" in words:
        return str(forms["unknown"])
    return words


def tsunami_blanks(texts: Mapping[str, Any], facts: Mapping[str, Any], town: Town, language: str) -> dict[str, object]:
    """Return what the texts of kind tsunami may use."""
    coast = facts.get("area_name") or town.prefecture_ja
    return {
        "coast": town.prefecture_en if language == "en" and coast == town.prefecture_ja else coast,
        "height": write_height(texts, facts.get("height_m"), facts.get("height_text")),
        "arrival": write_arrival(texts, facts.get("arrival_at"), facts.get("arrival_text"), language),
        "hypocenter": facts.get("hypocenter") or "",
        "magnitude": write_magnitude(facts, language),
    }


def earthquake_blanks(
    texts: Mapping[str, Any], facts: Mapping[str, Any], town: Town, language: str
) -> dict[str, object]:
    """Return what the texts of kind earthquake may use."""
    name = town.name(language)
    intensity = facts.get("city_intensity") or facts.get("area_intensity") or ""
    origin = facts.get("origin_at")
    return {
        "intensity": texts["intensity"].get(intensity, intensity),
        "area": name if facts.get("city_intensity") else fill(texts["area"]["region"], {"town": name}),
        "origin": write_moment(datetime.fromisoformat(origin), language, "clock") if origin else "",
        "hypocenter": facts.get("hypocenter") or "",
        "magnitude": write_magnitude(facts, language),
    }


BLANKS = {"tsunami": tsunami_blanks, "earthquake": earthquake_blanks} | dict.fromkeys(WARNING_KINDS, warning_blanks)
