"""The plain fold: of one event's reports the last one holds, and what it leaves unsaid stands from before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ingest.folding import Known
from ingest.reports import Report


def fold_latest(reports: Sequence[Report]) -> Known:
    """Take what the last report says; facts and place that it does not name stand from the reports before it.

    Facts may hold `level` (0–5), `event` (a code), `category` and `place_name` (as the public may read them),
    `occurred_at` (ISO 8601) with `time_precision` (data/codes/time_precision.toml; none: to the minute), `is_over`,
    and `lon` and `lat` (degrees, JGD2011) with `accuracy_m`. A private place
    (`Report.private`) goes before these, an `area` (GeoJSON geometry) before all. Without a position the town is the
    place.
    """
    last = reports[-1]
    facts: dict[str, Any] = {}
    for report in reports:
        facts |= {key: value for key, value in report.facts.items() if value is not None}
    place = next((report.private.place for report in reversed(reports) if report.private.place), None)
    position, accuracy_m = None, facts.get("accuracy_m")
    if place:
        position, accuracy_m = (place.lon, place.lat), place.accuracy_m
    elif "lon" in facts and "lat" in facts:
        position = (float(facts["lon"]), float(facts["lat"]))
    occurred_at = facts.get("occurred_at")
    return Known(
        level=int(facts.get("level", 0)),
        event=str(facts.get("event", last.kind)),
        headline=last.headline,
        facts=facts,
        is_over=bool(last.facts.get("is_over", False)),
        occurred_at=datetime.fromisoformat(occurred_at) if occurred_at else reports[0].reported_at,
        columns={
            "category": facts.get("category"),
            "occurred_precision": (facts.get("time_precision") if occurred_at else "unknown"),
            "place_name": facts.get("place_name"),
            "description": next((report.text for report in reversed(reports) if report.text), None),
        },
        position=position,
        accuracy_m=accuracy_m,
        area=facts.get("area"),
    )
