"""Who gets an alert: everyone whose place meets its area, and everyone who got an earlier message of its thread."""

from __future__ import annotations

import orjson
from sqlalchemy import Connection, TextClause, text

from alerts.channels.outgoing import channels
from alerts.limits import load_limits
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


def freeze_recipients(
    connection: Connection, alert_id: int, kind: str, phase: str, town: Town, only_late: bool = False
) -> int:
    """Write one delivery per person concerned, with places and the nearest usable sites; return how many.

    Other channels repeat it for who has them (`alerts.channels.outgoing`).

    A message that ends a thread (`cleared`, `withdrawn`) names no sites: nobody needs to flee.
    Below level 4 a message waits for the end of a person's quiet hours; one that waits is overtaken by a newer message
    of its thread. What the freezing saw is noted, for those who subscribe meanwhile (`reach_latecomers`).
    Roles: `machimori_service`, `dept_disaster`. The alert must be approved; else the database refuses.

    Parameters
    ----------
    only_late : only who subscribed, or changed the subscription, unseen by the last freezing.
    """
    hazard = SITE_HAZARDS.get(kind, "") if phase in ("issued", "updated") else ""
    parameters = {"alert_id": alert_id, "plane_epsg": town.plane_epsg, "hazard": hazard, "only_late": only_late}
    if not only_late:
        connection.execute(_QUERIES["note_audience"], {"alert_id": alert_id})
    connection.execute(_QUERIES["stage_sites"])
    connection.execute(_QUERIES["fill_sites"], parameters)
    connection.execute(_QUERIES["index_sites"])
    paces = orjson.dumps(load_limits().pace_of).decode()
    count = connection.execute(_compose("insert_deliveries"), {**parameters, "paces": paces}).rowcount
    connection.execute(_QUERIES["drop_sites"])
    for channel in channels():
        channel.freeze(connection, alert_id)
    connection.execute(_QUERIES["suppress_held"], {"alert_id": alert_id})
    return count


def reach_latecomers(connection: Connection, town: Town) -> int:
    """Write deliveries of the alerts that hold to those who subscribed meanwhile and are inside; return how many.

    Role: `machimori_service`. Keep the transaction short: an answer to one of these alerts waits for it.
    """
    count = 0
    for alert in connection.execute(_QUERIES["running_alerts"]).all():
        seen = connection.execute(_QUERIES["read_snapshot"]).scalar_one()
        count += freeze_recipients(connection, alert.id, alert.kind, alert.phase, town, only_late=True)
        connection.execute(_QUERIES["move_audience"], {"alert_id": alert.id, "seen": seen})
    return count


def count_recipients(connection: Connection, alert_id: int, town: Town) -> dict[str, int]:
    """Return how many people an alert would reach if it were approved now, per language."""
    parameters = {"alert_id": alert_id, "plane_epsg": town.plane_epsg, "only_late": False}
    rows = connection.execute(_compose("count_recipients"), parameters)
    return {row.language: row.people for row in rows}


def _compose(name: str) -> TextClause:
    return text(_QUERIES.sql(name).replace("{recipients}", _QUERIES.sql("recipients")))


def recipients_sql() -> str:
    """Return the statement that finds an alert's recipients, to measure it."""
    return _QUERIES.sql("recipients")
