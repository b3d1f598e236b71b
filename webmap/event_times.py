"""When something happened, told no more exactly than its source knows: a day without an hour is no midnight."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from alerts.catalogue import JST, write_moment
from webmap.languages import language

# Precision (data/codes/time_precision.toml) → how much of an ISO 8601 time it knows, in characters, and the form of
# the words; the part of a day stands in the source's own words.
_FORMS: dict[str | None, tuple[int | None, str]] = {
    "hour": (13, "hour"),
    "band": (10, "day"),
    "day": (10, "day"),
    "third": (7, "third"),
    "month": (7, "month"),
    "year": (4, "year"),
}
_EXACT = (None, "moment")


def write_event_time(moment: datetime, precision: str | None) -> str:
    """Write out when something happened, in Japan time; `precision` None: to the minute. "" when unknown."""
    return "" if precision == "unknown" else write_moment(moment, language(), _FORMS.get(precision, _EXACT)[1])


def occurred(incident: Any) -> str:
    """Return when an incident happened, "" when its source did not say so.

    Parameters
    ----------
    incident : has `occurred_at`, `reported_at` and `occurred_precision`.
    """
    moment, precision = _event(incident)
    return write_event_time(moment, precision) if moment else ""


def told(incident: Any, moment: datetime | None) -> str:
    """Return a time of an incident's course: a report, its end. "" when there is none.

    A source that tells of what is long over gives the event's time for that of its report: that is no more exact.
    """
    return write_moment(moment, language(), _FORMS.get(_precision_of(incident, moment), _EXACT)[1]) if moment else ""


def told_iso(incident: Any, moment: datetime) -> str:
    """Return `told` for machines: ISO 8601 in Japan time, cut to what is known (2018-07-01, 2018-07, 2018)."""
    precision = _precision_of(incident, moment)
    known, _ = _FORMS.get(precision, _EXACT)
    written = moment.astimezone(JST).isoformat()
    return f"{written[:13]}:00+09:00" if precision == "hour" else written[:known]


def _event(incident: Any) -> tuple[datetime | None, str | None]:
    precision = incident.occurred_precision
    # Of a theft of a day that nobody knows the table still tells the year.
    return (incident.reported_at if precision == "year" else incident.occurred_at), precision


def _precision_of(incident: Any, moment: datetime | None) -> str | None:
    at, precision = _event(incident)
    return precision if moment == at and precision != "unknown" else None
