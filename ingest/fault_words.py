"""Why a source failed or a record could not be used, in the reader's language (`data/source_faults.toml`).

Logs and database keep the program's own English sentence, with the other side's words in it; here it is recognised by
its form and said anew. Pure.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from gis.settings import DATA_DIR

# How `ingest.running` and the fetchers join the failures of one run.
_JOINT = "; "
# What is longer is mostly the other side's; looking for a form in it would take long.
_MOST_LETTERS = 1000
_BLANK = re.compile(r"%\((\w+)\)s")
_SHAPES = {"url": r"\S+", "where": r"\S+", "number": r"\d[\d.e+]*"}


@dataclass(frozen=True)
class _Fault:
    pattern: re.Pattern[str]
    words: Mapping[str, str]


def explain_fault(said: str, language: str) -> str:
    """Return in a reader's language why something failed; English is said as it stands.

    What is not recognised gives a sentence that points to the original: show that beside this.

    Parameters
    ----------
    said : as logged, e.g. `RunSummary.failures` joined, or the reason of a dead letter. language : BCP 47.

    Examples
    --------
    >>> explain_fault("https://example.org/a.xml: HTTP 503", "ja")
    '相手のサーバーが故障しています（HTTP 503）: https://example.org/a.xml'
    """
    if not said or language == "en":
        return said
    parts = [_explain(part, language) for part in said.split(_JOINT)]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        whole = _explain(said, language)  # the joint may stand in the other side's words
        known = [*known, _table()["unknown"][language]] if whole is None else [whole]
    return "\n".join(dict.fromkeys(known))


def technical_words(language: str) -> str:
    """Return the heading of the original sentence."""
    heading: str = _table()["technical"][language]
    return heading


def _explain(said: str, language: str) -> str | None:
    if len(said) > _MOST_LETTERS:
        return None
    for fault in _faults():
        match = fault.pattern.fullmatch(said)
        if match is None:
            continue
        blanks = match.groupdict()
        if "why" in blanks:
            why = _explain(blanks["why"], language)
            if why is None:
                continue
            blanks["why"] = why
        return fault.words[language] % blanks
    return None


@cache
def _faults() -> tuple[_Fault, ...]:
    return tuple(_Fault(_pattern(fault["says"]), fault) for fault in _table()["fault"])


def _pattern(says: str) -> re.Pattern[str]:
    pieces = _BLANK.split(says)  # words, name, words, name, …
    parts = [
        f"(?P<{piece}>{_SHAPES.get(piece, '.*?')})" if number % 2 else re.escape(piece)
        for number, piece in enumerate(pieces)
    ]
    return re.compile("".join(parts), re.DOTALL)


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((DATA_DIR / "source_faults.toml").read_text(encoding="utf-8"))
