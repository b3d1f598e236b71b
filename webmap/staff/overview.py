"""The first page after the login: what waits, what goes out, what comes in."""

from __future__ import annotations

from flask import render_template
from sqlalchemy import text

from gis.queries import load_queries
from ingest.alarms import standing_alarms
from ingest.overview import list_sources
from ingest.source import load_sources
from webmap import board, source_words
from webmap.staff.access import blueprint, staff_connection

_QUERIES = load_queries(__file__)


@blueprint.get("/")
def show_overview() -> str:
    """Show drafts, alerts with their deliveries, incidents and sources; other departments see the incidents only."""
    with staff_connection() as connection:
        incidents = board.list_incidents(connection, is_active=True)
        # The schema's own grant decides, so that page and database cannot disagree.
        if not connection.execute(text("SELECT has_schema_privilege('alerts', 'USAGE')")).scalar_one():
            return render_template("staff/overview.html", incidents=incidents, sees_alerts=False)
        return render_template(
            "staff/overview.html",
            incidents=incidents,
            sees_alerts=True,
            undecided=connection.execute(_QUERIES["moderation_count"]).scalar_one(),
            waiting=connection.execute(_QUERIES["waiting"]).all(),
            alerts=connection.execute(_QUERIES["alerts"]).all(),
            sources=list_sources(connection),
            alarms=standing_alarms(connection),
            source_titles={source.name: source.title for source in load_sources().values()},
            source_words=source_words,
            dead_letters=connection.execute(_QUERIES["dead_letter_count"]).scalar_one(),
        )
