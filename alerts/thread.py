"""The alerts of one incident: what was told last, and what waits."""

from __future__ import annotations

from sqlalchemy import Connection, Row, text

from alerts.decision import Situation, Told
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


def _told(row: Row[tuple[object, ...]] | None) -> Told | None:
    return Told(**row._mapping) if row else None
