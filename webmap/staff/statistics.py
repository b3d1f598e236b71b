"""Statistics for the staff: the public tables, whole for who may read them, with response times and what waits."""

from __future__ import annotations

from flask import Response, render_template

from ingest.statistics import Statistic, may_read_all, read_response_times, read_staff_statistics, read_waiting
from webmap import incident_words
from webmap.staff.access import blueprint, staff_connection
from webmap.statistics import Asked, csv_answer, json_answer, mesh_answer, page_values, read_asked


@blueprint.get("/statistics")
def show_statistics() -> str:
    """Show one kind and year, how long incidents of the year waited for a moderator, and what waits now."""
    with staff_connection() as connection:
        asked = read_asked(connection)
        found = read_staff_statistics(connection, asked.kind, asked.year)
        is_whole = may_read_all(connection)
        times = read_response_times(connection, asked.year)
        waiting = read_waiting(connection)
    return render_template(
        "staff/statistics.html",
        is_whole=is_whole,
        times=times,
        waiting=waiting,
        desk=incident_words,
        **page_values(asked, found),
    )


@blueprint.get("/statistics.csv")
def show_statistics_csv() -> Response:
    """Answer the same numbers as CSV."""
    return csv_answer(*_read())


@blueprint.get("/statistics.json")
def show_statistics_json() -> dict[str, object]:
    """Answer the same numbers as JSON."""
    return json_answer(*_read())


@blueprint.get("/statistics/mesh.geojson")
def show_statistics_mesh() -> dict[str, object]:
    """Answer the cells of 1 km with their counts."""
    return mesh_answer(_read()[1])


def _read() -> tuple[Asked, list[Statistic]]:
    with staff_connection() as connection:
        asked = read_asked(connection)
        return asked, read_staff_statistics(connection, asked.kind, asked.year)
