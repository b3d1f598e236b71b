"""Sizes and levels of a gravity sewer tree, from the ground and what flows in.

Rules of thumb of 『下水道施設計画・設計指針と解説』 (日本下水道協会): the smallest pipe that carries twice the peak
flow when full (Manning, n = 0.013), never smaller than the one before, at least 1.2 m of cover, crowns meeting crowns
(管頂接合), slopes of 1–30 ‰, steeper for small pipes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

MIN_COVER_M = 1.2
MAX_SLOPE = 0.030
_STEP_M = 0.02  # fall through a manhole
_ROUGHNESS = 0.013
_RESERVE = 2.0
_PEAK_M3_PER_S_AND_PERSON = 0.6 / 86400  # 600 L a day at the hour of most flow
# Inner diameter, mm → least slope at which the pipe keeps itself clean.
_LEAST_SLOPES = {
    200: 0.0030, 250: 0.0024, 300: 0.0020, 350: 0.0018, 400: 0.0016, 450: 0.0015, 500: 0.0014, 600: 0.0012, 700: 0.0010,
    800: 0.0010,
}  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One pipe to be laid from its own upstream manhole: `onward` is the run that takes its water, None at the end.

    Lengths in metres; `ground_m` above T.P. at the upstream manhole, `onward_ground_m` at the downstream one.
    """

    length_m: float
    ground_m: float
    onward_ground_m: float
    onward: int | None


@dataclass(frozen=True)
class Level:
    """What a run gets: inner diameter and invert levels (管底高) above T.P."""

    diameter_mm: int
    upstream_invert_m: float
    downstream_invert_m: float


def lay_pipes(runs: Sequence[Run], persons_per_m: float) -> list[Level]:
    """Return a level for each run of a tree.

    Parameters
    ----------
    runs : in any order; the graph that `onward` makes has no cycle.
    persons_per_m : people behind each metre of sewer.
    """
    drained_m = [run.length_m for run in runs]
    incoming: list[list[int]] = [[] for _ in runs]
    levels: list[Level | None] = [None] * len(runs)
    for number in _downstream_order(runs):
        run, onward = runs[number], runs[number].onward
        arriving = [level for other in incoming[number] if (level := levels[other]) is not None]
        levels[number] = _lay(run, arriving, drained_m[number] * persons_per_m)
        if onward is not None:
            drained_m[onward] += drained_m[number]
            incoming[onward].append(number)
    return [level for level in levels if level is not None]


def full_capacity_m3_per_s(diameter_mm: int, slope: float) -> float:
    """Return what a round pipe carries when full, by Manning's formula."""
    diameter_m = diameter_mm / 1000
    area_m2, hydraulic_radius_m = math.pi * diameter_m**2 / 4, diameter_m / 4
    return float(area_m2 * hydraulic_radius_m ** (2 / 3) * math.sqrt(slope) / _ROUGHNESS)


def _lay(run: Run, arriving: Sequence[Level], persons: float) -> Level:
    wanted = persons * _PEAK_M3_PER_S_AND_PERSON * _RESERVE
    least = max((level.diameter_mm for level in arriving), default=200)
    fitting = [d for d, slope in _LEAST_SLOPES.items() if d >= least and full_capacity_m3_per_s(d, slope) >= wanted]
    diameter_mm = fitting[0] if fitting else max(_LEAST_SLOPES)
    diameter_m = diameter_mm / 1000
    crowns = [level.downstream_invert_m + level.diameter_mm / 1000 - _STEP_M for level in arriving]
    upper = min([run.ground_m - MIN_COVER_M, *crowns]) - diameter_m
    highest_lower = run.onward_ground_m - MIN_COVER_M - diameter_m
    lower = min(upper - _LEAST_SLOPES[diameter_mm] * run.length_m, highest_lower)
    # Where the ground falls steeply, the pipe begins deeper instead of running too fast.
    upper = min(upper, lower + MAX_SLOPE * run.length_m)
    return Level(diameter_mm, _down_to_mm(upper), _down_to_mm(lower))


def _down_to_mm(level_m: float) -> float:
    # Rounded first, or 3.6 that is 3.5999999… would lose a millimetre.
    return math.floor(round(level_m * 1000, 3)) / 1000


def _downstream_order(runs: Sequence[Run]) -> list[int]:
    """Runs so that each stands after all that flow into it."""
    waiting = [0] * len(runs)
    for run in runs:
        if run.onward is not None:
            waiting[run.onward] += 1
    ready = [number for number, count in enumerate(waiting) if count == 0]
    ordered = []
    while ready:
        number = ready.pop()
        ordered.append(number)
        onward = runs[number].onward
        if onward is not None:
            waiting[onward] -= 1
            if waiting[onward] == 0:
                ready.append(onward)
    if len(ordered) < len(runs):
        raise ValueError("runs flow in a circle")
    return ordered
