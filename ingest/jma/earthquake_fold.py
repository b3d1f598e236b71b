"""What the telegrams of one earthquake say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ingest.folding import Known, latest
from ingest.reports import Report

# Policy levels (docs/decisions): 震度6弱 and more is where buildings fall.
_LEVELS = {"7": 5, "6+": 5, "6-": 5, "5+": 4, "5-": 4, "4": 3, "3": 2, "2": 1, "1": 1}
_LEVEL_WHEN_MISSING = _LEVELS["5-"]

# While the hypocentre is unknown the incident stands on the town; the shaking came from somewhere within this.
_UNKNOWN_HYPOCENTER_ACCURACY_M = 100_000.0


def fold_earthquake(reports: Sequence[Report]) -> Known:
    """Fold standing reports, in order of their times.

    Intensities come from the newest VXSE53 (every city), before it from VXSE51 (areas only); the
    hypocentre from VXSE61 (the corrected one) or the newest of VXSE52 and VXSE53.
    """
    shaken = latest(reports, ("VXSE53",), "shaking") or latest(reports, ("VXSE51",), "shaking")
    located = latest(reports, ("VXSE61",), "quake") or latest(reports, ("VXSE52", "VXSE53"), "quake")
    shaking: Mapping[str, Any] = shaken.facts["shaking"] if shaken else {}
    quake: Mapping[str, Any] = located.facts["quake"] if located else {}
    worded = next((r for r in reversed(reports) if r.telegram in ("VXSE53", "VXSE51") and r.concerns_town), reports[-1])
    comments = [r.facts["tsunami_comment"] for r in reports if r.facts.get("tsunami_comment")]
    swayed = latest(reports, ("VXSE62",), "long_period")
    facts = {
        **quake,
        **shaking,
        **({"tsunami_comment": comments[-1]} if comments else {}),
        **({"long_period": swayed.facts["long_period"]} if swayed else {}),
    }
    has_position = "lon" in quake
    return Known(
        level=shaking_level(shaking),
        event="earthquake.intensity",
        headline=worded.headline,
        facts=facts,
        occurred_at=_time(quake.get("origin_at") or (shaken.facts.get("target_at") if shaken else None)),
        columns={
            "max_intensity": shaking.get("max_intensity"),
            "city_intensity": shaking.get("city_intensity"),
            "magnitude": quake.get("magnitude"),
            "magnitude_text": quake.get("magnitude_text"),
            "depth_m": quake.get("depth_m"),
            "hypocenter": quake.get("hypocenter"),
        },
        position=(quake["lon"], quake["lat"]) if has_position else None,
        accuracy_m=quake["accuracy_m"] if has_position else _UNKNOWN_HYPOCENTER_ACCURACY_M,
    )


def shaking_level(shaking: Mapping[str, Any]) -> int:
    """Return the level 0–5 of the town's shaking: the city's own, the area's while that is unknown.

    A value of 5- or more that has not come in (未入電) counts as 5-: unknown is not calm.
    """
    intensity = shaking.get("city_intensity") or shaking.get("area_intensity")
    level = _LEVELS.get(intensity, 0) if intensity else 0
    return max(level, _LEVEL_WHEN_MISSING) if shaking.get("city_is_missing") else level


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
