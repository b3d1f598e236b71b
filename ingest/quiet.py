"""Incidents that nobody ends: an earthquake of which nothing more is heard, a notice whose time is over."""

from __future__ import annotations

from sqlalchemy import Connection

from gis.queries import load_queries

EARTHQUAKE_QUIET_HOURS = 24

_QUERIES = load_queries(__file__)


def resolve_quiet(connection: Connection) -> list[int]:
    """Resolve earthquakes 24 hours after their last report arrived, and notices whose `valid_until` has passed.

    No alert follows: there is nothing that the citizens would do differently. A report that still comes opens
    the earthquake again. Role: service.

    Returns
    -------
    The fids of the resolved incidents.
    """
    rows = connection.execute(_QUERIES["resolve_quiet"], {"quiet_hours": EARTHQUAKE_QUIET_HOURS})
    return sorted(int(fid) for fid in rows.scalars())
