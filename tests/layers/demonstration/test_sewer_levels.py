"""Sizes and levels follow from ground and flow."""

from __future__ import annotations

import pytest

from layers.demonstration.sewer_levels import Level, Run, full_capacity_m3_per_s, lay_pipes


def test_a_pipe_on_level_ground_falls_by_its_least_slope_beneath_its_cover() -> None:
    assert lay_pipes([Run(100.0, 5.0, 5.0, None)], 0.1) == [Level(200, 3.6, 3.3)]


def test_a_pipe_follows_ground_that_falls_faster_than_it_needs() -> None:
    assert lay_pipes([Run(100.0, 5.0, 3.0, None)], 0.1) == [Level(200, 3.6, 1.6)]


def test_a_pipe_under_a_steep_street_begins_deeper_instead_of_running_too_fast() -> None:
    (level,) = lay_pipes([Run(100.0, 10.0, 5.0, None)], 0.1)
    assert level == Level(200, 6.6, 3.6)


def test_where_pipes_meet_the_next_one_begins_beneath_the_lowest_crown() -> None:
    runs = [Run(30.0, 5.0, 5.0, 2), Run(90.0, 5.0, 5.0, 2), Run(30.0, 5.0, 5.0, None)]
    short, long, onward = lay_pipes(runs, 0.1)
    assert onward.upstream_invert_m == pytest.approx(long.downstream_invert_m - 0.02, abs=0.002)
    assert onward.upstream_invert_m < short.downstream_invert_m


def test_pipes_grow_with_what_they_carry_in_whatever_order_they_are_given() -> None:
    runs = [Run(50.0, 5.0, 5.0, number - 1 if number else None) for number in range(40)]
    sizes = [level.diameter_mm for level in lay_pipes(runs, 5.0)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 200 < sizes[0]


def test_runs_in_a_circle_are_refused() -> None:
    with pytest.raises(ValueError, match="in a circle"):
        lay_pipes([Run(10.0, 5.0, 5.0, 1), Run(10.0, 5.0, 5.0, 0)], 0.1)


def test_a_full_pipe_carries_what_manning_says() -> None:
    # 200 mm at 3 ‰, n = 0.013: v = 0.572 m/s, A = 0.0314 m²
    assert full_capacity_m3_per_s(200, 0.003) == pytest.approx(0.01797, abs=2e-5)
