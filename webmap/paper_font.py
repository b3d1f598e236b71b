"""The Japanese font of what is printed: embedded, so that the paper reads the same on any machine and in any year.

BIZ UDPGothic (Morisawa, SIL Open Font License 1.1), as the distribution packages it; a file holds those of its letters
that it uses. Where it is not installed, HeiseiKakuGo-W5 is named instead (Adobe-Japan1): a reader with Japanese fonts
of its own shows that in one of them; `doctor` says so.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont

PACKAGE = "fonts-morisawa-bizud-gothic"
FONT_DIR = Path("/usr/share/fonts/truetype/bizud-gothic")
_FILES = ("BIZUDPGothic-Regular.ttf", "BIZUDPGothic-Bold.ttf")
_UNEMBEDDED = "HeiseiKakuGo-W5"
# What stands for a letter that the font lacks (emoji, rare characters of names), as Japanese printers have always done.
MISSING = "〓"
# They choose among forms of the letter before them; fonts without such forms show a box for them.
_VARIATION_SELECTORS = frozenset([*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])


@dataclass(frozen=True)
class Face:
    """The font as reportlab knows it: names of its two weights, and the code points it has letters for."""

    regular: str
    bold: str
    letters: Container[int]

    def printable(self, words: str) -> str:
        """Return what can be printed of a text: a letter the font lacks is 〓, control characters go."""
        kept = (letter for letter in words if letter.isprintable() or letter == "\u3000")
        return "".join(
            letter if ord(letter) in self.letters else MISSING
            for letter in kept
            if ord(letter) not in _VARIATION_SELECTORS
        )


@cache
def face(folder: Path = FONT_DIR) -> Face:
    """Return the font of the paper, read once."""
    files = [folder / name for name in _FILES]
    if not all(file.exists() for file in files):
        pdfmetrics.registerFont(UnicodeCIDFont(_UNEMBEDDED))
        # Its encoding is UCS-2.
        return Face(_UNEMBEDDED, _UNEMBEDDED, range(0x10000))
    fonts = [TTFont(file.stem, str(file)) for file in files]
    for font in fonts:
        pdfmetrics.registerFont(font)
    return Face(fonts[0].fontName, fonts[1].fontName, frozenset(fonts[0].face.charToGlyph))


def is_embedded() -> bool:
    """Whether the font is installed, so that papers carry it."""
    return face().regular != _UNEMBEDDED
