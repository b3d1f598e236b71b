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
    lapses_at : until when it holds if nobody says anything more; None: until it is lifted.
    columns : the attributes of `layers.incident` that only this kind has.
    position : (lon, lat) in degrees, JGD2011; None: the town itself is the place.
    accuracy_m : of the position, metres; None for an area.
    area : the area concerned as a GeoJSON geometry, lon/lat in degrees; goes before the position.
    is_personal : the public sees an area of several households, though the policy of the kind does not ask for it.
    """

    level: int
    event: str
    headline: str
    facts: Mapping[str, Any]
    is_over: bool = False
    lapses_at: datetime | None = None
    occurred_at: datetime | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    position: tuple[float, float] | None = None
    accuracy_m: float | None = None
    area: Mapping[str, Any] | None = None
    is_personal: bool = False


@dataclass(frozen=True)
class IncidentState:
    """An incident after one of its reports (`report`): what is known, and where it stands in its life.

    Attributes
    ----------
    episode : which incident of a series that runs on, counted from where its reports begin; else 0.
    """

    report: Report
    known: Known
    state: Literal["open", "updated", "resolved", "cancelled"]
    phase: Phase
    level: int
    episode: int = field(default=0, compare=False)

    @property
    def resolved_at(self) -> datetime | None:
        return self.report.reported_at if self.state in ("resolved", "cancelled") else None


Fold = Callable[[Sequence[Report]], Known]


def timeline(reports: Iterable[Report], fold: Fold, is_running: bool = False) -> list[IncidentState]:
    """Return the state after each report that matters; empty while nothing concerns the town.

    A report matters that concerns the town, withdraws something, or adds to what is known.

    Parameters
    ----------
    reports : all reports of one event, in any order.
    fold : what the standing reports of this kind say together; called with at least one that concerns the town.
    is_running : the key names a series without end (the heavy rain warnings of one office). What comes after the
        end of an incident begins another (`episode`), and a withdrawal takes back the last telegram, not all.
    """
    course = _Course(fold, is_running)
    for report in sorted(reports, key=lambda report: report.order):
        course.take(report)
    return course.states


class _Course:
    """The fold's progress through the reports of one key."""

    def __init__(self, fold: Fold, is_running: bool) -> None:
        self.states: list[IncidentState] = []
        self._fold = fold
        self._is_running = is_running
        self._standing: list[Report] = []
        self._known: Known | None = None
        self._episode = 0

    def take(self, report: Report) -> None:
        if self._is_running and self._begins_anew(report):
            self._standing, self._known = [], None
            self._episode += 1
        before, known_before = self._standing, self._known
        if report.action == "withdraw":
            self._standing = _take_back(report, before) if self._is_running else _withdraw(report, before)
        else:
            self._standing = [*before, report]
        is_known = any(_concerns(earlier) for earlier in self._standing)
        if is_known:
            self._known = self._fold(self._standing)
        matters = _concerns(report) or len(self._standing) < len(before) or self._known != known_before
        own = [state for state in self.states if state.episode == self._episode]
        if self._known and matters and not (self._known.is_over and self._is_no_end(own)):
            self.states.append(_state(report, self._known, is_known, own, self._episode))

    def _is_no_end(self, own: Sequence[IncidentState]) -> bool:
        """Whether "over" is no news in a running series: it is over already, or nobody ever heard that it began."""
        return self._is_running and (not own or own[-1].phase in ("cleared", "withdrawn"))

    def _begins_anew(self, report: Report) -> bool:
        if self._known is None or not _concerns(report) or self._fold([report]).is_over:
            return False
        has_lapsed = self._known.lapses_at is not None and self._known.lapses_at < report.reported_at
        return self._known.is_over or has_lapsed or not any(_concerns(earlier) for earlier in self._standing)


def _withdraw(report: Report, standing: Sequence[Report]) -> list[Report]:
    gone = _WITHDRAWS.get(report.telegram, frozenset({report.telegram}))
    return [earlier for earlier in standing if earlier.telegram not in gone]


def _take_back(report: Report, standing: Sequence[Report]) -> list[Report]:
    """Drop the newest telegram of the withdrawn kind: what stood before it stands again until it is lifted."""
    newest = next((earlier for earlier in reversed(standing) if earlier.telegram == report.telegram), None)
    return [earlier for earlier in standing if earlier is not newest]


def _concerns(report: Report) -> bool:
    # A withdrawal has no areas; its row is marked only when it is found to belong to an incident.
    return report.concerns_town and report.action != "withdraw"


def _state(
    report: Report, known: Known, is_known: bool, before: Sequence[IncidentState], episode: int
) -> IncidentState:
    if not is_known:
        return IncidentState(report, known, "cancelled", "withdrawn", 0, episode)
    if known.is_over:
        return IncidentState(report, known, "resolved", "cleared", known.level, episode)
    # After an all-clear or a withdrawal the next word begins anew.
    is_first = not before or before[-1].phase in ("cleared", "withdrawn")
    return IncidentState(
        report, known, "updated" if before else "open", "issued" if is_first else "updated", known.level, episode
    )


def latest(reports: Sequence[Report], telegrams: Iterable[str], part: str) -> Report | None:
    """Return the last report of these kinds whose facts have `part`."""
    wanted = frozenset(telegrams)
    return next((r for r in reversed(reports) if r.telegram in wanted and part in r.facts), None)
