"""Hazards: what a weather telegram is about, which kind of incident that is, and how long a notice holds."""

from __future__ import annotations

from datetime import timedelta

# The split warnings (Ｒ０６, in force since 2026-05-28): one hazard each.
SPLIT_HAZARDS = {
    "VPWW55": "heavy_rain",
    "VPWW56": "landslide",
    "VPWW57": "storm_surge",
    "VPWW58": "wind",
    "VPWW59": "waves",
    "VPWW60": "snow",
    "VPWW61": "other",
}
# Telegrams of one hazard each that say nothing about other hazards.
HAZARDS = SPLIT_HAZARDS | {
    "VXWW50": "landslide",
    "VXKOii": "flood",
    "VPOA50": "record_rain",
    "VPHW50": "tornado",
    "VPHW51": "tornado",
    "VFVO50": "volcano",
    "VFVO56": "volcano",
    "VFVO54": "ash",
    "VFVO55": "ash",
    "VYSE60": "follow_up_quake",
}

# Warning codes → hazard (コード表 警報・注意報), for telegrams that hold several hazards (VPWW54, VPNO50).
# Of the old 大雨 the part 土砂災害 stays with the rain: the condition says it.
_CODES = {
    "heavy_rain": ("03", "10", "33", "43"),
    "landslide": ("09", "29", "39", "49"),
    "storm_surge": ("08", "19", "38", "48"),
    "wind": ("02", "05", "13", "15", "32", "35"),
    "waves": ("07", "16", "37"),
    "snow": ("06", "12", "36"),
    "flood": ("04", "18"),
}
_HAZARD_BY_CODE = {code: hazard for hazard, codes in _CODES.items() for code in codes}

# All hazards that VPWW54 tells about, and those that may have a special warning (VPNO50).
OLD_HAZARDS = ("heavy_rain", "storm_surge", "wind", "waves", "snow", "flood", "other")
SPECIAL_HAZARDS = ("heavy_rain", "landslide", "storm_surge", "wind", "waves", "snow")

# 府県気象防災速報: words of the head's title → hazard.
_BULLETINS = {"記録的短時間大雨": "record_rain", "線状降水帯": "rain_band", "大雪": "snow_burst", "竜巻": "tornado"}
_OTHER_BULLETIN = "bulletin"

# Notices have no end of their own (解除), so they lapse. 竜巻注意情報 says until when; the bulletins describe what
# falls now, and JMA repeats them while it goes on. 後発地震注意情報 calls for a week of care.
LASTING = {
    "record_rain": timedelta(hours=3),
    "rain_band": timedelta(hours=3),
    "snow_burst": timedelta(hours=6),
    "tornado": timedelta(hours=1),
    "bulletin": timedelta(hours=3),
    "ash": timedelta(hours=6),
    "follow_up_quake": timedelta(days=7),
}
# The level of a notice. JMA gives 記録的短時間大雨 and 線状降水帯 when 警戒レベル４相当 is reached somewhere in
# the area.
NOTICE_LEVELS = {
    "record_rain": 4,
    "rain_band": 4,
    "snow_burst": 3,
    "tornado": 2,
    "bulletin": 2,
    "ash": 2,
    "follow_up_quake": 2,
}

_KINDS = {
    "landslide": "landslide",
    "storm_surge": "storm_surge",
    "flood": "flood",
    "volcano": "other",
    "ash": "other",
    "follow_up_quake": "other",
}


def hazard_of_code(code: str) -> str:
    """Return the hazard of a warning code."""
    return _HAZARD_BY_CODE.get(code, "other")


def hazard_of_bulletin(head_title: str) -> str:
    """Return the hazard of 府県気象防災速報, which only its title tells when it is withdrawn."""
    return next((hazard for word, hazard in _BULLETINS.items() if word in head_title), _OTHER_BULLETIN)


def kind_of(hazard: str) -> str:
    """Return the incident kind of a hazard, a code of `data/codes/incident_kind.toml`."""
    return _KINDS.get(hazard, "weather")


def event_of(hazard: str, warning_class: str) -> str:
    """Return the event code: `weather.heavy_rain.warning`; `landslide.warning` where the kind is the hazard."""
    kind = kind_of(hazard)
    return f"{kind}.{warning_class}" if kind == hazard else f"{kind}.{hazard}.{warning_class}"
