"""What `ingest.situation.facts` holds: the contract between those who listen and those who warn.

All keys are optional; a missing value is absent or null, never 0 or "". Times are ISO 8601 with
+09:00. Texts are as the source wrote them.
"""

from __future__ import annotations

from typing import TypedDict


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
