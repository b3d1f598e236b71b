"""What went out, to how many, and what did not arrive and why. Role: `machimori_service` or `dept_disaster`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from gis.errors import UsageError
from gis.queries import load_queries

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class AlertReport:
    """One alert with its course.

    Attributes
    ----------
    steps : created_at, state, account, note, messages; in order; the state `resent` is a resending of so many messages.
    states : deliveries by state: state, messages, first_at, last_at, next_at.
    failures : attempts that did not work, by the relay's own words: outcome, relay, reply, attempts, messages,
        first_at, last_at.
    """

    alert: Row[Any]
    steps: list[Row[Any]]
    states: list[Row[Any]]
    failures: list[Row[Any]]


def list_alerts(connection: Connection, most: int = 50) -> list[Row[Any]]:
    """Return the latest alerts with how many people they go to and how many have them."""
    return list(connection.execute(_QUERIES["list_alerts"], {"most": most}))


def report_alert(connection: Connection, alert_id: int, most_failures: int = 20) -> AlertReport:
    """Return the course of one alert.

    Raises
    ------
    UsageError : there is no such alert.
    """
    alert = connection.execute(_QUERIES["read_alert"], {"alert_id": alert_id}).first()
    if alert is None:
        raise UsageError("There is no alert %(alert)s.", "See ./machimori alerts list", alert=alert_id)
    return AlertReport(
        alert,
        list_steps(connection, alert_id),
        count_states(connection, alert_id),
        count_failures(connection, alert_id, most_failures),
    )


def list_steps(connection: Connection, alert_id: int) -> list[Row[Any]]:
    """Return who did what with an alert, in order; resendings too."""
    return list(connection.execute(_QUERIES["read_steps"], {"alert_id": alert_id}))


def count_states(connection: Connection, alert_id: int | None = None) -> list[Row[Any]]:
    """Return the deliveries by state, of one alert or of all."""
    return list(connection.execute(_QUERIES["count_states"], {"alert_id": alert_id}))


def count_failures(connection: Connection, alert_id: int | None = None, most: int = 20) -> list[Row[Any]]:
    """Return the attempts that did not work by the relay's own words, newest first, of one alert or of all."""
    return list(connection.execute(_QUERIES["count_failures"], {"alert_id": alert_id, "most": most}))


def count_in_doubt(connection: Connection, alert_id: int | None = None) -> int:
    """Return how many messages may have arrived twice: handed over without an answer, and sent again."""
    return int(connection.execute(_QUERIES["count_in_doubt"], {"alert_id": alert_id}).scalar_one())
