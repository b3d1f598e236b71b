"""What a message of the console begins with: official phrases, and blanks that are to be filled."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from alerts.catalogue import load_texts
from alerts.texts import AlertText
from gis.languages import LANGUAGES
from gis.settings import DATA_DIR

_BLANK = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_PARTS = ("event", "headline", "description", "instruction")


@dataclass(frozen=True)
class Template:
    """One beginning of a message (`data/alert_templates.toml`).

    Attributes
    ----------
    event : code of `data/alert_events.toml`. level : 1 to 5.
    kinds : the kinds of incident it serves; empty: any.
    phrases : language → the official phrase that a message of this event carries; empty: none.
    """

    name: str
    event: str
    level: int
    kinds: tuple[str, ...]
    phrases: Mapping[str, str]
    texts: Mapping[str, Mapping[str, str]]


@cache
def load_templates() -> Mapping[str, Template]:
    """Return the templates by name, in the order of the file."""
    entries = tomllib.loads((DATA_DIR / "alert_templates.toml").read_text(encoding="utf-8"))
    return {
        name: Template(
            name,
            entry["event"],
            entry["level"],
            tuple(entry["kinds"]),
            entry["phrase"],
            {language: entry[language] for language in LANGUAGES},
        )
        for name, entry in entries.items()
    }


def find_blanks(words: str) -> list[str]:
    """Return the names of the blanks that a text still has, in order, each once.

    Examples
    --------
    >>> find_blanks("{{ place }}へ {{ time }} {{ place }}")
    ['place', 'time']
    >>> find_blanks("大曲へ")
    []
    """
    return list(dict.fromkeys(_BLANK.findall(words)))


def fill_template(template: Template, language: str, blanks: Mapping[str, str], status: str) -> AlertText:
    """Return the words in one language; a blank that has no value, or an empty one, stays to be seen.

    A value is never read as a template. A drill is marked as one in every part.
    """

    def put(words: str) -> str:
        return _BLANK.sub(lambda found: blanks.get(found[1]) or found[0], words)

    parts = {part: put(template.texts[language][part]) for part in _PARTS}
    return mark_status(AlertText(language=language, **parts), status)


def mark_status(words: AlertText, status: str) -> AlertText:
    """Mark a drill or test in each part that is shown alone; what is marked already stays as it is."""
    common = load_texts("common", words.language)
    mark, notice = common["mark"][status], common["notice"][status]

    def lead(part: str, sign: str) -> str:
        return part if not sign or part.startswith(sign.strip()) else f"{sign}{part}"

    return AlertText(
        words.language,
        lead(words.event, mark),
        lead(words.headline, mark),
        lead(words.description, f"{notice}\n" if notice else ""),
        lead(words.instruction, mark),
    )
