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
from functools import cache, lru_cache
from typing import Any

from gis.settings import DATA_DIR

_SHORT = 64  # characters of a cell of a table
# Hyphens, dashes, the sign of minus and the lines that people type for them; the kana ー is none, names are full of it.
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―⁃−⸺─━"), "-")
_UNSEEN = ("Cf", "Mn")  # Unicode's general categories: format, non-spacing mark


@dataclass(frozen=True)
class Finding:
    """Something that was taken out.

    Attributes
    ----------
    start, end : where it stood in the original, in characters. what : `name`, `phone`, `address`, `plate`, `email`,
        `url`, `number`, `account`, `position`, `child` or `age`.
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
    """One entry of data/redaction.toml.

    Attributes
    ----------
    keep : what looks like it as a whole and stays. where : what else must stand in the same sentence.
    """

    what: str
    label: Mapping[str, str]
    pattern: re.Pattern[str]
    keep: re.Pattern[str] | None
    where: re.Pattern[str] | None = None


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
    return _find_again(text) if len(text) <= _SHORT else _find(text)


@lru_cache(maxsize=4096)
def _find_again(text: str) -> tuple[Finding, ...]:
    """Find in what tables repeat a hundred thousand times."""
    return _find(text)


def _find(text: str) -> tuple[Finding, ...]:
    plain, places = _plain(text)
    taken = [False] * len(plain)
    found = []
    for rule in load_rules():
        for start, end in _matches(rule, plain):
            if not any(taken[start:end]):
                taken[start:end] = [True] * (end - start)
                found.append(Finding(places[start], places[end], rule.what))
    return tuple(sorted(found, key=lambda finding: finding.start))


@cache
def load_rules() -> Sequence[Rule]:
    """Read the rules in their order."""
    surnames = "|".join(sorted(_document()["names"]["surnames"], key=len, reverse=True))
    return [
        Rule(
            entry["what"],
            entry["label"],
            re.compile(entry["pattern"].replace("{surnames}", surnames)),
            re.compile("|".join(entry["keep"])) if "keep" in entry else None,
            re.compile(entry["where"]) if "where" in entry else None,
        )
        for entry in _document()["rule"]
    ]


def _matches(rule: Rule, plain: str) -> Iterator[tuple[int, int]]:
    has_group = "out" in rule.pattern.groupindex
    for match in rule.pattern.finditer(plain):
        start, end = match.span("out" if has_group else 0)
        if start == end or (rule.keep and rule.keep.fullmatch(plain, start, end)):
            continue
        if rule.where and not rule.where.search(_sentence(plain, start, end)):
            continue
        yield start, end


def _sentence(plain: str, start: int, end: int) -> str:
    """Return the sentence around a match, at most 200 characters to each side."""
    before = re.split(r"[。\n]", plain[max(0, start - 200) : start])[-1]
    after = re.split(r"[。\n]", plain[end : end + 200])[0]
    return before + plain[start:end] + after


def _plain(text: str) -> tuple[str, list[int]]:
    """Write a text the way the rules read it, and where each of its characters (and its end) stood in the original.

    Full-width digits, letters and signs become plain, half-width kana whole, each kind of dash a hyphen. What nobody
    sees (zero-width characters, selectors of variants) goes: it would part a number that the reader sees in one piece.
    """
    plain: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        folded = unicodedata.normalize("NFKC", character)
        if unicodedata.category(folded[0]) in _UNSEEN:
            # が may be か and a voicing mark, as file names of some systems and half-width kana write it.
            plain[-1:] = [unicodedata.normalize("NFC", plain[-1] + folded)[0]] if plain else []
            continue
        plain.append(folded.translate(_DASHES) if len(folded) == 1 else character)
        places.append(place)
    return "".join(plain), [*places, len(text)]


@cache
def _document() -> Mapping[str, Any]:
    with (DATA_DIR / "redaction.toml").open("rb") as file:
        return tomllib.load(file)


def _mark() -> str:
    return str(_document()["town"]["mark"])
