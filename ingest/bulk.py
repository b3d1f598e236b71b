"""Documents of many thousand records, set by set: what is new of a source that tells of what is long over.

The result is that of the ordinary path (`store_reports`, `fold_event`), row by row; a test compares the two. What is
not new (corrections) is left to the ordinary path, where a moderator's decisions are looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg
from psycopg import sql
from sqlalchemy import Connection

from gis.queries import load_queries
from ingest.folding import IncidentState, Known, timeline
from ingest.incidents import FOLDED_COLUMNS, incident_values, place_on_map
from ingest.policy import find_policy
from ingest.reports import REPORT_COLUMNS, Private, Report
from ingest.shown_place import ShownPlace
from ingest.source import Source
from layers.copying import copy_rows, driver

_QUERIES = load_queries(__file__)
_INCIDENT_COLUMNS = ("event_key", "publication", *FOLDED_COLUMNS)
_PLACE_COLUMNS = ("place", "geom", "lon", "lat", "accuracy_m", "place_name", "rule", "radius_m")
_PRIVATE_COLUMNS = ("source_id", "lon", "lat", "accuracy_m", "place_text", "original", "details")


@dataclass(frozen=True)
class Loaded:
    """What a bulk load did.

    Attributes
    ----------
    reports : how many were new; elsewhere : of them, those that say nothing about this town.
    incidents : `layers.incident.fid` of theirs. left : the others, untouched.
    """

    reports: int
    elsewhere: int
    incidents: frozenset[int]
    left: Sequence[Report]


def load_new(connection: Connection, source: Source, document_id: int, reports: Sequence[Report]) -> Loaded:
    """Store those reports that are new, with their incidents and timelines; nothing goes to the alert side.

    The caller holds the lock of the source. Role: service. Memory: the reports, and a few hundred bytes for each.

    Parameters
    ----------
    reports : guarded and placed, each of an event of its own (`Source.is_past`).
    """
    new, left = _split(connection, source, reports)
    if not new:
        return Loaded(0, 0, frozenset(), left)
    places = _Places(connection)
    # All places are looked up before the copying begins: a connection does one thing at a time.
    stages = [stage for number, report in enumerate(new) if (stage := _stage(source, number, report, places))]
    _run(connection, "stage")
    columns = ("number", "place", "phase", "facts", *_INCIDENT_COLUMNS)
    copy_rows(connection, _staged("bulk_incident"), columns, (stage.row(source) for stage in stages))
    copy_rows(connection, _staged("bulk_place"), _PLACE_COLUMNS, places.rows())
    copy_rows(connection, _staged("bulk_private"), _PRIVATE_COLUMNS, _private_rows(new))
    _run(connection, "analyze")
    fids: dict[str, int] = dict(_run(connection, "insert_incidents").fetchall())
    copy_rows(
        connection,
        sql.Identifier("ingest", "report"),
        ("source", "document_id", "private_sha256", "incident_fid", *REPORT_COLUMNS),
        (
            (source.name, document_id, report.private.sha256, fids.get(report.event_key), *_report_row(report))
            for report in new
        ),
    )
    _run(connection, "insert_private", {"source": source.name})
    _run(connection, "insert_situations")
    _run(connection, "insert_shown")
    _run(connection, "drop")
    return Loaded(len(new), sum(not report.concerns_town for report in new), frozenset(fids.values()), left)


def _staged(table: str) -> sql.Identifier:
    return sql.Identifier("pg_temp", table)


class _Places:
    """The places of the document, each chosen once: thousands of thefts stand in a few hundred quarters."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._found: dict[object, tuple[int, bytes, float | None, ShownPlace | None]] = {}

    def find(self, known: Known, is_personal: bool) -> tuple[int, float | None]:
        """Return the place's number and its accuracy in metres."""
        place_name = known.columns.get("place_name")
        key = (known.position, known.accuracy_m, place_name, orjson.dumps(known.area), is_personal)
        if key not in self._found:
            self._found[key] = len(self._found), *place_on_map(self._connection, None, known, is_personal)
        number, _, accuracy_m, _ = self._found[key]
        return number, accuracy_m

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Return rows of `_PLACE_COLUMNS`."""
        for number, geom, _, kept in self._found.values():
            if kept is None:
                yield number, geom.hex(), *(None,) * 6
            else:
                position = kept.position or (None, None)
                shown = kept.shown
                yield number, geom.hex(), *position, kept.accuracy_m, kept.place_name, shown.rule, shown.accuracy_m


@dataclass(frozen=True)
class _Stage:
    """What a new report makes of its event."""

    number: int
    place: int
    accuracy_m: float | None
    state: IncidentState

    def row(self, source: Source) -> tuple[Any, ...]:
        """Return a row of the staged incidents, as `fold_event` would write it."""
        report = self.state.report
        policy = find_policy(report.kind, source.name)
        values = incident_values(source, self.state) | {
            "event_key": report.event_key,
            "publication": policy.publication,
            "is_personal": policy.is_personal,
            "accuracy_m": self.accuracy_m,
        }
        facts = orjson.dumps(self.state.known.facts).decode()
        return (self.number, self.place, self.state.phase, facts, *(values[name] for name in _INCIDENT_COLUMNS))


def _stage(source: Source, number: int, report: Report, places: _Places) -> _Stage | None:
    """Return None while nothing of the event concerns the town."""
    states = timeline([report], source.folds[report.kind])
    if not states:
        return None
    place, accuracy_m = places.find(states[-1].known, find_policy(report.kind, source.name).is_personal)
    return _Stage(number, place, accuracy_m, states[-1])


def _split(
    connection: Connection, source: Source, reports: Sequence[Report]
) -> tuple[Sequence[Report], Sequence[Report]]:
    """Tell what is new from what was here before, or stands in the document twice."""
    ids, keys = Counter(report.source_id for report in reports), Counter(report.event_key for report in reports)
    values = {"source": source.name, "source_ids": list(ids), "event_keys": list(keys)}
    for row in connection.execute(_QUERIES["known"], values):
        ids[row.source_id] += 1
        keys[row.event_key] += 1
    new: list[Report] = []
    left: list[Report] = []
    for report in reports:
        (new if ids[report.source_id] == keys[report.event_key] == 1 else left).append(report)
    return new, left


def _report_row(report: Report) -> tuple[Any, ...]:
    values = (getattr(report, name) for name in REPORT_COLUMNS)
    return tuple(orjson.dumps(value).decode() if isinstance(value, dict) else value for value in values)


def _private_rows(reports: Sequence[Report]) -> Iterator[tuple[Any, ...]]:
    for report in reports:
        private = report.private
        if private != Private():
            place = private.place
            position = (place.lon, place.lat, place.accuracy_m) if place else (None, None, None)
            details = orjson.dumps(private.details).decode()
            yield (report.source_id, *position, private.place_text, private.original, details)


def _run(connection: Connection, block: str, values: Mapping[str, Any] | None = None) -> psycopg.Cursor[Any]:
    columns = sql.SQL(", ").join(map(sql.Identifier, _INCIDENT_COLUMNS))
    # Without values several statements may stand in one block.
    return driver(connection).execute(sql.SQL(_QUERIES.sql(block)).format(columns=columns), values)
