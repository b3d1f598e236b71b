"""Documents of many thousand records, set by set: what is new of a source that tells of what is long over.

The result is that of the ordinary path (`store_reports`, `fold_event`), row by row; a test compares the two. What is
not new (corrections) is left to the ordinary path, where a moderator's decisions are looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from operator import attrgetter, itemgetter
from typing import Any

import orjson
import psycopg
import shapely
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
from layers.copying import NULL, as_line, copy_lines, driver, to_ewkb

# So many reports are written while the next are made ready.
PART = 2_000

_QUERIES = load_queries(__file__)
_INCIDENT_COLUMNS = ("geom", "event_key", "publication", *FOLDED_COLUMNS)
_INCIDENT_VALUES = itemgetter(*_INCIDENT_COLUMNS)
_REPORT_VALUES = attrgetter(*REPORT_COLUMNS)
_FACTS = REPORT_COLUMNS.index("facts")
_REPORT_COLUMNS = ("incident_fid", "source", "document_id", "private_sha256", *REPORT_COLUMNS)
_SITUATION_COLUMNS = (
    "incident_fid", "report_id", "telegram", "kind", "status", "phase", "level", "is_fresh", "reported_at", "office",
    "headline", "text", "facts",
)  # fmt: skip
_SHOWN_COLUMNS = ("incident_fid", "position", "accuracy_m", "place_name", "rule", "area", "radius_m")
_PRIVATE_COLUMNS = ("report_id", "position", "accuracy_m", "place_text", "original", "details")


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
    fids: list[int] = []
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
    return Loaded(len(new), elsewhere, frozenset(fids), left)


@dataclass(frozen=True)
class _Line:
    """A row written out for COPY but for the numbers that the database gives; `report` of the part, from 0."""

    report: int
    rest: str


@dataclass(frozen=True)
class _Rows:
    """What a part of the reports becomes: `incidents`, `situations` and `shown` are those of the same reports."""

    document_id: int
    event_keys: Sequence[str]
    incidents: Sequence[_Line]
    situations: Sequence[str]
    shown: Sequence[str | None]
    private: Sequence[_Line]
    reports: Sequence[str]


def _make_ready(source: Source, document_id: int, part: Sequence[Report], places: _Places) -> _Rows:
    """Fold and place a part of the reports; the connection is used only for places that are new."""
    stages = [stage for number, report in enumerate(part) if (stage := _stage(source, number, report, places))]
    return _Rows(
        document_id,
        [stage.state.report.event_key for stage in stages],
        [_Line(stage.number, stage.incident_line(source)) for stage in stages],
        [stage.situation_line() for stage in stages],
        [stage.place.shown_line for stage in stages],
        list(_private_lines(part)),
        [_report_line(source, document_id, report) for report in part],
    )


def _write(connection: Connection, rows: _Rows, fids: list[int]) -> None:
    """Write a part into all its tables; add the incidents' numbers to `fids`.

    The database numbers rows in the order in which they come: the numbers are asked for once, and nothing is joined.
    """
    _copy(connection, ("layers", "incident"), _INCIDENT_COLUMNS, [line.rest for line in rows.incidents])
    own = _numbers(connection, "incident_numbers", len(rows.incidents), {"event_keys": rows.event_keys})
    after = _run(connection, "last_report").fetchall()[0][0]
    incident = {line.report: str(fid) for line, fid in zip(rows.incidents, own, strict=True)}
    reports = [f"{incident.get(number, NULL)}\t{line}" for number, line in enumerate(rows.reports)]
    _copy(connection, ("ingest", "report"), _REPORT_COLUMNS, reports)
    values = {"document_id": rows.document_id, "after": after}
    ids = _numbers(connection, "report_numbers", len(reports), values)
    private = [f"{ids[line.report]}\t{line.rest}" for line in rows.private]
    _copy(connection, ("pg_temp", "bulk_private"), _PRIVATE_COLUMNS, private)
    _run(connection, "insert_private")
    told = zip(rows.incidents, own, rows.situations, strict=True)
    situations = [f"{fid}\t{ids[incident.report]}\t{line}" for incident, fid, line in told]
    _copy(connection, ("ingest", "situation"), _SITUATION_COLUMNS, situations)
    shown = [f"{fid}\t{line}" for fid, line in zip(own, rows.shown, strict=True) if line is not None]
    _copy(connection, ("ingest", "shown_place"), _SHOWN_COLUMNS, shown)
    fids += own


def _copy(connection: Connection, table: tuple[str, str], columns: Sequence[str], lines: Sequence[str]) -> None:
    copy_lines(connection, sql.Identifier(*table), columns, lines)


def _numbers(connection: Connection, block: str, count: int, values: Mapping[str, Any]) -> list[int]:
    """Return the numbers that the database has just given, in the order of the rows."""
    found = [number for (number,) in _run(connection, block, values)]
    if len(found) != count:
        raise RuntimeError(f"{block}: {count} rows were written, {len(found)} found")
    return found


@dataclass(frozen=True)
class _Place:
    """What the public sees of a place: the geometry as hexadecimal EWKB, its accuracy, and what is kept of the choice.

    Attributes
    ----------
    shown_line : the row of `ingest.shown_place` without its incident; None: the place itself is public.
    """

    geom: str
    accuracy_m: float | None
    shown_line: str | None


class _Places:
    """The places of the document, each chosen once: thousands of thefts stand in a few hundred quarters."""

    def __init__(self, connection: Connection, in_turn: InTurn) -> None:
        self._connection, self._in_turn = connection, in_turn
        self._found: dict[object, _Place] = {}

    def find(self, known: Known, is_personal: bool) -> _Place:
        place_name = known.columns.get("place_name")
        area = orjson.dumps(known.area) if known.area else None
        key = (known.position, known.accuracy_m, place_name, area, is_personal)
        place = self._found.get(key)
        if place is None:
            self._in_turn.settle()
            geom, accuracy_m, kept = place_on_map(self._connection, None, known, is_personal)
            place = self._found[key] = _Place(geom.hex(), accuracy_m, _shown_line(geom.hex(), kept))
        return place


def _shown_line(geom: str, kept: ShownPlace | None) -> str | None:
    if kept is None:
        return None
    shown = kept.shown
    return as_line((_point(kept.position), kept.accuracy_m, kept.place_name, shown.rule, geom, shown.accuracy_m))


@lru_cache(maxsize=4096)
def _point(position: tuple[float, float] | None) -> str | None:
    return to_ewkb(shapely.Point(position)) if position else None


@dataclass(frozen=True)
class _Stage:
    """What a new report makes of its event.

    Attributes
    ----------
    number : which report of the part, from 0.
    """

    number: int
    place: _Place
    state: IncidentState

    def incident_line(self, source: Source) -> str:
        """Return a row of the incidents, as `fold_event` would write it."""
        report = self.state.report
        policy = find_policy(report.kind, source.name)
        values = incident_values(source, self.state)
        values["geom"] = self.place.geom
        values["event_key"] = report.event_key
        values["publication"] = policy.publication
        values["is_personal"] = policy.is_personal
        values["accuracy_m"] = self.place.accuracy_m
        return as_line(_INCIDENT_VALUES(values))

    def situation_line(self) -> str:
        """Return a row of the timeline without its incident and report, as `fold_event` would write it."""
        said, state = self.state.report, self.state
        facts = orjson.dumps(state.known.facts).decode()
        life = (state.phase, state.level, False, said.reported_at)
        return as_line((said.telegram, said.kind, said.status, *life, said.office, said.headline, said.text, facts))


def _stage(source: Source, number: int, report: Report, places: _Places) -> _Stage | None:
    """Return None while nothing of the event concerns the town."""
    states = timeline([report], source.folds[report.kind])
    if not states:
        return None
    place = places.find(states[-1].known, find_policy(report.kind, source.name).is_personal)
    return _Stage(number, place, states[-1])


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


def _report_line(source: Source, document_id: int, report: Report) -> str:
    values = list(_REPORT_VALUES(report))
    values[_FACTS] = orjson.dumps(report.facts).decode()
    return as_line((source.name, document_id, report.private.sha256, *values))


def _private_lines(reports: Sequence[Report]) -> Iterator[_Line]:
    for number, report in enumerate(reports):
        private = report.private
        if private != Private():
            place = private.place
            position, accuracy_m = (_point((place.lon, place.lat)), place.accuracy_m) if place else (None, None)
            details = orjson.dumps(private.details).decode()
            yield _Line(number, as_line((position, accuracy_m, private.place_text, private.original, details)))


def _run(connection: Connection, block: str, values: Mapping[str, Any] | None = None) -> psycopg.Cursor[Any]:
    return driver(connection).execute(_QUERIES.sql(block).encode(), values)
