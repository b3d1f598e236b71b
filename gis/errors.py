"""The one error that a person can mend; everything else is a bug and keeps its trace.

Its words are English templates with `%(name)s` for what differs from case to case, so that a page can say the same in
the reader's language (webmap/spoken.py); the command line and the logs get the English, filled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, Self, runtime_checkable

LINE = "\n    "


@runtime_checkable
class HasText(Protocol):
    """What has words of its own for each language."""

    def text(self, language: str) -> str:
        """Return the words in one of `gis.languages.LANGUAGES`."""
        ...


@dataclass(frozen=True)
class Phrase:
    """A sentence, or a piece of one, that the catalogues translate; as text it is the English, filled.

    Parameters
    ----------
    template : English, with `%(name)s` for each of `blanks`; without blanks a % is a %.
    blanks : name → value; a value may be a phrase itself, have words per language, or be a list: one line each.
    """

    template: str
    blanks: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        filled = {name: _english(value) for name, value in self.blanks.items()}
        return self.template % filled if filled else self.template


@dataclass(frozen=True)
class Title:
    """What a layer, a department or the like is called in each language (`ja` and `en` at least)."""

    names: Mapping[str, str]
    code: str = ""

    def text(self, language: str) -> str:
        """Return the name, with the code for who has to type it."""
        name = self.names.get(language) or self.names["ja"]
        return f"{name} ({self.code})" if self.code else name


class UsageError(Exception):
    """A mistake or a missing part outside the program, with its cure.

    The command line prints `message` and `hint` without a trace and exits with code 2;
    the web answers 400 with the same words in the reader's language.

    Parameters
    ----------
    message : what is wrong and where (one sentence), English, a template as in `Phrase`.
    hint : what to do about it (one sentence, may hold a command to copy), English, a template with the same blanks.
    blanks : what fills both.

    Attributes
    ----------
    message, hint : filled, English. template, hint_template : as given.
    field : of the form that was sent, where it is about one, else "".
    """

    field = ""

    def __init__(self, message: str, hint: str = "", /, **blanks: object) -> None:
        self.template, self.hint_template, self.blanks = message, hint, blanks
        self.message, self.hint = str(Phrase(message, blanks)), str(Phrase(hint, blanks))
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message}\n  → {self.hint}" if self.hint else self.message

    def at(self, field: str) -> Self:
        """Return the error as one about a field of the form that was sent, if it does not name one yet."""
        self.field = self.field or field
        return self


@contextmanager
def at_field(name: str) -> Iterator[None]:
    """Say of an error that leaves the block which field of a form it is about."""
    try:
        yield
    except UsageError as error:
        error.at(name)
        raise


def _english(value: object) -> object:
    if isinstance(value, HasText):
        return value.text("en")
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return LINE.join(str(_english(one)) for one in value)
    return value
