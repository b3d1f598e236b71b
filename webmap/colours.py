"""Colours for styles: palettes that colour-blind people can read, and hints about colours that they cannot.

Contrast as WCAG 2.2 defines it (1.4.11: 3:1 for graphics); deuteranopia after Machado, Oliveira and Fernandes,
"A Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE TVCG 15 (2009), severity 1.0.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from gis.settings import DATA_DIR

GROUND = "#f4f1ea"  # of the map where nothing lies
LEAST_CONTRAST = 3.0
_LEAST_DIFFERENCE = 12.0  # CIE 1976 colour difference; 2.3 is just noticeable side by side, a map needs more
_DEUTERANOPIA = (
    (0.367322, 0.860646, -0.227968),
    (0.280085, 0.672501, 0.047413),
    (-0.011820, 0.042940, 0.968881),
)
_TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
_WHITE = (0.9505, 1.0, 1.089)

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Palette:
    """Colours that go together. `is_ordered`: they run from small to great."""

    name: str
    title: dict[str, str]
    colors: tuple[str, ...]
    is_ordered: bool

    def pick(self, count: int) -> list[str]:
        """Return `count` colours: spread over an ordered palette, else one after the other and from the start again."""
        if not self.is_ordered:
            return [self.colors[n % len(self.colors)] for n in range(count)]
        return [self._at(n / max(count - 1, 1)) for n in range(count)]

    def _at(self, place: float) -> str:
        where = place * (len(self.colors) - 1)
        low = min(int(where), len(self.colors) - 2)
        pair = zip(_bytes(self.colors[low]), _bytes(self.colors[low + 1]), strict=True)
        return "#" + "".join(f"{round(a + (b - a) * (where - low)):02x}" for a, b in pair)


@cache
def load_palettes() -> dict[str, Palette]:
    """Read `data/palettes.toml`."""
    tables = tomllib.loads((DATA_DIR / "palettes.toml").read_text(encoding="utf-8"))
    return {
        name: Palette(name, entry["title"], tuple(entry["colors"]), entry["is_ordered"])
        for name, entry in tables.items()
    }


def contrast(color: str, other: str = GROUND) -> float:
    """Return the contrast of two colours, `#rrggbb`, from 1 to 21."""
    light, dark = sorted((_luminance(color) + 0.05, _luminance(other) + 0.05), reverse=True)
    return light / dark


def alike(colors: Sequence[str]) -> list[tuple[int, int]]:
    """Return the pairs of colours, by position, that somebody with deuteranopia cannot tell apart on a map."""
    seen = [_lab(_mix(_DEUTERANOPIA, _linear(color))) for color in colors]
    return [(a, b) for a, b in combinations(range(len(seen)), 2) if _distance(seen[a], seen[b]) < _LEAST_DIFFERENCE]


def _luminance(color: str) -> float:
    return sum(weight * part for weight, part in zip(_TO_XYZ[1], _linear(color), strict=True))


def _linear(color: str) -> Triple:
    """The light of a colour, as sRGB (IEC 61966-2-1) defines it."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in _bytes(color))
    )
    return red, green, blue


def _bytes(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _mix(matrix: tuple[Triple, Triple, Triple], light: Triple) -> Triple:
    first, second, third = (
        min(max(sum(weight * part for weight, part in zip(row, light, strict=True)), 0.0), 1.0) for row in matrix
    )
    return first, second, third


def _lab(light: Triple) -> Triple:
    """CIE 1976 L*a*b* under D65."""
    x, y, z = (
        ratio ** (1 / 3) if ratio > 216 / 24389 else (24389 / 27 * ratio + 16) / 116
        for ratio in (
            sum(weight * part for weight, part in zip(row, light, strict=True)) / white
            for row, white in zip(_TO_XYZ, _WHITE, strict=True)
        )
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _distance(one: Triple, other: Triple) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5)
