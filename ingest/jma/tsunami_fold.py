"""What the telegrams of one tsunami say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ingest.folding import Known, latest
from ingest.reports import Report

LEVELS = {"major_warning": 5, "warning": 4, "advisory": 2, "forecast": 1, "none": 0}
# From an advisory on there was something to be cleared.
_CLEARABLE_LEVEL = LEVELS["advisory"]


def fold_tsunami(reports: Sequence[Report]) -> Known:
    """Fold standing reports, in order of their times.

    The class comes from the newest forecast for the town's coast (VTSE41, or VTSE51 which repeats it);
    a telegram that does not name the coast leaves it as it was. Observations add up, gauge by gauge.
    """
    expecting = latest(reports, ("VTSE41", "VTSE51"), "forecast")
    forecast: Mapping[str, Any] = expecting.facts["forecast"] if expecting else {}
    level = LEVELS[forecast["class"]] if forecast else 0
    observed = collect_observations(reports)
    quakes = [r.facts["quake"] for r in reports if "quake" in r.facts]
    quake: Mapping[str, Any] = quakes[-1] if quakes else {}
    estimating = latest(reports, ("VTSE52",), "estimated")
    worded = next((r for r in reversed(reports) if r.telegram == "VTSE41" and r.concerns_town), reports[-1])
    return Known(
        level=level,
        event=f"tsunami.{forecast['class']}" if forecast else "tsunami.observation",
        headline=worded.headline,
        facts={
            **quake,
            **forecast,
            **({"observed": observed} if observed else {}),
            **({"estimated": estimating.facts["estimated"]} if estimating else {}),
        },
        is_over=bool(forecast) and (level == 0 or (level < _CLEARABLE_LEVEL and _was_warned(reports))),
        occurred_at=_time(quake.get("origin_at")),
        columns=_columns(quake, forecast, observed),
    )


def collect_observations(reports: Sequence[Report]) -> list[dict[str, Any]]:
    """Return the newest observation of each gauge, in the order of their first appearance.

    A correction 訂正 replaces all that its kind of telegram had said.
    """
    gauges: dict[tuple[str, str], dict[str, Any]] = {}
    for report in reports:
        if report.action == "correct":
            gauges = {key: seen for key, seen in gauges.items() if key[0] != report.telegram}
        for seen in report.facts.get("observed", ()):
            gauges[report.telegram, seen["code"]] = seen
    return list(gauges.values())


def _was_warned(reports: Sequence[Report]) -> bool:
    return any(
        LEVELS.get(forecast.get(name) or "none", 0) >= _CLEARABLE_LEVEL
        for report in reports
        if (forecast := report.facts.get("forecast"))
        for name in ("class", "last_class")
    )


def _columns(
    quake: Mapping[str, Any], forecast: Mapping[str, Any], observed: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    # The highest gauge stands for all; gauges that only saw the first wave come last.
    worst = max(observed, key=lambda seen: (seen["height_m"] or -1.0, seen["arrival_at"] or ""), default={})
    return {
        "magnitude": quake.get("magnitude"),
        "magnitude_text": quake.get("magnitude_text"),
        "depth_m": quake.get("depth_m"),
        "hypocenter": quake.get("hypocenter"),
        "tsunami_height_m": forecast.get("height_m"),
        "tsunami_height_text": forecast.get("height_text") or None,
        "tsunami_arrival_at": _time(forecast.get("arrival_at")),
        "tsunami_arrival_text": forecast.get("arrival_text") or None,
        "observed_station": worst.get("station"),
        "observed_height_m": worst.get("height_m"),
        "observed_height_text": worst.get("height_text") or worst.get("condition") or None,
        "observed_at": _time(worst.get("height_at") or worst.get("arrival_at")),
    }


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
