"""The words of editing and history (`data/editing.toml`): problems, differences, operations, values."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from gis.languages import DEFAULT_LANGUAGE
from gis.settings import DATA_DIR
from layers.definition import Attribute

_TOKYO = ZoneInfo("Asia/Tokyo")


@dataclass(frozen=True)
class Problem:
    """Why one value of one change cannot be stored.

    Attributes
    ----------
    code : a key of `[problem]`. column : attribute name, or `geom`.
    position : which change of the batch, from 0; None when only the database knew.
    attribute : the attribute concerned, None for the geometry or an unknown one.
    value, limit : what came, and what may come.
    """

    code: str
    column: str
    position: int | None = None
    attribute: Attribute | None = None
    value: str = ""
    limit: str = ""

    def text(self, language: str) -> str:
        """Return the sentence for people; a code's names follow the language."""
        label = column_label(self.column, self.attribute, language)
        limit = self.limit
        if self.attribute is not None and self.code == "code" and self.attribute.codes:
            limit = "、".join(code.name(language) for code in self.attribute.codes.codes)
        elif self.attribute is not None and self.attribute.unit and limit:
            limit = f"{limit} {self.attribute.unit}"
        return word("problem", self.code, language).format(label=label, value=self.value, limit=limit)


def word(section: str, key: str, language: str) -> str:
    """Return a text of `data/editing.toml`, in Japanese where the language has none."""
    texts = _words()[section][key]
    return texts.get(language) or texts[DEFAULT_LANGUAGE]


def column_label(column: str, attribute: Attribute | None, language: str) -> str:
    """Return how people call a column: its label, the word for the geometry, or its bare name."""
    if column == "geom":
        return word("word", "geometry", language)
    return column if attribute is None else attribute.title(language)


def value_text(attribute: Attribute, value: Any, language: str) -> str:
    """Return a value as people read it: names of codes, yes and no, Japanese time, the unit behind a number."""
    if value is None or value == "":
        return word("word", "nothing", language)
    if isinstance(value, bool):
        return word("word", "yes" if value else "no", language)
    if isinstance(value, datetime):
        return value.astimezone(_TOKYO).strftime("%Y-%m-%d %H:%M:%S")
    if attribute.codes is not None:
        return next((code.name(language) for code in attribute.codes.codes if code.value == value), str(value))
    text = f"{value:.12g}" if isinstance(value, float) else str(value)
    return f"{text} {attribute.unit}" if attribute.unit else text


@cache
def _words() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads((DATA_DIR / "editing.toml").read_text(encoding="utf-8"))
