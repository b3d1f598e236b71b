"""What the telegrams of one hazard say together: warnings that run on, floods, notices that lapse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ingest.folding import Known
from ingest.jma.hazards import SPLIT_HAZARDS, event_of, kind_of
from ingest.reports import Report

_OLD_WARNINGS = "VPWW54"
_SPECIAL_NOTE = "VPNO50"


def fold_running(reports: Sequence[Report]) -> Known:
    """Fold standing reports of one hazard, in order of their times.

    Each telegram lists all that is in force, so the newest of its kind holds; kinds that speak about the same
    hazard (VPWW56 and VXWW50) hold side by side, and the worst of them gives the level. It is over when none of
    them has anything in force.
    """
    holding = _holding(reports)
    worst = max(holding, key=lambda report: (int(report.facts["level"]), report.order)).facts
    hazard, level = str(worst["hazard"]), int(worst["level"])
    warnings = _in_force(holding)
    area_name = str(worst["area_name"])
    begun = next((r.reported_at for r in reports if r.facts["level"]), reports[0].reported_at)
    return Known(
        level=level,
        event=event_of(hazard, str(worst["class"])),
        headline=_headline(reports[-1], warnings, area_name),
        facts={
            **worst,
            "event": event_of(hazard, str(worst["class"])),
            "warnings": warnings,
            "lifted": [w["name"] for w in reports[-1].facts["warnings"] if not w["level"]],
        },
        is_over=level == 0,
        occurred_at=begun,
        lapses_at=_lapse(holding),
    )


def _holding(reports: Sequence[Report]) -> list[Report]:
    """Return the newest report of each kind, without those that another kind overrides.

    Where the split warnings are known the old ones are silent: both tell the same, and never both count. VPNO50
    only announces a special warning; the warning telegram that comes with it, or later, knows better.
    """
    newest = {report.telegram: report for report in reports}
    split = [report for code, report in newest.items() if code in SPLIT_HAZARDS]
    if split:
        newest.pop(_OLD_WARNINGS, None)
    warned = split or [report for code, report in newest.items() if code == _OLD_WARNINGS]
    note = newest.get(_SPECIAL_NOTE)
    if note and any(report.reported_at >= note.reported_at for report in warned):
        del newest[_SPECIAL_NOTE]
    now = reports[-1].reported_at
    running = [report for report in newest.values() if not _has_lapsed(report, now)]
    return running or list(newest.values())


def _in_force(holding: Sequence[Report]) -> list[dict[str, Any]]:
    """Return the warnings in force, the worst first, each name once."""
    by_name: dict[str, dict[str, Any]] = {}
    for warning in (warning for report in holding for warning in report.facts["warnings"] if warning["level"]):
        known = by_name.get(warning["name"])
        if known is None or len(known["sentences"]) < len(warning["sentences"]):
            by_name[warning["name"]] = warning
    return sorted(by_name.values(), key=lambda warning: -int(warning["level"]))


def _headline(last: Report, warnings: Sequence[Mapping[str, Any]], area_name: str) -> str:
    lifted = [warning["name"] for warning in last.facts["warnings"] if not warning["level"]]
    names = "・".join(warning["name"] for warning in warnings) or "・".join(dict.fromkeys(lifted))
    if not names:
        return last.headline
    words = names if warnings or names.endswith("解除") else f"{names} 解除"
    # A flood forecast names its region already.
    return words if words.startswith(area_name) else f"{words}（{area_name}）"


def _lapse(holding: Sequence[Report]) -> datetime | None:
    ends = [report.facts.get("valid_until") for report in holding]
    return max(datetime.fromisoformat(end) for end in ends if end) if ends and all(ends) else None


def _has_lapsed(report: Report, now: datetime) -> bool:
    until = report.facts.get("valid_until")
    return until is not None and datetime.fromisoformat(until) < now


RUNNING_FOLDS = {kind_of(hazard): fold_running for hazard in ("landslide", "storm_surge", "flood", "wind", "volcano")}
