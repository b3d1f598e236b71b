"""Two people at one draft: the form's fields as text, and what becomes of them when somebody else saved meanwhile.

A page carries a mark of each field as it was shown, so it can be told who changed what: what only the other changed is
taken in, what only I changed stays, and where both did, mine stays in the field and theirs is shown beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import orjson

from alerts.drafting import Draft
from alerts.events import find_event
from alerts.templates import PARTS
from webmap.staff.alert_form import CAP_WORDS, write_time


def field_values(draft: Draft) -> dict[str, str]:
    """Return what the form shows of a draft: field → text."""
    values = {f"{part}-{words.language}": getattr(words, part) for words in draft.texts for part in PARTS}
    values |= {name: str(getattr(draft, name)) for name in ("area_name", "level", "kind", "web")}
    values |= {name: write_time(getattr(draft, name)) for name in ("onset_at", "expires_at", "effective_at")}
    values |= {name: getattr(draft, name) or "" for name in CAP_WORDS}
    values["category"] = draft.category or find_event(draft.event, "issued").category
    return values


def mark_values(values: Mapping[str, str]) -> str:
    """Return the marks of all fields, for the form to carry."""
    return orjson.dumps({name: _mark(value) for name, value in values.items()}).decode()


def merge_values(
    mine: Mapping[str, str], theirs: Mapping[str, str], marks: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the fields to show, and of those that both changed what the other wrote.

    Parameters
    ----------
    mine : what was typed. theirs : what is stored now. marks : `mark_values` of what both began with.
    """
    began = _read_marks(marks)
    shown, differing = dict(theirs), {}
    for name, now in theirs.items():
        typed = mine.get(name, "")
        if typed == now or _mark(typed) == began.get(name):
            continue
        shown[name] = typed
        if _mark(now) != began.get(name):
            differing[name] = now
    return shown, differing


def _read_marks(marks: str) -> dict[str, str]:
    """Read what a form carried; without it nothing is known, and every difference is shown."""
    try:
        found = orjson.loads(marks)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _mark(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:12]
