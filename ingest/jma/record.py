"""From a telegram to the report of one town: what of it matters here, and which incident it belongs to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from gis.town import Town
from ingest.jma.earthquake import EarthquakeBody, Hypocenter
from ingest.jma.kinds import EVENT_CODES
from ingest.jma.long_period import LongPeriodBody
from ingest.jma.quantities import WORST_HEIGHT_RANK
from ingest.jma.telegram import Telegram, parse_telegram
from ingest.jma.tsunami import AreaForecast, Observation, TsunamiBody
from ingest.jma.weather_record import silent_report, weather_reports
from ingest.reports import Report

# What a height that JMA leaves open (NaN without a word) may be at worst, by class, in the unit of Height.rank.
_OPEN_RANKS = {"major_warning": WORST_HEIGHT_RANK, "warning": 300, "advisory": 100, "forecast": 20, "none": 0}


def parse_reports(body: bytes, town: Town) -> list[Report]:
    """Read a telegram into its reports: one, or one per hazard. Raises `Unreadable` as `parse_telegram` does."""
    telegram = parse_telegram(body)
    identity = _identity(telegram)
    if telegram.is_silent:
        return [silent_report(telegram, identity)]
    if telegram.code in EVENT_CODES:
        return [_event_report(telegram, town, identity)]
    return weather_reports(telegram, town, identity)


def _identity(telegram: Telegram) -> str:
    """Return what tells two messages apart.

    EventID and Serial are no universal key: several kinds of one event count on their own, VTSE41 has no Serial,
    VPWW5x has neither, VXWW50 has the same EventID for ever.
    """
    parts = (
        telegram.code,
        telegram.office,
        telegram.status,
        " ".join(telegram.event_ids),
        "" if telegram.serial is None else str(telegram.serial),
        telegram.action,
        telegram.reported_at.isoformat(),
        telegram.controlled_at.isoformat(),
        telegram.head_title,
    )
    return "|".join(parts)


def _event_report(telegram: Telegram, town: Town, identity: str) -> Report:
    """Reduce an earthquake or tsunami telegram to what concerns `town`."""
    kind = "tsunami" if telegram.code.startswith("VTSE") else "earthquake"
    facts, concerns_town = _facts(telegram, town)
    return Report(
        source_id=identity,
        telegram=telegram.code,
        kind=kind,
        status=telegram.status,
        action=telegram.action,
        event_key=f"jma:{kind}:{telegram.event_ids[0]}:{telegram.status}",
        serial=telegram.serial,
        reported_at=telegram.reported_at,
        controlled_at=telegram.controlled_at,
        office=telegram.office,
        headline=telegram.headline,
        text=telegram.text,
        facts=facts,
        concerns_town=concerns_town,
    )


def _facts(telegram: Telegram, town: Town) -> tuple[dict[str, Any], bool]:
    if isinstance(telegram.body, TsunamiBody):
        return _tsunami_facts(telegram.body, town)
    if isinstance(telegram.body, EarthquakeBody):
        return _earthquake_facts(telegram, telegram.body, town)
    if isinstance(telegram.body, LongPeriodBody):
        area = telegram.body.areas.get(town.jma_quake_area, "0")
        return {"long_period": {"area_class": area, "max_class": telegram.body.strongest}}, area != "0"
    return {}, False


def _earthquake_facts(telegram: Telegram, body: EarthquakeBody, town: Town) -> tuple[dict[str, Any], bool]:
    facts: dict[str, Any] = {"tsunami_comment": telegram.forecast_comment, "target_at": _iso(telegram.target_at)}
    if body.hypocenter:
        facts["quake"] = _quake(body.hypocenter)
    if body.shaking is None:
        return facts, False
    city, area = body.shaking.cities.get(town.jma_city), body.shaking.areas.get(town.jma_quake_area)
    facts["shaking"] = {
        "city_intensity": city.code if city else None,
        "city_is_missing": bool(city and city.is_missing),
        "area_intensity": area.code if area else None,
        "max_intensity": body.shaking.strongest,
    }
    # VXSE51 knows areas only; once the cities are known, a neighbour's shaking is not ours.
    return facts, city is not None or (telegram.code == "VXSE51" and area is not None)


def _tsunami_facts(body: TsunamiBody, town: Town) -> tuple[dict[str, Any], bool]:
    facts: dict[str, Any] = {}
    if body.hypocenter:
        facts["quake"] = _quake(body.hypocenter)
    forecast = next((item for item in body.forecasts if item.code == town.jma_tsunami_area), None)
    if forecast:
        facts["forecast"] = _forecast(forecast)
    observed = [_observed(item) for item in body.observations if item.area_code == town.jma_tsunami_area]
    if observed:
        facts["observed"] = observed
    estimated = next((item for item in body.estimations if item.area_code == town.jma_tsunami_area), None)
    if estimated:
        facts["estimated"] = {
            "height_m": estimated.height.height_m,
            "height_text": estimated.height.text,
            "arrival_at": _iso(estimated.arrival_at),
            "arrival_text": estimated.arrival_text,
        }
    is_warned = forecast is not None and {forecast.tsunami_class, forecast.last_class or "none"} != {"none"}
    return facts, is_warned or bool(observed) or estimated is not None


def _forecast(item: AreaForecast) -> dict[str, Any]:
    rank = item.height.rank
    return {
        "class": item.tsunami_class,
        "class_name": item.class_name,
        "last_class": item.last_class,
        "area_code": item.code,
        "area_name": item.name,
        "height_m": item.height.height_m,
        "height_text": item.height.text,
        "height_rank": _OPEN_RANKS[item.tsunami_class] if rank is None else rank,
        "arrival_at": _iso(item.arrival_at),
        "arrival_text": item.arrival_text,
    }


def _observed(item: Observation) -> dict[str, Any]:
    return {
        "station": item.station,
        "code": item.station_code,
        "arrival_at": _iso(item.arrival_at),
        "initial": item.initial,
        "height_m": item.height.height_m,
        "height_text": item.height.text,
        "height_at": _iso(item.height_at),
        "condition": item.condition,
    }


def _quake(hypocenter: Hypocenter) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "hypocenter": hypocenter.name,
        "origin_at": _iso(hypocenter.origin_at),
        "magnitude": hypocenter.magnitude,
        "magnitude_text": hypocenter.magnitude_text,
    }
    if hypocenter.position:
        position = hypocenter.position
        facts |= {
            "lat": position.lat,
            "lon": position.lon,
            "accuracy_m": position.accuracy_m,
            "depth_m": position.depth_m,
        }
    return facts


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
