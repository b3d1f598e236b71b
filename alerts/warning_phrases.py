"""Facts of a warning (weather, landslide, storm surge, flood) in words of one language."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from alerts.catalogue import fill, find_text, load_texts, write_moment
from gis.town import Town

_MOST_PERIODS = 3


def warning_blanks(texts: Mapping[str, Any], facts: Mapping[str, Any], town: Town, language: str) -> dict[str, object]:
    """Return what the texts of a warning may use.

    `name` and `periods` are the source's own Japanese words: the worst warning in force, and when it is expected.
    `hazard` is in the reader's language. `area` is the town, or the stretch of river. `until` is "" for what holds
    until it is lifted.
    """
    warnings = facts.get("warnings", ())
    hazard = str(texts["hazard"][facts["hazard"]])
    area = facts.get("area_name") or ""
    until = facts.get("valid_until")
    sentences = [unicodedata.normalize("NFKC", text) for warning in warnings for text in warning["sentences"]]
    return {
        "hazard": hazard,
        "name": unicodedata.normalize("NFKC", warnings[0]["name"]) if warnings else hazard,
        "area": town.name(language) if area in ("", town.name_ja) else area,
        "periods": list(dict.fromkeys(sentences))[:_MOST_PERIODS],
        "until": write_moment(datetime.fromisoformat(until), language, "clock") if until else "",
    }


def write_title(event: str, language: str) -> str:
    """Write what a warning is called in general, e.g. 大雨警報 or "Heavy Rain Warning (level 3)".

    Parameters
    ----------
    event : code of a warning kind, e.g. `weather.heavy_rain.warning` or `landslide.warning`.

    Raises
    ------
    KeyError, FileNotFoundError : there are no texts for the event.
    """
    kind, _, rest = event.partition(".")
    texts = load_texts(kind, language)
    hazard = str(texts["hazard"][rest.rpartition(".")[0] or kind])
    words = texts.get("class", {}).get(event.rpartition(".")[2], "")
    return fill(find_text(texts["event"], event), {"hazard": hazard, "name": f"{hazard}{words}"})
