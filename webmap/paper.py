"""A4 pages with Japanese words, as PDF: styles, paragraphs, tables, page numbers.

The font is HeiseiKakuGo-W5, one of the Japanese fonts that every PDF reader knows by name (Adobe-Japan1): the file
holds the words themselves, can be searched, and needs no font file on this machine. What its encoding cannot hold
(UCS-2: emoji, characters beyond the basic plane) is printed as 〓, as Japanese printers have always done.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from io import BytesIO
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import CondPageBreak, Flowable, Paragraph, SimpleDocTemplate, Table, TableStyle

FONT = "HeiseiKakuGo-W5"
WIDTH = A4[0] - 36 * mm
INK, QUIET, RULE, WARNING = (colors.HexColor(code) for code in ("#1a1a1a", "#555555", "#b8b8b8", "#a8071a"))
# Where words begin: the margin and the frame's padding.
_LEFT = 18 * mm + 6
_MISSING = "〓"
# A row of a table must fit on a page.
_MOST_IN_CELL = 700

pdfmetrics.registerFont(UnicodeCIDFont(FONT))
_BODY = ParagraphStyle("body", fontName=FONT, fontSize=9.5, leading=14.5, textColor=INK, spaceAfter=3)
_STYLES = {
    "body": _BODY,
    "title": ParagraphStyle("title", _BODY, fontSize=16, leading=22, spaceAfter=5),
    "heading": ParagraphStyle("heading", _BODY, fontSize=12, leading=17, spaceBefore=11, spaceAfter=4),
    "warning": ParagraphStyle("warning", _BODY, textColor=WARNING),
    "quiet": ParagraphStyle("quiet", _BODY, fontSize=8, leading=12, textColor=QUIET),
    "cell": ParagraphStyle("cell", _BODY, fontSize=8.5, leading=12, spaceAfter=0),
    "number": ParagraphStyle("number", _BODY, fontSize=8.5, leading=12, spaceAfter=0, alignment=2),
    "head": ParagraphStyle("head", _BODY, fontSize=8, leading=12, spaceAfter=0, textColor=QUIET),
    "number-head": ParagraphStyle(
        "number-head", _BODY, fontSize=8, leading=12, spaceAfter=0, textColor=QUIET, alignment=2
    ),
}


def paragraphs(words: str, style: str = "body", language: str = "ja") -> list[Flowable]:
    """Return a text as paragraphs, one for each of its lines; Japanese may break between any two characters."""
    look = _STYLES[style]
    if language.startswith("ja"):
        look = ParagraphStyle(f"{style}-ja", look, wordWrap="CJK")
    return [Paragraph(escape(_printable(line)), look) for line in words.splitlines() if line.strip()]


def heading(words: str, language: str) -> list[Flowable]:
    """Return a heading; it goes to the next page when nothing of what follows would fit below it."""
    return [CondPageBreak(30 * mm), *paragraphs(words, "heading", language)]


def table(head: Sequence[str], rows: Sequence[Sequence[object]], widths: Sequence[float], language: str) -> Table:
    """Return a table whose head comes again on every page; numbers stand to the right.

    Parameters
    ----------
    head : titles of the columns; none: a table of names and values.
    widths : share of each column, their sum is 1.
    """
    is_number = [all(isinstance(row[column], int) for row in rows) for column in range(len(head))]
    looks = ["number-head" if number else "head" for number in is_number]
    cells = [[paragraphs(title, look, language) for title, look in zip(head, looks, strict=True)]] if head else []
    cells += [[_cell(value, language) for value in row] for row in rows]
    style = TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
            ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ]
    )
    return Table(cells, [share * WIDTH for share in widths], repeatRows=1 if head else 0, style=style, hAlign="LEFT")


def write_pdf(story: list[Flowable], title: str, foot: str, language: str) -> bytes:
    """Return the file: A4, title and language in its metadata, `foot` and the page's number on every page."""
    out = BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=16 * mm,
        bottomMargin=20 * mm,
        title=_printable(title),
        author="machimori",
        lang=language,
        displayDocTitle=True,
    )

    def make_canvas(*arguments: Any, **options: Any) -> Canvas:
        return _Numbered(_printable(foot), *arguments, **options)

    document.build(story, canvasmaker=make_canvas)
    return out.getvalue()


class _Numbered(Canvas):  # type: ignore[misc]  # reportlab has no types
    """Keeps the pages until it knows how many there are, then writes `n / all` below each."""

    def __init__(self, foot: str, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._foot = foot
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        pages = self._pages
        for number, page in enumerate(pages, 1):
            self.__dict__.update(page)
            self.setFont(FONT, 8)
            self.setFillColor(QUIET)
            self.drawString(_LEFT, 11 * mm, self._foot)
            self.drawRightString(A4[0] - _LEFT, 11 * mm, f"{number} / {len(pages)}")
            super().showPage()
        super().save()


def _cell(value: object, language: str) -> list[Flowable]:
    if isinstance(value, int):
        return paragraphs(f"{value:,}", "number", language)
    words = "" if value is None else str(value)
    return paragraphs(words[:_MOST_IN_CELL] + ("…" if len(words) > _MOST_IN_CELL else ""), "cell", language)


def _printable(words: str) -> str:
    """Return what the font's encoding can hold; control characters go."""
    return "".join(
        _MISSING if ord(letter) > 0xFFFF else letter for letter in words if letter.isprintable() or letter == "\u3000"
    )
