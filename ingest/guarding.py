"""What a source says of persons leaves its public words here, once for all sources: no parser can forget it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import shapely
import shapely.geometry

from ingest.policy import find_policy
from ingest.redaction import redact
from ingest.reports import Place, Report
from ingest.source import Source

# A table of a hundred thousand thefts has a few hundred different words.
_redact = lru_cache(maxsize=4096)(redact)
# Codes and times that the system reads, written by parsers and not by people.
_MACHINE_FACTS = frozenset({"level", "event", "is_over", "place_status", "valid_until", "stage"})
_POSITION = frozenset({"lon", "lat", "accuracy_m", "area"})
_METRES_PER_DEGREE = 111_195.0
_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?")


def speaks_of_persons(source: Source, kind: str) -> bool:
    """Whether what a source says of this kind goes through `guard_report`."""
    return source.is_private or find_policy(kind, source.name).is_personal


def guard_report(source: Source, report: Report) -> Report:
    """Return a report whose public words name nobody; what was taken out is kept for the moderator.

    Headline, text and every string in the facts are redacted. A position in the facts goes to `private.place`.
    `private.details["redacted"]` lists what went: field, start, end, what, said; `private.original` has the words
    as they were, unless the source gave its own. A report about no person comes back as it is.
    """
    if not speaks_of_persons(source, report.kind):
        return report
    taken: list[dict[str, Any]] = []
    headline, text = _clean(report.headline, "headline", taken), _clean(report.text, "text", taken)
    facts = {key: _clean_fact(value, key, taken) for key, value in report.facts.items()}
    private = report.private
    if find_policy(report.kind, source.name).is_personal:
        facts, place = _without_position(facts)
        if place and not private.place:
            private = replace(private, place=place)
    if not taken and private is report.private and facts == report.facts:
        return report
    if taken:
        original = private.original or "\n".join(filter(None, (report.headline, report.text)))
        private = replace(private, original=original, details={**private.details, "redacted": taken})
    return replace(report, headline=headline, text=text, facts=facts, private=private)


def _clean(said: str, field: str, taken: list[dict[str, Any]]) -> str:
    redaction = _redact(said)
    if not redaction.findings:
        return redaction.text
    taken += [
        {"field": field, "start": f.start, "end": f.end, "what": f.what, "said": said[f.start : f.end]}
        for f in redaction.findings
    ]
    return redaction.text


def _clean_fact(value: Any, field: str, taken: list[dict[str, Any]]) -> Any:
    if field in _MACHINE_FACTS:
        return value
    if isinstance(value, str):
        return value if _ISO_TIME.fullmatch(value) else _clean(value, f"facts.{field}", taken)
    if isinstance(value, Mapping):
        return {key: _clean_fact(part, f"{field}.{key}", taken) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_clean_fact(part, f"{field}.{number}", taken) for number, part in enumerate(value)]
    return value


def _without_position(facts: dict[str, Any]) -> tuple[dict[str, Any], Place | None]:
    """Split off what says where: `lon`, `lat`, `accuracy_m`, and `area` (GeoJSON), which becomes a circle around it."""
    if _POSITION.isdisjoint(facts):
        return facts, None
    lon, lat, accuracy_m, area = (facts.get(key) for key in ("lon", "lat", "accuracy_m", "area"))
    rest = {key: value for key, value in facts.items() if key not in _POSITION}
    if area is not None:
        circle = shapely.minimum_bounding_circle(shapely.geometry.shape(area))
        radius_m = shapely.minimum_bounding_radius(circle) * _METRES_PER_DEGREE
        return rest, Place(circle.centroid.x, circle.centroid.y, radius_m)
    if lon is None or lat is None:
        return rest, None
    return rest, Place(float(lon), float(lat), float(accuracy_m or 0))
