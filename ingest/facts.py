"""What `ingest.situation.facts` holds: the contract between those who listen and those who warn.

All keys are optional; a missing value is absent or null, never 0 or "". Times are ISO 8601 with
+09:00. Texts are as the source wrote them.
"""

from __future__ import annotations

from typing import TypedDict


class LongPeriodFacts(TypedDict):
    """長周期地震動階級 (0–4, as text) of the town's area and of the strongest one."""

    area_class: str
    max_class: str


class QuakeFacts(TypedDict, total=False):
    """The earthquake itself: degrees, JGD2011; metres below sea level; the text says what a number cannot."""

    hypocenter: str
    lat: float
    lon: float
    accuracy_m: float
    depth_m: float | None
    origin_at: str | None
    magnitude: float | None
    magnitude_text: str


class EarthquakeFacts(QuakeFacts, total=False):
    """Facts of the kind `earthquake`; intensities are JMA's codes (1 … 4, 5-, 5+, 6-, 6+, 7)."""

    city_intensity: str | None
    city_is_missing: bool  # 震度５弱以上未入電: a value of 5- or more has not come in
    area_intensity: str | None
    max_intensity: str | None
    tsunami_comment: str
    long_period: LongPeriodFacts


class ObservedFacts(TypedDict, total=False):
    """What one tide gauge has seen."""

    station: str
    code: str
    arrival_at: str | None
    initial: str
    height_m: float | None
    height_text: str
    height_at: str | None
    condition: str


# "class" is a keyword, so this one has the functional form.
TsunamiForecastFacts = TypedDict(
    "TsunamiForecastFacts",
    {
        "class": str,  # major_warning | warning | advisory | forecast | none
        "class_name": str,
        "last_class": str | None,
        "area_code": str,
        "area_name": str,
        "height_m": float | None,
        "height_text": str,
        "height_rank": int,  # larger is worse; 巨大 and 10m超 are the worst
        "arrival_at": str | None,
        "arrival_text": str,
    },
    total=False,
)


class EstimatedFacts(TypedDict, total=False):
    """What the gauges off the coast (沖合) mean for the town's coast."""

    height_m: float | None
    height_text: str
    arrival_at: str | None
    arrival_text: str


class TsunamiFacts(TsunamiForecastFacts, QuakeFacts, total=False):
    """Facts of the kind `tsunami`."""

    observed: list[ObservedFacts]
    estimated: EstimatedFacts


class InForce(TypedDict):
    """One warning or notice: `name` as JMA calls it (レベル３大雨警報), `sentences` when it is expected."""

    name: str
    code: str
    status: str
    level: int
    condition: str
    sentences: list[str]


WarningFacts = TypedDict(
    "WarningFacts",
    {
        # weather.<hazard>.<class>, other.<hazard>.<class>, landslide.<class>, storm_surge.<class>, flood.<class>
        "event": str,
        # heavy_rain wind waves snow other record_rain rain_band snow_burst tornado bulletin,
        # landslide storm_surge flood, volcano ash follow_up_quake
        "hazard": str,
        "level": int,
        "class": str,  # special_warning | danger_warning | warning | advisory | notice | none
        "warnings": list[InForce],  # in force, the worst first
        "lifted": list[str],  # names of what the last report lifted
        "area_name": str,  # the town, or the stretch of river
        "rivers": list[str],
        "valid_until": str | None,  # notices only: they lapse, nobody lifts them
    },
    total=False,
)
WarningFacts.__doc__ = "Facts of the kinds `weather`, `landslide`, `storm_surge`, `flood` and, for volcanoes, `other`."
