"""What a weather telegram says about one hazard in one town, as the facts of a report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from gis.town import Town
from ingest.jma.area_body import AreaBody, AreaKind
from ingest.jma.hazards import (
    HAZARDS,
    LASTING,
    NOTICE_LEVELS,
    OLD_HAZARDS,
    SPECIAL_HAZARDS,
    hazard_of_bulletin,
    hazard_of_code,
)
from ingest.jma.levels import class_of, warning_level
from ingest.jma.river import RiverBody
from ingest.jma.telegram import Telegram
from ingest.jma.xml import JST
from ingest.reports import Unreadable

# From this day on the split warnings (VPWW55–61) hold, and the old ones beside them are not read (docs/decisions).
SPLIT_WARNINGS_FROM = date(2026, 5, 28)

_LANDSLIDE_ALERT_LEVEL = 4  # 土砂災害警戒情報 is 警戒レベル４相当; its successor says so in its name
_VOLCANO_LEVELS = (("居住地域", 4), ("噴火速報", 4), ("噴火警報", 3), ("火口周辺警報", 3))


def hazards_of(telegram: Telegram) -> tuple[str, ...]:
    """Return the hazards a telegram speaks about; one that lists the warnings in force speaks about all of its kind."""
    if telegram.code == "VPWW54":
        return OLD_HAZARDS
    if telegram.code == "VPNO50":
        return SPECIAL_HAZARDS
    if telegram.code == "VPBS50":
        return (hazard_of_bulletin(telegram.head_title),)
    return (HAZARDS[telegram.code],)


def is_overtaken(telegram: Telegram) -> bool:
    """Whether an old warning telegram is of the time when the split ones say the same."""
    return telegram.code == "VPWW54" and telegram.reported_at.astimezone(JST).date() >= SPLIT_WARNINGS_FROM


def state_facts(telegram: Telegram, hazard: str, town: Town) -> tuple[dict[str, Any], bool]:
    """Return the facts of one hazard in the town, and whether they concern it.

    The facts are those of `ingest.facts.WarningFacts` without `event`. Level 0 means that nothing is in force, which
    matters only while something was; it concerns the town when something was lifted (解除).

    Raises
    ------
    Unreadable : a warning whose class the name does not tell.
    """
    if telegram.action == "withdraw":
        return {"hazard": hazard}, False
    if isinstance(telegram.body, RiverBody):
        return _river_facts(telegram.body, hazard, town)
    if isinstance(telegram.body, AreaBody):
        kinds = [kind for kind in _kinds_here(telegram, telegram.body, hazard, town) if _is_of(kind, telegram, hazard)]
        warnings = [_warning(kind, telegram, hazard) for kind in kinds]
        return _facts(hazard, warnings, town.name_ja, _until(telegram, hazard))
    is_ours = hazard == "follow_up_quake" and town.jma_follow_up_quake
    notices = [_entry(telegram.title, "", "", NOTICE_LEVELS[hazard])] if is_ours else []
    return _facts(hazard, notices, town.name_ja, _until(telegram, hazard))


def _kinds_here(telegram: Telegram, body: AreaBody, hazard: str, town: Town) -> Sequence[AreaKind]:
    own = body.areas.get(town.jma_city, ())
    if telegram.code not in ("VPOA50", "VPBS50"):
        return own
    around = (code for code in (town.jma_city, town.jma_primary_area, town.jma_prefecture) if code in body.areas)
    kinds = next((body.areas[code] for code in around), ())
    if hazard != "record_rain":
        return kinds
    # A cloudburst is told of a municipality; that it fell somewhere in the prefecture is not this town's.
    is_here = town.jma_city in body.places or town.name_ja in f"{telegram.headline}{telegram.text}"
    return (kinds or next(iter(body.areas.values()), ())) if is_here else ()


def _is_of(kind: AreaKind, telegram: Telegram, hazard: str) -> bool:
    return telegram.code not in ("VPWW54", "VPNO50") or hazard_of_code(kind.code) == hazard


def _warning(kind: AreaKind, telegram: Telegram, hazard: str) -> dict[str, Any]:
    name = kind.name
    if telegram.code == "VXWW50":
        # Its kind is only called 警戒; the words are in the title.
        name = "レベル４土砂災害危険警報" if "危険警報" in telegram.head_title else telegram.title
    elif telegram.code == "VPBS50":
        name = f"{telegram.title.removeprefix('府県')}（{kind.condition}）"
    level = 0 if kind.is_lifted else _level(kind, telegram, hazard)
    status = kind.status if telegram.code != "VPBS50" else "発表"
    return _entry(name, kind.code, status, level, kind.condition, kind.sentences)


def _entry(
    name: str, code: str, status: str, level: int, condition: str = "", sentences: Sequence[str] = ()
) -> dict[str, Any]:
    return {
        "name": name,
        "code": code,
        "status": status,
        "level": level,
        "condition": condition,
        "sentences": list(sentences),
    }


def _level(kind: AreaKind, telegram: Telegram, hazard: str) -> int:
    if hazard in NOTICE_LEVELS:
        return NOTICE_LEVELS[hazard]
    if telegram.code == "VXWW50":
        return _LANDSLIDE_ALERT_LEVEL
    level = warning_level(kind.name)
    if hazard == "volcano":
        worded = f"{kind.name}{kind.condition}"
        level = level or next((known for words, known in _VOLCANO_LEVELS if words in worded), 0)
        return 0 if level == 1 else level  # 噴火警戒レベル１ is the volcano at rest
    if level is None:
        raise Unreadable(f"the class of the warning {kind.name!r} (code {kind.code!r}) is unknown")
    return level


def _until(telegram: Telegram, hazard: str) -> datetime | None:
    said = telegram.body.valid_until if isinstance(telegram.body, AreaBody) else None
    if hazard not in LASTING:
        return None
    return said or telegram.reported_at + LASTING[hazard]


def _river_facts(body: RiverBody, hazard: str, town: Town) -> tuple[dict[str, Any], bool]:
    is_ours = town.jma_city in body.city_codes or any(
        river in body.region or river in body.rivers for river in town.jma_rivers
    )
    entry = _entry(
        f"{body.region} {body.kind_name}", body.kind_code, body.condition, body.level, sentences=body.sentences
    )
    facts, concerns = _facts(hazard, [entry] if is_ours else [], body.region, None)
    return facts | {"rivers": list(body.rivers)}, concerns


def _facts(
    hazard: str, warnings: Sequence[dict[str, Any]], area_name: str, until: datetime | None
) -> tuple[dict[str, Any], bool]:
    level = max((warning["level"] for warning in warnings), default=0)
    facts = {
        "hazard": hazard,
        "level": level,
        "class": "notice" if level and hazard in NOTICE_LEVELS else class_of(level),
        "warnings": sorted(warnings, key=lambda warning: -int(warning["level"])),
        "area_name": area_name,
        "valid_until": until.isoformat() if until else None,
    }
    return facts, bool(warnings)
