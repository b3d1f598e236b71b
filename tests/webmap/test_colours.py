"""Colours that people can see and tell apart."""

from __future__ import annotations

import pytest

from webmap.colours import alike, contrast, load_palettes


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#0072b2", "#0072b2", 1.0)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, expected: float) -> None:
    assert contrast(one, other) == pytest.approx(expected, abs=0.01)


def test_red_and_green_are_alike_for_deuteranopes_and_the_safe_palette_is_not() -> None:
    assert alike(["#8a6d00", "#5a8a00"]) == [(0, 1)]
    assert alike(load_palettes()["okabe_ito"].colors[:7]) == []


def test_a_palette_gives_as_many_colours_as_asked_from_its_first_to_its_last() -> None:
    viridis = load_palettes()["viridis"]
    assert viridis.pick(2) == ["#440154", "#fde725"]
    assert len(set(viridis.pick(9))) == 9
    assert len(load_palettes()["okabe_ito"].pick(20)) == 20
