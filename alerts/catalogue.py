"""The message texts of `data/messages/<name>.<language>.toml`: loading, blanks, times, names of offices."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from gis.settings import DATA_DIR

JST = ZoneInfo("Asia/Tokyo")
_MESSAGES_DIR = DATA_DIR / "messages"
# The texts become plain text, XML and HTML; each of these escapes for itself.
_ENVIRONMENT = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)


@cache
def load_texts(name: str, language: str) -> Mapping[str, Any]:
    """Read one catalogue, e.g. `load_texts("tsunami", "ja")`.

    Raises
    ------
    FileNotFoundError : there are no texts for this kind of incident in this language.
    """
    return tomllib.loads((_MESSAGES_DIR / f"{name}.{language}.toml").read_text(encoding="utf-8"))


def find_text(table: Mapping[str, Any], code: str) -> str:
    """Return an event's text; `"*.<class>"` serves every code of that class that is not named.

    Raises
    ------
    KeyError : the table has neither.
    """
    return str(table[code] if code in table else table[f"*.{code.rpartition('.')[2]}"])


def fill(template: str, blanks: Mapping[str, object]) -> str:
    """Fill the blanks of a text; strips white space around it.

    Raises
    ------
    jinja2.UndefinedError : the text has a blank that `blanks` does not name.
    """
    return _ENVIRONMENT.from_string(template).render(blanks).strip()


def write_moment(moment: datetime, language: str, form: str = "moment") -> str:
    """Write a time out in Japan time; `form` is `moment` (with the year) or `clock` (day and time).

    What is not known to the minute has the forms `hour`, `day`, `third` (中旬), `month` and `year`.

    Examples
    --------
    >>> write_moment(datetime.fromisoformat("2011-03-11T05:49:00+00:00"), "ja")
    '2011年3月11日 14時49分'
    """
    words = load_texts("common", language)["time"]
    local = moment.astimezone(JST)
    return str(words[form]).format(
        year=local.year,
        month=local.month,
        month_name=words["months"][local.month - 1],
        day=local.day,
        hour=local.hour,
        minute=local.minute,
        third=words["thirds"][min((local.day - 1) // 10, 2)],
    )


def write_office(office: str, language: str) -> str:
    """Return the source's name in a language; one that the catalogue lacks stays as it came."""
    return str(load_texts("common", language)["office"].get(office, office))
