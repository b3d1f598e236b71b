"""The plain fold: of one event's reports the last one holds. For sources without a grammar of their own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ingest.folding import Known
from ingest.reports import Report


def fold_latest(reports: Sequence[Report]) -> Known:
    """Take what the last report says.

    Its facts may hold `level` (0–5), `event` (a code), `lon` and `lat` (degrees, JGD2011) with
    `accuracy_m`, `occurred_at` (ISO 8601) and `is_over`; without a position the town is the place.
    """
    last = reports[-1]
    facts = last.facts
    occurred_at = facts.get("occurred_at")
    return Known(
        level=int(facts.get("level", 0)),
        event=str(facts.get("event", last.kind)),
        headline=last.headline,
        facts=facts,
        is_over=bool(facts.get("is_over", False)),
        occurred_at=datetime.fromisoformat(occurred_at) if occurred_at else last.reported_at,
        position=(float(facts["lon"]), float(facts["lat"])) if "lon" in facts and "lat" in facts else None,
        accuracy_m=facts.get("accuracy_m"),
    )
