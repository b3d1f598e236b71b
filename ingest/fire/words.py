"""What the words of a dispatch mean (data/fire_words.toml). Pure."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from gis.settings import DATA_DIR


@dataclass(frozen=True)
class DispatchType:
    """種別: what a dispatch is about.

    Attributes
    ----------
    kind : of the incident. shows_place : the public may see where, since no household is near (a forest, a ship).
    advice : what the public reads besides.
    """

    name: str
    kind: str
    words: re.Pattern[str]
    advice: str
    shows_place: bool = False


@dataclass(frozen=True)
class Stage:
    """How far a dispatch has come: 覚知, 出動, 鎮圧, 鎮火, or 誤報.

    Attributes
    ----------
    rank : its place in the life, from 0; 誤報 stands last. withdraws : it is as if nothing had been.
    headline, text : with {category}, {advice}, {at} (hour and minute), {end} and {ended}.
    """

    code: str
    name: str
    rank: int
    words: re.Pattern[str]
    headline: str
    text: str
    is_over: bool = False
    withdraws: bool = False


@dataclass(frozen=True)
class FireWords:
    """All of data/fire_words.toml; types and stages in the order in which they are looked for."""

    types: Sequence[DispatchType]
    stages: Sequence[Stage]
    ends: Mapping[str, Mapping[str, str]]


@cache
def load_fire_words() -> FireWords:
    """Read the file."""
    with (DATA_DIR / "fire_words.toml").open("rb") as file:
        said = tomllib.load(file)
    types = [
        DispatchType(
            entry["name"], entry["kind"], _any(entry["words"]), entry["advice"], entry.get("shows_place", False)
        )
        for entry in said["type"]
    ]
    stages = [
        Stage(
            entry["code"],
            entry["name"],
            len(said["stage"]) - 1 - number,
            _any(entry["words"]),
            entry["headline"],
            entry["text"],
            entry.get("is_over", False),
            entry.get("withdraws", False),
        )
        for number, entry in enumerate(said["stage"])
    ]
    return FireWords(types, stages, said["ends"])


def plain(text: str) -> str:
    """Return a text in NFKC form without blanks around it."""
    return unicodedata.normalize("NFKC", text).strip()


def find_type(text: str) -> DispatchType | None:
    """Return what a text is about, None when no word says it.

    Examples
    --------
    >>> find_type("建物火災（一般）").name
    '建物火災'
    >>> find_type("お知らせ") is None
    True
    """
    said = plain(text)
    return next((found for found in load_fire_words().types if found.words.search(said)), None)


def find_stage(text: str) -> Stage | None:
    """Return the farthest stage that a text names, None when it names none.

    Examples
    --------
    >>> find_stage("10時15分出動、11時2分鎮火").name
    '鎮火'
    >>> find_stage("まだ鎮火していません。消火中").name
    '出動'
    """
    said = plain(text)
    return next((found for found in load_fire_words().stages if found.words.search(said)), None)


def stage_of(code: str) -> Stage:
    """Return a stage by its code."""
    return next(stage for stage in load_fire_words().stages if stage.code == code)


def type_of(name: str) -> DispatchType:
    """Return a type by its exact name; その他 for one that the file no longer has."""
    types = load_fire_words().types
    return next((found for found in types if found.name == name), types[-1])


def _any(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns))
