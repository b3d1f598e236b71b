"""A4 pages with Japanese words, as PDF: styles, paragraphs, tables, page numbers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from html import escape
from io import BytesIO
from threading import Lock
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import CondPageBreak, Flowable, Paragraph, SimpleDocTemplate, Table, TableStyle

from webmap.paper_font import face

_MARGIN = 18 * mm
# Where words begin: the margin and the frame's padding.
_LEFT = _MARGIN + 6
WIDTH = A4[0] - 2 * _LEFT
INK, QUIET, RULE, WARNING = (colors.HexColor(code) for code in ("#1a1a1a", "#555555", "#b8b8b8", "#a8071a"))
_FOOT_SIZE = 8
# A row of a table must fit on a page.
_MOST_IN_CELL = 700
# A font's letters are collected per document; reportlab says: not for two documents at the same time.
_WRITING = Lock()


def paragraphs(words: str, style: str = "body", language: str = "ja") -> list[Flowable]:
    """Return a text as paragraphs, one for each of its lines; Japanese may break between any two characters.

    Parameters
    ----------
    style : body, title, heading, warning, quiet, cell, number, head or number-head.
    """
    look = _styles(language.startswith("ja"))[style]
    return [Paragraph(escape(face().printable(line)), look) for line in words.splitlines() if line.strip()]


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
            # The cells are paragraphs with fonts of their own; the table's would be Helvetica, which is not embedded.
            ("FONTNAME", (0, 0), (-1, -1), face().regular),
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
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=16 * mm,
        bottomMargin=20 * mm,
        title=title,
        author="machimori",
        lang=language,
        displayDocTitle=True,
        # Else pages begin by naming Helvetica, which is not embedded.
        initialFontName=face().regular,
    )

    def make_canvas(*arguments: Any, **options: Any) -> Canvas:
        return _Numbered(_fitted(foot), *arguments, **options)

    with _WRITING:
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
            self.setFont(face().regular, _FOOT_SIZE)
            self.setFillColor(QUIET)
            self.drawString(_LEFT, 11 * mm, self._foot)
            self.drawRightString(A4[0] - _LEFT, 11 * mm, f"{number} / {len(pages)}")
            super().showPage()
        super().save()


@cache
def _styles(is_japanese: bool) -> dict[str, ParagraphStyle]:
    wrap = {"wordWrap": "CJK"} if is_japanese else {}
    regular, bold = face().regular, face().bold
    body = ParagraphStyle("body", fontName=regular, fontSize=9.5, leading=14.5, textColor=INK, spaceAfter=3, **wrap)
    cell = ParagraphStyle("cell", body, fontSize=8.5, leading=12, spaceAfter=0)
    head = ParagraphStyle("head", cell, fontSize=8, textColor=QUIET)
    return {
        "body": body,
        "title": ParagraphStyle("title", body, fontName=bold, fontSize=16, leading=22, spaceAfter=5),
        "heading": ParagraphStyle(
            "heading", body, fontName=bold, fontSize=12, leading=17, spaceBefore=11, spaceAfter=4
        ),
        "warning": ParagraphStyle("warning", body, fontName=bold, textColor=WARNING),
        "quiet": ParagraphStyle("quiet", body, fontSize=8, leading=12, textColor=QUIET),
        "cell": cell,
        "number": ParagraphStyle("number", cell, alignment=2),
        "head": head,
        "number-head": ParagraphStyle("number-head", head, alignment=2),
    }


def _cell(value: object, language: str) -> list[Flowable]:
    if isinstance(value, int):
        return paragraphs(f"{value:,}", "number", language)
    words = "" if value is None else str(value)
    return paragraphs(words[:_MOST_IN_CELL] + ("…" if len(words) > _MOST_IN_CELL else ""), "cell", language)


def _fitted(foot: str) -> str:
    """Return the foot as far as the line has room before the page's number."""
    words, room = face().printable(foot), WIDTH - 20 * mm
    if stringWidth(words, face().regular, _FOOT_SIZE) <= room:
        return words
    while stringWidth(f"{words}…", face().regular, _FOOT_SIZE) > room:
        words = words[:-1]
    return f"{words}…"
