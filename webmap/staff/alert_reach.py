"""The cells of a message's reach for the small map; the page has them as a table, too."""

from __future__ import annotations

from flask import abort
from sqlalchemy import text

from alerts.reach import Cell, read_reach
from webmap.languages import gettext
from webmap.staff.access import blueprint, staff_connection


@blueprint.get("/alerts/<int:alert_id>/reach.geojson")
def alert_reach(alert_id: int) -> dict[str, object]:
    """Answer the cells that may be shown, and in `elsewhere` the number of people in none of them."""
    with staff_connection(at_one_moment=True) as connection:
        if connection.execute(text("SELECT id FROM alerts.alert WHERE id = :id"), {"id": alert_id}).first() is None:
            abort(404)
        reach = read_reach(connection, alert_id)
    return {
        "type": "FeatureCollection",
        "elsewhere": reach.elsewhere,
        "features": [
            {
                "type": "Feature",
                "properties": {
                    "code": cell.code,
                    "people": cell.people,
                    "missing": cell.missing,
                    "name": _name(cell),
                    "look": "all" if not cell.missing else "none" if cell.missing == cell.people else "some",
                },
                "geometry": {"type": "Polygon", "coordinates": [cell.ring]},
            }
            for cell in reach.cells
        ],
    }


def _name(cell: Cell) -> str:
    return gettext(
        "%(people)s people or more, %(missing)s or more without it", people=cell.people, missing=cell.missing
    )
