"""Documents of many thousand records, set by set: what is new of a source that tells of what is long over.

The result is that of the ordinary path (`store_reports`, `fold_event`), row by row; a test compares the two. What is
not new (corrections) is left to the ordinary path, where a moderator's decisions are looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from operator import attrgetter
from typing import Any

import orjson
import psycopg
from psycopg import sql
from sqlalchemy import Connection

from gis.queries import load_queries
from ingest.folding import IncidentState, Known, timeline
from ingest.in_turn import InTurn
from ingest.incidents import FOLDED_COLUMNS, incident_values, place_on_map
from ingest.policy import find_policy
from ingest.reports import REPORT_COLUMNS, Private, Report
from ingest.shown_place import ShownPlace
from ingest.source import Source
from layers.copying import copy_rows, driver

# So many reports are written while the next are made ready.
PART = 2_000

_QUERIES = load_queries(__file__)
_INCIDENT_COLUMNS = ("event_key", "publication", *FOLDED_COLUMNS)
_REPORT_VALUES = attrgetter(*REPORT_COLUMNS)
_FACTS = REPORT_COLUMNS.index("facts")
_EVENT_KEY = 3 + REPORT_COLUMNS.index("event_key")  # in a row of `_report_row`
_PLACE_COLUMNS = ("place", "geom", "lon", "lat", "accuracy_m", "place_name", "rule", "radius_m")
_PRIVATE_COLUMNS = ("source_id", "lon", "lat", "accuracy_m", "place_text", "original", "details")


Finish = Callable[[Report], Report]


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


def load_new(
    connection: Connection, source: Source, document_id: int, reports: Sequence[Report], finish: Finish
) -> Loaded:
    """Store those reports that are new, with their incidents and timelines; nothing goes to the alert side.

    The caller holds the lock of the source. Role: service. Memory: the reports, and a few hundred bytes for each.

    Parameters
    ----------
    reports : as they were parsed, each of an event of its own (`Source.is_past`).
    finish : guards and places one; without the connection, which is at work meanwhile. Nothing is stored before.
    """
    new, left = _split(connection, source, reports)
    if not new:
        return Loaded(0, 0, frozenset(), left)
    fids: dict[str, int] = {}
    elsewhere = 0
    _run(connection, "stage")
    with InTurn() as in_turn:
        places = _Places(connection, in_turn)
        for first in range(0, len(new), PART):
            part = [finish(report) for report in new[first : first + PART]]
            elsewhere += sum(not report.concerns_town for report in part)
            rows = _make_ready(source, document_id, part, places)
            in_turn.hand_over(partial(_write, connection, rows, fids))
    _run(connection, "drop")
    return Loaded(len(new), elsewhere, frozenset(fids.values()), left)


@dataclass(frozen=True)
class _Rows:
    """What a part of the reports becomes, ready for COPY."""

    incidents: Sequence[tuple[Any, ...]]
    places: Sequence[tuple[Any, ...]]
    private: Sequence[tuple[Any, ...]]
    reports: Sequence[tuple[Any, ...]]


def _make_ready(source: Source, document_id: int, part: Sequence[Report], places: _Places) -> _Rows:
    """Fold and place a part of the reports; the connection is used only for places that are new."""
    stages = [stage for number, report in enumerate(part) if (stage := _stage(source, number, report, places))]
    return _Rows(
        [stage.row(source) for stage in stages],
        places.new_rows(),
        list(_private_rows(part)),
        [_report_row(source, document_id, report) for report in part],
    )


def _write(connection: Connection, rows: _Rows, fids: dict[str, int]) -> None:
    """Write a part into all its tables; add the incidents' numbers to `fids`, by event key."""
    after = {"after": _run(connection, "last_report").fetchall()[0][0]}
    columns = ("number", "place", "phase", "facts", *_INCIDENT_COLUMNS)
    copy_rows(connection, _staged("bulk_incident"), columns, rows.incidents, is_gathered=True)
    copy_rows(connection, _staged("bulk_place"), _PLACE_COLUMNS, rows.places, is_gathered=True)
    copy_rows(connection, _staged("bulk_private"), _PRIVATE_COLUMNS, rows.private, is_gathered=True)
    _run(connection, "analyze")
    own: dict[str, int] = dict(_run(connection, "insert_incidents").fetchall())
    columns = ("incident_fid", "source", "document_id", "private_sha256", *REPORT_COLUMNS)
    numbered = ((own.get(row[_EVENT_KEY]), *row) for row in rows.reports)
    copy_rows(connection, sql.Identifier("ingest", "report"), columns, numbered, is_gathered=True)
    _run(connection, "insert_private", after)
    _run(connection, "insert_situations", after)
    _run(connection, "insert_shown", after)
    _run(connection, "empty")
    fids |= own


def _staged(table: str) -> sql.Identifier:
    return sql.Identifier("pg_temp", table)


class _Places:
    """The places of the document, each chosen once: thousands of thefts stand in a few hundred quarters."""

    def __init__(self, connection: Connection, in_turn: InTurn) -> None:
        self._connection, self._in_turn = connection, in_turn
        self._found: dict[object, tuple[int, bytes, float | None, ShownPlace | None]] = {}
        self._written = 0

    def find(self, known: Known, is_personal: bool) -> tuple[int, float | None]:
        """Return the place's number and its accuracy in metres."""
        place_name = known.columns.get("place_name")
        key = (known.position, known.accuracy_m, place_name, orjson.dumps(known.area), is_personal)
        if key not in self._found:
            self._in_turn.settle()
            self._found[key] = len(self._found), *place_on_map(self._connection, None, known, is_personal)
        number, _, accuracy_m, _ = self._found[key]
        return number, accuracy_m

    def new_rows(self) -> list[tuple[Any, ...]]:
        """Return rows of `_PLACE_COLUMNS`: the places that were not returned before."""
        new = islice(self._found.values(), self._written, None)
        self._written = len(self._found)
        return [_place_row(number, geom, kept) for number, geom, _, kept in new]


def _place_row(number: int, geom: bytes, kept: ShownPlace | None) -> tuple[Any, ...]:
    if kept is None:
        return (number, geom.hex(), *(None,) * 6)
    position = kept.position or (None, None)
    return (number, geom.hex(), *position, kept.accuracy_m, kept.place_name, kept.shown.rule, kept.shown.accuracy_m)


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
        # Mostly they are the report's own, which stand in its row already.
        known = self.state.known.facts
        facts = None if known == report.facts else orjson.dumps(known).decode()
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


def _report_row(source: Source, document_id: int, report: Report) -> tuple[Any, ...]:
    values = list(_REPORT_VALUES(report))
    values[_FACTS] = orjson.dumps(report.facts).decode()
    return (source.name, document_id, report.private.sha256, *values)


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
