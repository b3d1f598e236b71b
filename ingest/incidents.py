"""事案: the row of `layers.incident` folded from an event's reports, and its timeline `ingest.situation`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, column, func, or_, select, table, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TIMESTAMP, Boolean, Double, Integer, LargeBinary, Text

from gis.jobs import enqueue
from gis.queries import load_queries
from gis.town import load_town
from ingest.folding import IncidentState, Known, timeline
from ingest.policy import find_policy
from ingest.reports import Report, StoredReport, link_reports, link_running, load_reports, load_running
from ingest.shown_place import ShownPlace, choose_shown, keep_shown
from ingest.source import Source
from ingest.standing import stand_above

_QUERIES = load_queries(__file__)

_TEXTS = (
    "kind", "status", "state", "event", "headline", "source", "office", "max_intensity", "city_intensity",
    "magnitude_text", "hypocenter", "tsunami_height_text", "tsunami_arrival_text", "observed_station",
    "observed_height_text", "category", "description", "place_name", "occurred_precision",
)  # fmt: skip
_NUMBERS = ("magnitude", "depth_m", "tsunami_height_m", "observed_height_m", "accuracy_m")
_TIMES = ("occurred_at", "reported_at", "resolved_at", "tsunami_arrival_at", "observed_at")
# What the fold decides. Not `publication`: that is the moderator's after the first time.
_FOLDED = (
    *(column(name, Text) for name in _TEXTS),
    *(column(name, Double) for name in _NUMBERS),
    *(column(name, TIMESTAMP(timezone=True)) for name in _TIMES),
    column("level", Integer),
    column("is_personal", Boolean),
)
FOLDED_COLUMNS = tuple(column.name for column in _FOLDED)
_INCIDENT = table(
    "incident",
    column("fid", Integer),
    column("event_key", Text),
    column("publication", Text),
    column("geom", LargeBinary),
    column("needs_review", Boolean),
    *_FOLDED,
    schema="layers",
)


def lock_event(connection: Connection, event_key: str) -> None:
    """Let only one transaction at a time work on an event, on whatever machine."""
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": event_key})


def fold_event(connection: Connection, source: Source, report: Report, is_fresh: bool) -> int | None:
    """Fold a report's event anew, with the report just stored: incident row, timeline row, job for the alert side.

    The caller holds `lock_event`. Role: service.

    Parameters
    ----------
    is_fresh : False when the report came so late that nothing may go out by itself.

    Returns
    -------
    The incident's fid, None while nothing of the event concerns the town.
    """
    is_running = report.kind in source.running
    rows = (
        load_running(connection, report.event_key, report.reported_at)
        if is_running
        else load_reports(connection, report.event_key)
    )
    reports = [stored.report for stored in rows.values()]
    fold = source.folds[report.kind]
    after = timeline(reports, fold, is_running)
    if not after:
        return None
    before = timeline([other for other in reports if other.source_id != report.source_id], fold, is_running)
    if is_running:
        fids = _write_episodes(connection, source, rows, before, after)
    else:
        found = _find_incident(connection, report.event_key)
        fids = {0: _write_incident(connection, source, report.event_key, found, after[-1])}
        link_reports(connection, report.event_key, fids[0])
    for state, is_present in _new_situations(report, before, after):
        fid = fids[state.episode]
        situation_id = _write_situation(connection, fid, rows[report.source_id].id, report, state, is_fresh)
        if is_present and not source.is_past and _may_be_told(connection, source, fid):
            enqueue(connection, "alerts.consider", lock=f"incident:{fid}", situation_id=situation_id)
    return fids[after[-1].episode]


def _may_be_told(connection: Connection, source: Source, fid: int) -> bool:
    """Whether the alert side is to look at an incident now: what speaks of persons waits for a moderator first.

    Once it is published, `alerts.sweep` finds its newest situation undecided. A telegram never waits for that.
    """
    if not source.is_private:
        return True
    return bool(connection.execute(_QUERIES["publication"], {"fid": fid}).scalar_one() != "pending")


def _write_episodes(
    connection: Connection,
    source: Source,
    rows: Mapping[str, StoredReport],
    before: Sequence[IncidentState],
    after: Sequence[IncidentState],
) -> dict[int, int]:
    """Write those incidents of a running series that changed; return episode → fid.

    An episode is the incident of its key (the series and when it began), else the newest one that its reports
    belonged to so far: a report that came late may have moved its beginning. An incident that no episode claims
    any more (two turned out to be one) is cancelled.
    """
    linked = {stored.incident_fid for stored in rows.values() if stored.incident_fid is not None}
    fids: dict[int, int] = {}
    for episode in sorted({state.episode for state in after}):
        states = [state for state in after if state.episode == episode]
        first, last = states[0].report, states[-1]
        own = {rows[state.report.source_id].incident_fid for state in states} - {None} - set(fids.values())
        key = f"{first.event_key}:{first.reported_at.astimezone(UTC):%Y%m%dT%H%MZ}"
        found = _find_incident(connection, key) or max((fid for fid in own if fid is not None), default=None)
        if found is None or last not in before:
            found = _write_incident(connection, source, key, found, last)
        fids[episode] = found
        link_running(connection, first.event_key, [state.report.source_id for state in states], found)
    orphans = linked - set(fids.values())
    if orphans:
        connection.execute(_QUERIES["cancel_orphans"], {"fids": list(orphans)})
    return fids


def _new_situations(
    report: Report, before: list[IncidentState], after: list[IncidentState]
) -> list[tuple[IncidentState, bool]]:
    """Return (state, whether it is the present) for each timeline row that the report brings.

    The newest report brings the present. One that came late brings its own place in the past, which is
    nothing to warn about; if it changes the present, that comes as a second row.
    """
    present = after[-1]
    if present.report.source_id == report.source_id:
        return [(present, True)]
    past = [(state, False) for state in after if state.report.source_id == report.source_id]
    is_changed = not before or _said(before[-1]) != _said(present)
    return [*past, (present, True)] if is_changed else past


def _said(state: IncidentState) -> tuple[object, ...]:
    # Whether it is the first word or a later one is about the past.
    is_running = state.phase in ("issued", "updated")
    return is_running or state.phase, state.level, state.known.event, state.known.facts


def _find_incident(connection: Connection, event_key: str) -> int | None:
    fid = connection.execute(select(_INCIDENT.c.fid).where(_INCIDENT.c.event_key == event_key)).scalar()
    return None if fid is None else int(fid)


def _write_incident(
    connection: Connection, source: Source, event_key: str, found: int | None, state: IncidentState
) -> int:
    policy = find_policy(state.report.kind, source.name)
    is_personal = policy.is_personal or state.known.is_personal
    place, accuracy_m, shown = place_on_map(connection, found, state.known, is_personal)
    values = incident_values(source, state) | {"is_personal": is_personal, "accuracy_m": accuracy_m}
    if found is not None:
        values, place = stand_above(connection, found, policy, values, place)
    fid = _store_incident(connection, event_key, found, policy.publication, place, values)
    if policy.merge_m > 0 and not source.is_past:
        enqueue(connection, "ingest.match", lock="ingest.match", incident_fid=fid)
    if shown:
        keep_shown(connection, fid, shown)
    return fid


def _store_incident(
    connection: Connection, event_key: str, found: int | None, publication: str, place: bytes, values: dict[str, Any]
) -> int:
    """Insert an incident, or update what of it is different; return its fid. `place` is EWKB."""
    if found is None:
        return int(
            connection.execute(
                _INCIDENT.insert()
                .values(
                    event_key=event_key,
                    publication=publication,
                    geom=func.ST_GeomFromEWKB(bindparam("place", place, LargeBinary)),
                    **values,
                )
                .returning(_INCIDENT.c.fid)
            ).scalar_one()
        )
    moved = func.ST_AsEWKB(_INCIDENT.c.geom).is_distinct_from(bindparam("place", place, LargeBinary))
    different = [_INCIDENT.c[name].is_distinct_from(value) for name, value in values.items()]
    connection.execute(
        _INCIDENT.update()
        .where(_INCIDENT.c.fid == found, or_(moved, *different))
        .values(geom=func.ST_GeomFromEWKB(bindparam("place", place, LargeBinary)), **values)
    )
    return found


def place_on_map(
    connection: Connection, found: int | None, known: Known, is_personal: bool
) -> tuple[bytes, float | None, ShownPlace | None]:
    """Return the geometry that everybody may see as EWKB, its accuracy in metres, and what to keep of the choice.

    Of persons it is an area (ingest/shown_place.py). `found` None: the incident is new.
    """
    if not is_personal:
        return _place(connection, known), known.accuracy_m, None
    place_name = str(known.columns.get("place_name") or "")
    chosen = choose_shown(connection, found, known.position, known.accuracy_m or 0.0, place_name, load_town())
    return chosen.shown.geom, chosen.shown.accuracy_m, chosen


def incident_values(source: Source, state: IncidentState) -> dict[str, Any]:
    """Return what the fold decides of the columns of `layers.incident`, None where nothing is known."""
    report, known = state.report, state.known
    values: dict[str, Any] = {folded.name: None for folded in _FOLDED}
    values |= {
        "kind": report.kind,
        "status": report.status,
        "state": state.state,
        "level": state.level,
        "event": known.event,
        "headline": report.headline if state.state == "cancelled" else known.headline,
        "occurred_at": known.occurred_at,
        "reported_at": report.reported_at,
        "resolved_at": state.resolved_at,
        "source": source.title,
        "office": report.office,
        "accuracy_m": known.accuracy_m,
    }
    return values | dict(known.columns)


def _place(connection: Connection, known: Known) -> bytes:
    """Return the incident's geometry as EWKB: its position, the town's area, or a point in it while unknown."""
    town = load_town()
    if known.area:
        return bytes(connection.execute(_QUERIES["area"], {"area": orjson.dumps(known.area).decode()}).scalar_one())
    if known.position:
        lon, lat = known.position
        return bytes(connection.execute(_QUERIES["point"], {"lon": lon, "lat": lat}).scalar_one())
    min_lon, min_lat, max_lon, max_lat = town.bbox
    return bytes(
        connection.execute(
            _QUERIES["town_place"],
            {
                "code": town.code,
                "is_point": known.accuracy_m is not None,
                "min_lon": min_lon,
                "min_lat": min_lat,
                "max_lon": max_lon,
                "max_lat": max_lat,
            },
        ).scalar_one()
    )


def _write_situation(
    connection: Connection, fid: int, report_id: int, report: Report, state: IncidentState, is_fresh: bool
) -> int:
    statement = _QUERIES["insert_situation"].bindparams(bindparam("facts", type_=JSONB))
    said = state.report if state.report.source_id == report.source_id else report
    return int(
        connection.execute(
            statement,
            {
                "incident_fid": fid,
                "report_id": report_id,
                "telegram": said.telegram,
                "kind": said.kind,
                "status": said.status,
                "phase": state.phase,
                "level": state.level,
                "is_fresh": is_fresh,
                "reported_at": state.report.reported_at,
                "office": said.office,
                "headline": said.headline,
                "text": said.text,
                "facts": dict(state.known.facts),
            },
        ).scalar_one()
    )
