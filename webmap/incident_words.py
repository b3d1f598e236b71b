"""The moderators' desk in people's words: states, acts, reasons of likeness, and how long something has waited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webmap.languages import gettext, mark

QUEUES = {
    "waiting": mark("Waiting for a decision"),
    "published": mark("Public"),
    "held": mark("Held back"),
    "rejected": mark("Not used"),
    "merged": mark("Part of another"),
    "expired": mark("No longer public"),
    "all": mark("All incidents"),
}
ACTS = {
    "published": mark("published"),
    "held": mark("held back"),
    "rejected": mark("rejected"),
    "text": mark("changed the public text"),
    "area": mark("set the area"),
    "resolved": mark("marked as over"),
    "reopened": mark("opened again"),
    "joined": mark("joined with another"),
    "split": mark("taken apart"),
    "kept_apart": mark("put a proposal away"),
}
AREAS = {
    "reports": mark("as the reports say"),
    "mesh_500": mark("the 500 m mesh"),
    "mesh_1000": mark("the 1 km mesh"),
    "quarter": mark("the quarter"),
    "town": mark("the whole town"),
    "drawn": mark("drawn by me on the map"),
}
FINDINGS = {
    "name": mark("name"),
    "phone": mark("telephone number"),
    "address": mark("address"),
    "plate": mark("number plate"),
    "email": mark("e-mail address"),
    "url": mark("web address"),
    "number": mark("number of a person"),
    "position": mark("position"),
    "child": mark("features of a child"),
    "age": mark("age"),
    "area": mark("a finer area"),
}


def age(minutes: int) -> str:
    """Return how long something has waited, e.g. "3 h 20 min"."""
    if minutes < 60:
        return gettext("%(minutes)s min", minutes=minutes)
    if minutes < 48 * 60:
        return gettext("%(hours)s h %(minutes)s min", hours=minutes // 60, minutes=minutes % 60)
    return gettext("%(days)s days", days=minutes // (24 * 60))


def reason(values: Mapping[str, Any]) -> str:
    """Return one reason of a likeness (ingest/likeness.py) in words."""
    code = values["code"]
    if code == "distance":
        metres, accuracy_m = values["metres"], values["accuracy_m"]
        return gettext("%(metres)s m apart, known to %(accuracy)s m", metres=metres, accuracy=accuracy_m)
    if code == "time":
        return gettext("%(minutes)s minutes apart", minutes=values["minutes"])
    if code == "category":
        if values["same"] == 1:
            return gettext("the same category")
        return gettext("another category") if values["same"] == 0 else gettext("one names no category")
    if code == "words":
        return gettext("words alike to %(percent)s %%", percent=values["percent"])
    return gettext("the same source names two events")
