"""墨消し: find and take out of words what names a person, before the public may read them.

The rules stand in data/redaction.toml. They take out rather too much than too little; a moderator sees what went
and may write the public text anew. Pure: no database, no network.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from gis.settings import DATA_DIR


@dataclass(frozen=True)
class Finding:
    """Something that was taken out.

    Attributes
    ----------
    start, end : where it stood in the original, in characters. what : `name`, `phone`, `address`, `plate`, `email`,
        `url`, `number`, `position`, `child` or `age`.
    """

    start: int
    end: int
    what: str


@dataclass(frozen=True)
class Redaction:
    """A text as the public may read it, and what was taken out of it."""

    text: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One entry of data/redaction.toml."""

    what: str
    label: Mapping[str, str]
    pattern: re.Pattern[str]
    keep: re.Pattern[str] | None


def redact(text: str) -> Redaction:
    """Take out of a text what names a person or leads to one.

    Examples
    --------
    >>> redact("田中さんが090-1234-5678に電話").text
    '〔非公開〕さんが〔非公開〕に電話'
    >>> redact("午後3時ころ110番通報").findings
    ()
    """
    findings = find_personal(text)
    mark, parts, end = _mark(), [], 0
    for finding in findings:
        parts += [text[end : finding.start], mark]
        end = finding.end
    return Redaction("".join([*parts, text[end:]]), findings)


def find_personal(text: str) -> tuple[Finding, ...]:
    """Return what of a text is personal, in its order, without overlaps."""
    plain = _same_length(text)
    taken = [False] * len(plain)
    found = []
    for rule in load_rules():
        for start, end in _matches(rule, plain):
            if not any(taken[start:end]):
                taken[start:end] = [True] * (end - start)
                found.append(Finding(start, end, rule.what))
    return tuple(sorted(found, key=lambda finding: finding.start))


@cache
def load_rules() -> Sequence[Rule]:
    """Read the rules in their order."""
    return [
        Rule(
            entry["what"],
            entry["label"],
            re.compile(entry["pattern"]),
            re.compile("|".join(entry["keep"])) if "keep" in entry else None,
        )
        for entry in _document()["rule"]
    ]


def _matches(rule: Rule, plain: str) -> Iterator[tuple[int, int]]:
    has_group = "out" in rule.pattern.groupindex
    for match in rule.pattern.finditer(plain):
        start, end = match.span("out" if has_group else 0)
        if start == end or (rule.keep and rule.keep.fullmatch(plain, start, end)):
            continue
        yield start, end


def _same_length(text: str) -> str:
    """Write full-width digits, letters and signs plain, each character as one, so that positions stay."""
    plain = []
    for character in text:
        folded = unicodedata.normalize("NFKC", character)
        plain.append(folded if len(folded) == 1 else character)
    return "".join(plain)


@cache
def _document() -> Mapping[str, Any]:
    with (DATA_DIR / "redaction.toml").open("rb") as file:
        return tomllib.load(file)


def _mark() -> str:
    return str(_document()["town"]["mark"])
