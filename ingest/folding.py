"""The fold: reports of one event, in the order of their times, into what is known after each of them.

Pure: the same reports give the same states in whatever order they arrived. An older message never
overwrites a newer one, and a withdrawn one is as if it had never been sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ingest.reports import Report

Phase = Literal["issued", "updated", "cleared", "withdrawn"]

# A withdrawal of the key withdraws these kinds of the same event. The details of a tsunami warning fall with the
# warning; everything else withdraws its own kind only (the hypocentre of VXSE52 does not take VXSE53's with it).
_WITHDRAWS: Mapping[str, frozenset[str]] = {"VTSE41": frozenset({"VTSE41", "VTSE51", "VTSE52"})}


@dataclass(frozen=True)
class Known:
    """What the standing reports of an event say together.

    Attributes
    ----------
    level : 0–5; event : code such as `tsunami.major_warning`.
    is_over : the source has said that it is over (解除).
    columns : the attributes of `layers.incident` that only this kind has.
    position : (lon, lat) in degrees, JGD2011; None: the town itself is the place.
    accuracy_m : of the position, metres; None for an area.
    """

    level: int
    event: str
    headline: str
    facts: Mapping[str, Any]
    is_over: bool = False
    occurred_at: datetime | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    position: tuple[float, float] | None = None
    accuracy_m: float | None = None


@dataclass(frozen=True)
class IncidentState:
    """An incident after one of its reports (`report`): what is known, and where it stands in its life."""

    report: Report
    known: Known
    state: Literal["open", "updated", "resolved", "cancelled"]
    phase: Phase
    level: int

    @property
    def resolved_at(self) -> datetime | None:
        return self.report.reported_at if self.state in ("resolved", "cancelled") else None


Fold = Callable[[Sequence[Report]], Known]


def timeline(reports: Iterable[Report], fold: Fold) -> list[IncidentState]:
    """Return the incident's state after each report that matters; empty while nothing concerns the town.

    A report matters that concerns the town, withdraws something, or adds to what is known.

    Parameters
    ----------
    reports : all reports of one event, in any order.
    fold : what the standing reports of this kind say together; called with at least one that concerns the town.
    """
    standing: list[Report] = []
    states: list[IncidentState] = []
    known: Known | None = None
    for report in sorted(reports, key=lambda report: report.order):
        before, known_before = standing, known
        standing = _withdraw(report, standing) if report.action == "withdraw" else [*standing, report]
        is_known = any(_concerns(earlier) for earlier in standing)
        if is_known:
            known = fold(standing)
        matters = _concerns(report) or len(standing) < len(before) or known != known_before
        if known and matters:
            states.append(_state(report, known, is_known, states))
    return states


def _withdraw(report: Report, standing: Sequence[Report]) -> list[Report]:
    gone = _WITHDRAWS.get(report.telegram, frozenset({report.telegram}))
    return [earlier for earlier in standing if earlier.telegram not in gone]


def _concerns(report: Report) -> bool:
    # A withdrawal has no areas; its row is marked only when it is found to belong to an incident.
    return report.concerns_town and report.action != "withdraw"


def _state(report: Report, known: Known, is_known: bool, before: Sequence[IncidentState]) -> IncidentState:
    if not is_known:
        return IncidentState(report, known, "cancelled", "withdrawn", 0)
    if known.is_over:
        return IncidentState(report, known, "resolved", "cleared", known.level)
    # After an all-clear or a withdrawal the next word begins anew.
    is_first = not before or before[-1].phase in ("cleared", "withdrawn")
    return IncidentState(
        report, known, "updated" if before else "open", "issued" if is_first else "updated", known.level
    )


def latest(reports: Sequence[Report], telegrams: Iterable[str], part: str) -> Report | None:
    """Return the last report of these kinds whose facts have `part`."""
    wanted = frozenset(telegrams)
    return next((r for r in reversed(reports) if r.telegram in wanted and part in r.facts), None)
