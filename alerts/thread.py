"""The alerts of one incident: what was told last, what waits, and what was decided."""

from __future__ import annotations

from sqlalchemy import Connection, Row, text

from alerts.decision import Decision, Situation, Told
from gis.queries import load_queries

_QUERIES = load_queries(__file__)


def lock_incident(connection: Connection, incident_fid: int) -> None:
    """Let one transaction at a time decide about the alerts of an incident."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('alerts.incident:' || :fid, 0))"), {"fid": incident_fid}
    )


def read_situation(connection: Connection, situation_id: int) -> Situation:
    """Read one row of the incident's timeline.

    Raises
    ------
    sqlalchemy.exc.NoResultFound : there is no such row.
    """
    row = connection.execute(_QUERIES["read_situation"], {"situation_id": situation_id}).one()
    return Situation(**row._mapping)


def last_sent(connection: Connection, incident_fid: int) -> Told | None:
    """Return the last alert of the incident that went out."""
    return _told(connection.execute(_QUERIES["last_sent"], {"incident_fid": incident_fid}).first())


def newest_waiting(connection: Connection, incident_fid: int) -> Told | None:
    """Return the newest alert of the incident that is a draft or waits for its approval."""
    return _told(connection.execute(_QUERIES["newest_waiting"], {"incident_fid": incident_fid}).first())


def is_decided(connection: Connection, situation_id: int) -> bool:
    """Whether somebody has decided about a situation already."""
    return bool(connection.execute(_QUERIES["is_decided"], {"situation_id": situation_id}).scalar_one())


def record_decision(connection: Connection, situation_id: int, decision: Decision, alert_id: int | None) -> None:
    """Keep what was decided about a situation and why, for whoever asks later why nothing was sent."""
    values = {"situation_id": situation_id, "step": decision.step, "reason": decision.reason, "alert_id": alert_id}
    connection.execute(_QUERIES["record_decision"], values)


def undecided_situations(connection: Connection) -> list[tuple[int, int]]:
    """Return (situation, incident) of incidents whose newest word waits for a decision for over half a minute."""
    return [(row.id, row.incident_fid) for row in connection.execute(_QUERIES["undecided_situations"])]


def _told(row: Row[tuple[object, ...]] | None) -> Told | None:
    return Told(**row._mapping) if row else None
