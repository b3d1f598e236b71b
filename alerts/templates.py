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
PARTS = ("event", "headline", "description", "instruction", "short")


@dataclass(frozen=True)
class Template:
    """One beginning of a message: shipped (`data/alert_templates.toml`) or made by the staff (`own_templates.py`).

    Attributes
    ----------
    event : code of `data/alert_events.toml`. level : 1 to 5.
    kinds : the kinds of incident it serves; empty: any.
    phrases : language → the official phrase that a message of this event carries; empty: none.
    texts : language → part → words; `short` is for push messages.
    title : of one that the staff made; "" of a shipped one, which the pages name.
    """

    name: str
    event: str
    level: int
    kinds: tuple[str, ...]
    phrases: Mapping[str, str]
    texts: Mapping[str, Mapping[str, str]]
    title: str = ""


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

    parts = {part: fill_blanks(template.texts[language].get(part, ""), blanks) for part in PARTS}
    return mark_status(AlertText(language=language, **parts), status)


def fill_blanks(words: str, blanks: Mapping[str, str]) -> str:
    """Put values into a text once; a blank that has none stays, and a value is never read as a template.

    Examples
    --------
    >>> fill_blanks("{{ place }}へ {{ time }}", {"place": "{{ time }}"})
    '{{ time }}へ {{ time }}'
    """
    return _BLANK.sub(lambda found: blanks.get(found[1]) or found[0], words)


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
        lead(words.short, mark) if words.short else "",
    )


def unmark_status(words: AlertText, status: str) -> AlertText:
    """Take the marks of a drill or test away again: what is kept as a template marks itself anew."""
    common = load_texts("common", words.language)
    mark, notice = common["mark"][status], common["notice"][status]

    def follow(part: str, sign: str) -> str:
        return part.removeprefix(sign).removeprefix(sign.strip()).lstrip() if sign else part

    return AlertText(
        words.language,
        follow(words.event, mark),
        follow(words.headline, mark),
        follow(words.description, notice),
        follow(words.instruction, mark),
        follow(words.short, mark),
    )
