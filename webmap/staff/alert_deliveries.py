"""The single mails and pushes of a message, a page at a time, and the numbers above them."""

from __future__ import annotations

from typing import Any

from flask import request
from sqlalchemy import Connection

from alerts.progress import mask_addresses, read_progress
from gis.queries import load_queries

_QUERIES = load_queries(__file__)
_ROWS = 50


def delivery_values(connection: Connection, alert_id: int) -> dict[str, Any]:
    """Return what `parts/alert_progress.html` and `parts/alert_deliveries.html` show; the page is the request's."""
    page = max(request.args.get("page", 1, type=int), 1)
    bounds = {"id": alert_id, "first": (page - 1) * _ROWS, "most": _ROWS + 1}
    deliveries = connection.execute(_QUERIES["deliveries"], bounds).all()
    return {
        "progress": read_progress(connection, alert_id),
        "counts": connection.execute(_QUERIES["delivery_counts"], {"id": alert_id}).all(),
        "deliveries": deliveries[:_ROWS],
        "page": page,
        "has_more": len(deliveries) > _ROWS,
        "mask": mask_addresses,
    }
