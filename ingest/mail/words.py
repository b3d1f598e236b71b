"""What the words of a police's mail mean: the rules of data/mail_words.toml."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from gis.settings import DATA_DIR
from ingest.reports import Status

Patterns = Sequence[re.Pattern[str]]


@dataclass(frozen=True)
class Category:
    """What can happen, and what the public is told to do; `over` ends it besides the words for all."""

    name: str
    kind: str
    words: re.Pattern[str]
    advice: str
    over: re.Pattern[str]


@dataclass(frozen=True)
class Words:
    """All rules; each pattern is one that says yes when any of its alternatives does."""

    categories: Sequence[Category]
    generic: Sequence[Category]
    other: Category
    action: Mapping[str, re.Pattern[str]]
    status: Mapping[str, re.Pattern[str]]
    parts: Mapping[str, re.Pattern[str]]
    features: Mapping[str, re.Pattern[str]]
    bands: Sequence[tuple[int, str]]
    public: Mapping[str, str]


def plain(text: str) -> str:
    """Write text in the one way that the rules are for: NFKC, one kind of line end and of blank."""
    folded = unicodedata.normalize("NFKC", text.translate(_CIRCLED))
    folded = re.sub(r"\r\n?|[\v\f\x85\u2028\u2029]", "\n", folded)
    return re.sub(r"[^\S\n]+", " ", folded.translate(_SIGNS))


# ① would become a bare 1, and ①11月 the month 111.
_CIRCLED = {ord("①") + n: f"({n + 1}) " for n in range(20)} | {ord("❶") + n: f"({n + 1}) " for n in range(10)}
# NFKC leaves these; a wave dash has two code points by the maker of the code table.
_SIGNS = {ord("\u301c"): "~", ord("∼"): "~", ord("\u200b"): None, ord("\ufeff"): None}


@cache
def load_words() -> Words:
    """Read the rules."""
    with (DATA_DIR / "mail_words.toml").open("rb") as file:
        said = tomllib.load(file)
    return Words(
        categories=[_category(entry) for entry in said["category"]],
        generic=[_category(entry) for entry in said["generic"]],
        other=_category({"words": [], **said["other"]}),
        action=_each(said["action"]),
        status=_each(said["status"]),
        parts=_each(said["parts"]),
        features=_each(said["features"]),
        bands=[(band["from_hour"], band["name"]) for band in said["band"]],
        public=said["public"],
    )


def find_category(notice: str, subject: str) -> Category | None:
    """Return what a notice is about: of the categories, then of the generic ones, in the subject, then in the words."""
    words = load_words()
    for group in (words.categories, words.generic):
        for text in (subject, notice):
            for category in group:
                if category.words.search(text):
                    return category
    return None


def find_status(subject: str, text: str) -> Status:
    """Tell a drill and a test from the real thing; only what says so in its subject or at its beginning is one."""
    start = "\n".join(filter(None, (line.strip() for line in text.split("\n")[:6])))[:300]
    for status, key in (("Exercise", "exercise"), ("Test", "test")):
        if any(load_words().status[key].search(said) for said in (subject, start)):
            return "Exercise" if status == "Exercise" else "Test"
    return "Actual"


def find_features(notice: str) -> dict[str, list[str]]:
    """Return what is said of persons and vehicles, by feature; for moderators only."""
    found: dict[str, list[str]] = {}
    for name, pattern in load_words().features.items():
        said = ["".join(filter(None, match.groups())).strip(" :") for match in pattern.finditer(notice)]
        if kept := list(dict.fromkeys(filter(None, said))):
            found[name] = kept[:10]
    return found


def _category(entry: Mapping[str, Any]) -> Category:
    return Category(entry["name"], entry["kind"], _any(entry["words"]), entry["advice"], _any(entry.get("over", [])))


def _each(table: Mapping[str, Sequence[str]]) -> dict[str, re.Pattern[str]]:
    return {name: _any(patterns) for name, patterns in table.items()}


def _any(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns) or r"(?!)", re.MULTILINE)
