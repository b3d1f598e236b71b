"""From a CAP message to a report about the town."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import shapely

from gis.town import Town
from ingest.cap.message import CapMessage, Info, parse_message
from ingest.jma.xml import JST
from ingest.reports import Action, Report, Status, Unreadable

# CAP 1.2 §3.2.1 msgType: Ack and Error answer messages, they tell nothing about the world.
_ACTIONS: Mapping[str, Action] = {"Alert": "issue", "Update": "issue", "Cancel": "withdraw"}
_STATUSES: Mapping[str, Status] = {"Actual": "Actual", "Exercise": "Exercise", "Test": "Test"}
# Severity by what it threatens (§3.2.2), on the scale of the 警戒レベル. An unlikely or past event is no warning.
_LEVELS = {"Extreme": 5, "Severe": 4, "Moderate": 3, "Minor": 2, "Unknown": 1}
_CALM = {"Unlikely", "Past"}


@dataclass(frozen=True)
class CapRules:
    """How one sender's messages are read, from the installation's sources file.

    Attributes
    ----------
    kind : of the incidents, where `kinds` (a word in CAP's event → kind) says nothing else.
    geocodes : valueName → values that mean the town, for messages without a drawn area.
    """

    name: str
    kind: str = "other"
    kinds: Mapping[str, str] = field(default_factory=dict)
    geocodes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def parse_with(rules: CapRules) -> Callable[[bytes, Town], list[Report]]:
    """Return the parser of one source."""

    def parse(body: bytes, town: Town) -> list[Report]:
        report = read_report(parse_message(body), rules, town)
        return [] if report is None else [report]

    return parse


def read_report(message: CapMessage, rules: CapRules, town: Town) -> Report | None:
    """Make a report of a message; None for one that is not about the world (Ack, Error, System).

    Raises
    ------
    Unreadable : a message that must not be published (scope Restricted or Private, status Draft), or no info block.
    """
    if message.msg_type in ("Ack", "Error") or message.status == "System":
        return None
    if message.scope != "Public":
        raise Unreadable(f"alert/scope is {message.scope}: such a message is not for the public")
    if message.msg_type not in _ACTIONS or message.status not in _STATUSES:
        raise Unreadable(f"alert/msgType {message.msg_type!r}, alert/status {message.status!r} are not understood")
    info, action = message.info(), _ACTIONS[message.msg_type]
    if info is None and action != "withdraw":
        raise Unreadable("alert/info is missing")
    kind = _kind(info, rules)
    return Report(
        source_id=_identity(message.sender, message.identifier),
        telegram="CAP",
        kind=kind,
        status=_STATUSES[message.status],
        action=action,
        event_key=f"cap:{rules.name}:{_STATUSES[message.status]}:{_first_message(message)}",
        serial=None,
        reported_at=message.sent_at,
        controlled_at=message.sent_at,
        office=(info.sender_name if info else "") or message.sender,
        headline=((info.headline or info.event) if info else "") or message.msg_type,
        text="\n".join(part for part in ((info.description, info.instruction) if info else ()) if part),
        facts=_facts(message, info, kind),
        concerns_town=action != "withdraw" and concerns(message, rules, town),
        follows=tuple(_identity(sender, identifier) for sender, identifier, _ in message.references),
    )


def concerns(message: CapMessage, rules: CapRules, town: Town) -> bool:
    """Whether a message is about the town: its drawn area meets the town's box, else a geocode names the town.

    Without area and code nobody knows whom it is for: it does not concern the town.
    """
    if message.area is not None:
        return bool(message.area.intersects(shapely.box(*town.bbox)))
    codes = {town.code, town.jma_city, *(value for values in rules.geocodes.values() for value in values)}
    return any(value in (rules.geocodes.get(name) or codes) for name, value in message.geocodes if value)


def _facts(message: CapMessage, info: Info | None, kind: str) -> dict[str, Any]:
    if info is None:
        return {}
    is_calm = info.certainty in _CALM or info.urgency in _CALM
    facts: dict[str, Any] = {
        "level": 0 if is_calm else _LEVELS.get(info.severity, 1),
        "event": f"{kind}.cap",
        "category": info.event,
        "severity": info.severity,
        "urgency": info.urgency,
        "certainty": info.certainty,
        "place_name": message.area_text,
        "occurred_at": _written(info.onset_at or message.sent_at),
        # CAP 1.2: whoever says nothing more is right until then, and no longer.
        "valid_until": _written(info.expires_at),
        "is_over": info.urgency == "Past",
    }
    if message.area is not None:
        facts["area"] = orjson.loads(shapely.to_geojson(shapely.set_precision(message.area, 1e-6)))
    return {key: value for key, value in facts.items() if value not in (None, "")}


def _kind(info: Info | None, rules: CapRules) -> str:
    words = info.event if info else ""
    return next((kind for word, kind in rules.kinds.items() if word in words), rules.kind)


def _first_message(message: CapMessage) -> str:
    """The message that began the event: the earliest that this one refers to, or itself."""
    named = min(message.references, key=lambda reference: reference[2], default=None)
    return _identity(named[0], named[1]) if named else _identity(message.sender, message.identifier)


def _identity(sender: str, identifier: str) -> str:
    return f"{sender},{identifier}"


def _written(moment: datetime | None) -> str | None:
    return moment.astimezone(JST).isoformat() if moment else None
