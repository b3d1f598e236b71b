"""What went wrong, in the reader's language: `gis.errors.UsageError` carries English templates and what fills them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flask import Flask

from gis.errors import LINE, HasText, Phrase, UsageError
from ingest.fault_words import explain_fault, technical_words
from layers.checking import InvalidChangesError
from layers.importer import NoReferenceSystemError
from layers.reference_system import OlderDatumError
from layers.rows import RejectedRowsError
from layers.sheets import NoPositionsError
from webmap.languages import gettext, language, mark

# What to do on a page, where the error's own hint names options of the command line.
_ON_PAGES: dict[type[UsageError], str] = {
    NoPositionsError: mark("Name them below if the table has them; a table of addresses alone cannot be drawn."),
    OlderDatumError: mark(
        "Convert it to JGD2011 with the correction of the Geospatial Information Authority first; it is never shifted"
        " silently."
    ),
    NoReferenceSystemError: mark("Ask who made the file, and fill it in below."),
    RejectedRowsError: mark("Mend these rows, or tick that they are left out."),
}


class Spoken(NamedTuple):
    """An error as a page says it. `hint` is "" when there is no cure to name."""

    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


def say_error(error: UsageError) -> Spoken:
    """Return what is wrong and what to do, both in the request's language."""
    cure = next((words for kind, words in _ON_PAGES.items() if isinstance(error, kind)), error.hint_template)
    hint = str(say(Phrase(cure, error.blanks)))
    if isinstance(error, InvalidChangesError):
        return Spoken(" ".join(dict.fromkeys(problem.text(language()) for problem in error.problems)), hint)
    if isinstance(error, HasText):
        return Spoken(error.text(language()), hint)
    return Spoken(str(say(Phrase(error.template, error.blanks))), hint)


def say(value: object) -> object:
    """Return a phrase, or what fills one, in the request's language; what has no translation stays as it is."""
    if isinstance(value, Phrase):
        filled = {name: say(blank) for name, blank in value.blanks.items()}
        words = gettext(value.template)
        return words % filled if filled else words
    if isinstance(value, HasText):
        return value.text(language())
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return LINE.join(str(say(one)) for one in value)
    return value


def say_fault(said: str) -> str:
    """Return why a source failed or a record could not be used; the original stands beside it on the page."""
    return explain_fault(said, language())


def init_app(app: Flask) -> None:
    """Give templates `say_error(error)`, `say(phrase)`, `say_fault(said)` and the heading of a fault's original."""
    app.jinja_env.globals.update(
        say_error=say_error, say=say, say_fault=say_fault, technical_words=lambda: technical_words(language())
    )
