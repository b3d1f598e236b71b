"""Who gets an alert: everyone whose place meets its area, and everyone who got an earlier message of its thread."""

from __future__ import annotations

from sqlalchemy import Connection, TextClause, text

from gis.queries import load_queries
from gis.town import Town

_QUERIES = load_queries(__file__)
# Incident kind → the flag of an evacuation site that says it is usable (災害種別 of 指定緊急避難場所).
SITE_HAZARDS = {
    "tsunami": "tsunami",
    "earthquake": "earthquake",
    "flood": "flood",
    "landslide": "landslide",
    "storm_surge": "storm_surge",
    "fire": "large_fire",
}


def freeze_recipients(connection: Connection, alert_id: int, kind: str, phase: str, town: Town) -> int:
    """Write one delivery per person concerned, with places and the nearest usable sites; return how many.

    A message that ends a thread (`cleared`, `withdrawn`) names no sites: nobody needs to flee.
    Roles: `machimori_service`, `dept_disaster`. The alert must be approved; the database refuses otherwise.
    """
    hazard = SITE_HAZARDS.get(kind, "") if phase in ("issued", "updated") else ""
    parameters = {"alert_id": alert_id, "plane_epsg": town.plane_epsg, "hazard": hazard}
    return connection.execute(_compose("insert_deliveries"), parameters).rowcount


def count_recipients(connection: Connection, alert_id: int, town: Town) -> dict[str, int]:
    """Return how many people an alert would reach if it were approved now, per language."""
    rows = connection.execute(_compose("count_recipients"), {"alert_id": alert_id, "plane_epsg": town.plane_epsg})
    return {row.language: row.people for row in rows}


def _compose(name: str) -> TextClause:
    return text(_QUERIES.sql(name).replace("{recipients}", _QUERIES.sql("recipients")))
