"""What the citizen's pages show, read as the role `citizen` from the schema `open`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from gis.languages import LANGUAGES
from gis.queries import load_queries

_QUERIES = load_queries(__file__)
_MOST = 100  # rows of a board; more than this nobody reads, and the feeds have them

Rows = Sequence[Row[Any]]


def list_incidents(connection: Connection, *, is_active: bool, most: int = _MOST) -> Rows:
    """Return published incidents: those that go on, real ones first, then by level and time; or the newest past."""
    query = "active_incidents" if is_active else "past_incidents"
    return connection.execute(_QUERIES[query], {"most": most}).all()


def find_incident(connection: Connection, fid: int) -> Row[Any] | None:
    """Return one published incident, or None."""
    return connection.execute(_QUERIES["incident"], {"fid": fid}).first()


def list_timeline(connection: Connection, fid: int) -> Rows:
    """Return what was known about an incident after each report, oldest first."""
    return connection.execute(_QUERIES["timeline"], {"fid": fid}).all()


def list_alerts(connection: Connection, language: str, *, is_in_force: bool, most: int = _MOST) -> Rows:
    """Return alerts that were sent, with their text in `language`; real ones first, then the newest."""
    parameters = {"language": language, "is_in_force": is_in_force, "most": most}
    return connection.execute(_QUERIES["alerts"], parameters).all()


def list_alerts_of_incident(connection: Connection, language: str, fid: int) -> Rows:
    """Return the thread of alerts about an incident, oldest first."""
    return connection.execute(_QUERIES["alerts_of_incident"], {"language": language, "fid": fid}).all()


def find_alert(connection: Connection, alert_id: int) -> tuple[Row[Any], Rows] | None:
    """Return an alert that was sent and its texts in the house's order of languages, or None."""
    alert = connection.execute(_QUERIES["alert"], {"id": alert_id}).first()
    if alert is None:
        return None
    texts = connection.execute(_QUERIES["alert_texts"], {"id": alert_id}).all()
    return alert, sorted(texts, key=lambda text: LANGUAGES.index(text.language))


def list_standing_warnings(connection: Connection, language: str) -> Rows:
    """Return real alerts of level 4 and 5 that are in force."""
    return connection.execute(_QUERIES["standing_warnings"], {"language": language}).all()


def is_demonstration(connection: Connection) -> bool:
    """Whether the evacuation sites or shelters shown are invented."""
    return bool(connection.execute(_QUERIES["is_demonstration"]).scalar_one())


def list_sites(connection: Connection, hazard: str | None = None) -> Rows:
    """Return the emergency evacuation sites (指定緊急避難場所), by name; with `hazard`, those that are safe in it."""
    return connection.execute(_QUERIES["sites"], {"hazard": hazard}).all()


def list_shelters(connection: Connection) -> Rows:
    """Return the shelters (指定避難所), by name."""
    return connection.execute(_QUERIES["shelters"]).all()


def list_sources(connection: Connection) -> Sequence[str]:
    """Return who publishes the places shown."""
    return connection.execute(_QUERIES["sources_of_places"]).scalars().all()


def list_incident_features(connection: Connection) -> Rows:
    """Return active incidents with their geometry as GeoJSON text and a point on it, lon/lat in degrees."""
    return connection.execute(_QUERIES["incident_features"]).all()


def list_alert_features(connection: Connection, language: str) -> Rows:
    """Return the alerts in force with their area as GeoJSON text, lon/lat in degrees."""
    return connection.execute(_QUERIES["alert_features"], {"language": language}).all()


def incident_geometry(connection: Connection, fid: int) -> str | None:
    """Return a published incident's geometry as GeoJSON text, or None."""
    return connection.execute(_QUERIES["incident_geometry"], {"fid": fid}).scalar()


def alert_geometry(connection: Connection, alert_id: int) -> str | None:
    """Return a sent alert's area as GeoJSON text, or None."""
    return connection.execute(_QUERIES["alert_geometry"], {"id": alert_id}).scalar()
