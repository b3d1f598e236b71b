"""All messages at the desk, with filters and pages, and the way to a new one."""

from __future__ import annotations

from flask import render_template, request
from sqlalchemy import text

from gis.queries import load_queries
from webmap import wording
from webmap.staff import alert_words
from webmap.staff.access import blueprint, staff_account, staff_connection

_QUERIES = load_queries(__file__)
_ROWS = 50


@blueprint.get("/alerts")
def show_alerts() -> str:
    """List messages of every state, the newest first; filters by state, real or drill, and words."""
    page = max(request.args.get("page", 1, type=int), 1)
    filters = {
        "state": request.args.get("state", "") if request.args.get("state") in wording.ALERT_STATES else "",
        "status": request.args.get("status", "") if request.args.get("status") in alert_words.STATUSES else "",
        "words": request.args.get("words", "").strip()[:100],
    }
    with staff_connection() as connection:
        # The schema's own grant decides; another department is refused as everywhere.
        connection.execute(text("SELECT FROM alerts.alert LIMIT 0"))
        rows = connection.execute(_QUERIES["alerts"], filters | {"first": (page - 1) * _ROWS, "most": _ROWS + 1}).all()
    return render_template(
        "staff/alerts.html",
        alerts=rows[:_ROWS],
        has_more=len(rows) > _ROWS,
        page=page,
        filters=filters,
        desk=alert_words,
        may_write=staff_account().may("write_alerts"),
    )
