"""The events the city tells about: their code, CAP words and how long a message stands."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from gis.settings import DATA_DIR


@dataclass(frozen=True)
class Event:
    """CAP 1.2 words of one event (section 3.2.2) and its life.

    Attributes
    ----------
    response : CAP responseType values.
    jma_code : the warning's code in JMA's code tables, "" when there is none.
    valid_hours : hours from sending until the message expires when nothing follows it.
    """

    code: str
    urgency: str
    severity: str
    certainty: str
    category: str
    response: tuple[str, ...]
    jma_code: str
    valid_hours: int


# Kinds of incident whose facts name their event (ingest/facts.py, WarningFacts). Of `other` nothing is said by mail.
WARNING_KINDS = ("weather", "landslide", "storm_surge", "flood")


@cache
def _load_events() -> dict[str, Event]:
    entries = tomllib.loads((DATA_DIR / "alert_events.toml").read_text(encoding="utf-8"))
    return {code: Event(code, **(entry | {"response": tuple(entry["response"])})) for code, entry in entries.items()}


def find_event(code: str, phase: str) -> Event:
    """Return the event for a code, or for its class (`*.warning`).

    The phases `cleared` 解除 and `withdrawn` 取消 have words of their own.

    Raises
    ------
    KeyError : `data/alert_events.toml` does not know the code.
    """
    events = _load_events()
    if phase in ("cleared", "withdrawn"):
        return events[phase]
    return events[code] if code in events else events[f"*.{code.rpartition('.')[2]}"]


def event_code(kind: str, facts: Mapping[str, Any]) -> str:
    """Return the event's code for what is known, e.g. `tsunami.major_warning`.

    Raises
    ------
    ValueError : no event is known for this kind of incident.
    """
    if kind == "tsunami":
        return f"tsunami.{facts['class']}"
    if kind == "earthquake":
        return "earthquake.intensity"
    if kind in WARNING_KINDS:
        return str(facts["event"])
    raise ValueError(f"no event is known for incidents of kind {kind!r}")


def told_facts(kind: str, facts: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return those facts whose change is news for the citizens: two situations that agree in them say the same.

    Tsunami: class, expected height and arrival. Earthquake: the town's intensity (until it is known, its area's).
    Warnings: their names (レベル４土砂災害危険警報), not when each hour is expected.
    """
    if kind == "tsunami":
        return tuple(facts.get(name) or None for name in ("class", "height_text", "arrival_at", "arrival_text"))
    if kind == "earthquake":
        return (facts.get("city_intensity") or facts.get("area_intensity"),)
    if kind in WARNING_KINDS:
        return tuple(sorted(warning["name"] for warning in facts.get("warnings", ())))
    raise ValueError(f"no event is known for incidents of kind {kind!r}")
