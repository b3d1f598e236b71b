"""How an installation says what a feed's properties mean, and the reports that follow from it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson
import shapely

from gis.errors import UsageError
from gis.town import Town
from ingest.configuration import SourceConfig
from ingest.geo.features import Feature, read_features
from ingest.jma.xml import JST
from ingest.paths import value_at
from ingest.reports import Place, Private, Rejected, Report


@dataclass(frozen=True)
class FeatureMap:
    """What of a feature is what of a report; each value is a path such as `properties.title`.

    Attributes
    ----------
    id : what tells a feature from all others and stays the same; reported_at : when it was said.
    kind : of the incidents; kinds : value at `kind_path` → kind, for feeds of several.
    levels : value at `level_path` → 0–5. time_format : strptime form; "" = ISO 8601, RFC 5322 or milliseconds.
    lists : "current" = the feed lists all that is current, so what is gone from it is over; "latest" = a window that
        moves on, of which nothing follows. over_path, over_values : the feature says that it is over.
    accuracy_m : of its positions, metres.
    is_private : it speaks of persons: place and words go to moderators only, `public_text` is what all may read.
    """

    id: str
    reported_at: str
    headline: str
    kind: str = "other"
    kind_path: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    place_name: str = ""
    occurred_at: str = ""
    category: str = ""
    level: int = 0
    level_path: str = ""
    levels: Mapping[str, int] = field(default_factory=dict)
    time_format: str = ""
    over_path: str = ""
    over_values: tuple[str, ...] = ()
    accuracy_m: float = 100.0
    is_private: bool = False
    public_text: str = ""
    lists: str = "latest"


def read_mapping(config: SourceConfig) -> FeatureMap:
    """Read the table `map` of a source.

    Raises
    ------
    UsageError : a key is unknown, missing or of another type; the message names it.
    """
    table = config.option("map", dict)
    known = {entry.name: entry for entry in fields(FeatureMap)}
    for name in ("id", "reported_at", "headline"):
        if not isinstance(table.get(name), str):
            raise UsageError(f"Source {config.name}: map.{name} is missing.", "Write the path of that property.")
    for name, value in table.items():
        if name not in known:
            raise UsageError(
                f"Source {config.name}: map.{name} is not known.", f"Known are: {', '.join(sorted(known))}."
            )
        if name in ("kinds", "levels") and not isinstance(value, dict):
            raise UsageError(f"Source {config.name}: map.{name} is no table.", 'Write e.g. { "closed" = "traffic" }.')
    for value, level in table.get("levels", {}).items():
        if level not in range(6):
            raise UsageError(f"Source {config.name}: map.levels has {level!r} for {value}.", "Levels are 0 to 5.")
    if table.get("lists", "latest") not in ("current", "latest"):
        raise UsageError(f"Source {config.name}: map.lists is {table['lists']!r}.", 'Write "current" or "latest".')
    return FeatureMap(**{**table, "over_values": tuple(map(str, table.get("over_values", ())))})


def parse_with(name: str, mapping: FeatureMap) -> Callable[[bytes, Town], list[Report | Rejected]]:
    """Return the parser of one source."""

    def parse(body: bytes, town: Town) -> list[Report | Rejected]:
        return [
            _read(feature, f"feature {number}", name, mapping, town)
            for number, feature in enumerate(read_features(body), 1)
        ]

    return parse


def _read(feature: Feature, record: str, name: str, mapping: FeatureMap, town: Town) -> Report | Rejected:
    identity = _words(feature, mapping.id)
    if not identity:
        return Rejected(record, f"{mapping.id} is missing: nothing tells this feature from another")
    key = f"geo:{name}:{identity}"
    if feature.problem:
        return Rejected(f"{record} ({identity})", feature.problem, key)
    try:
        reported_at = _time(feature, mapping.reported_at, mapping.time_format)
        occurred_at = _time(feature, mapping.occurred_at, mapping.time_format) if mapping.occurred_at else None
    except ValueError as error:
        return Rejected(f"{record} ({identity})", str(error), key)
    if reported_at is None:
        return Rejected(f"{record} ({identity})", f"{mapping.reported_at} is missing", key)
    middle = feature.geometry.representative_point() if feature.geometry is not None else None
    facts = _facts(feature, mapping, occurred_at)
    private = Private()
    if mapping.is_private:
        place = Place(middle.x, middle.y, mapping.accuracy_m) if middle is not None else None
        original = "\n".join(
            part for part in (_words(feature, mapping.headline), _words(feature, mapping.text)) if part
        )
        private = Private(place, _words(feature, mapping.place_name), original)
        facts.pop("place_name", None)
    elif middle is not None:
        facts |= _position(feature.geometry, mapping)
    return Report(
        # What a feed says anew of the same feature is another message of the same event.
        source_id=f"{identity}@{reported_at.isoformat()}:{_fingerprint(feature)}",
        telegram="GEO",
        kind=mapping.kinds.get(_words(feature, mapping.kind_path), mapping.kind) if mapping.kind_path else mapping.kind,
        status="Actual",
        action="issue",
        event_key=key,
        serial=None,
        reported_at=reported_at,
        controlled_at=reported_at,
        office=name,
        headline=mapping.public_text if mapping.is_private else _words(feature, mapping.headline),
        text="" if mapping.is_private else _words(feature, mapping.text),
        facts=facts,
        concerns_town=feature.geometry is not None and bool(feature.geometry.intersects(shapely.box(*town.bbox))),
        private=private,
    )


def _facts(feature: Feature, mapping: FeatureMap, occurred_at: datetime | None) -> dict[str, Any]:
    over = _words(feature, mapping.over_path) if mapping.over_path else ""
    level = (
        mapping.levels.get(_words(feature, mapping.level_path), mapping.level) if mapping.level_path else mapping.level
    )
    facts = {
        "level": level,
        "category": _words(feature, mapping.category) if mapping.category else "",
        "place_name": _words(feature, mapping.place_name) if mapping.place_name else "",
        "occurred_at": occurred_at.isoformat() if occurred_at else "",
        "is_over": bool(over) and over in mapping.over_values,
    }
    return {key: value for key, value in facts.items() if value != ""}


def _position(geometry: shapely.Geometry, mapping: FeatureMap) -> dict[str, Any]:
    if geometry.geom_type == "Point":
        return {"lon": geometry.x, "lat": geometry.y, "accuracy_m": mapping.accuracy_m}
    return {"area": orjson.loads(shapely.to_geojson(shapely.set_precision(geometry, 1e-6)))}


def _words(feature: Feature, path: str) -> str:
    value = value_at(feature.properties, path) if path else None
    return "" if value is None or isinstance(value, dict | list) else str(value).strip()


def _time(feature: Feature, path: str, form: str) -> datetime | None:
    """Read a time; one without an offset is Japanese time."""
    value = value_at(feature.properties, path)
    if value in (None, ""):
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            # Milliseconds since 1970 are what programs write; seconds are a thousand times smaller.
            return datetime.fromtimestamp(value / (1000 if value > 1e11 else 1), JST)
        words = str(value).strip()
        if form:
            moment = datetime.strptime(words, form)  # noqa: DTZ007 - the offset is given below
        elif words[:1].isdigit():
            moment = datetime.fromisoformat(words)
        else:
            moment = parsedate_to_datetime(words)
    except (ValueError, OverflowError, OSError, TypeError) as error:
        raise ValueError(f"{path}: {value!r} is no time") from error
    return moment.replace(tzinfo=JST) if moment.tzinfo is None else moment.astimezone(JST)


def _fingerprint(feature: Feature) -> str:
    written = orjson.dumps(feature.properties, option=orjson.OPT_SORT_KEYS, default=str)
    return hashlib.sha256(written).hexdigest()[:12]
