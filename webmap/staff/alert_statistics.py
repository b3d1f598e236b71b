"""Statistics over messages: a page with bars, and the same numbers as CSV."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import datetime
from io import StringIO

from flask import Response, render_template, request
from sqlalchemy import text

from alerts.catalogue import JST
from alerts.statistics import Group, list_years, read_statistics
from webmap import wording
from webmap.languages import gettext, mark
from webmap.staff.access import blueprint, staff_connection

_HEAD = [
    "year", "status", "dimension", "value", "messages", "recipients", "accepted",
    "median_seconds_submit_to_approve", "median_seconds_to_first", "median_seconds_to_95_percent",
]  # fmt: skip
TITLES = {"month": mark("By month"), "kind": mark("By kind"), "level": mark("By level")}


@blueprint.get("/alerts/statistics")
def show_alert_statistics() -> str:
    """Show what the messages of a year did; real ones and drills apart."""
    year, is_real, years, groups = _read()
    return render_template(
        "staff/alert_statistics.html",
        year=year,
        years=years,
        is_real=is_real,
        total=groups[0],
        charts=[(gettext(title), _bars(name, groups)) for name, title in TITLES.items()],
        duration=_duration,
    )


@blueprint.get("/alerts/statistics.csv")
def show_alert_statistics_csv() -> Response:
    """Answer the same numbers as CSV, UTF-8 with BOM; times in seconds."""
    year, is_real, _, groups = _read()
    out = StringIO()
    rows = csv.writer(out)
    rows.writerow(_HEAD)
    status = "real" if is_real else "drill"
    for group in groups:
        seconds = [_rounded(value) for value in (group.approval_s, group.first_s, group.most_s)]
        counts = [group.messages, group.people, group.accepted]
        rows.writerow([year, status, group.dimension, group.value, *counts, *seconds])
    disposition = f'attachment; filename="alerts-{year}-{status}.csv"'
    return Response("\ufeff" + out.getvalue(), mimetype="text/csv", headers={"Content-Disposition": disposition})


def _read() -> tuple[int, bool, list[int], list[Group]]:
    is_real = request.args.get("status") != "drill"
    with staff_connection() as connection:
        # The schema's own grant decides; another department is refused as everywhere.
        connection.execute(text("SELECT FROM alerts.alert LIMIT 0"))
        years = list_years(connection)
        asked = request.args.get("year", type=int)
        year = asked if asked in years else max(years, default=datetime.now(JST).year)
        return year, is_real, years, read_statistics(connection, year, is_real)


def _bars(dimension: str, groups: Sequence[Group]) -> list[tuple[str, Group, float]]:
    """Return for each group its name, itself, and the length of its bar in percent of the longest."""
    mine = [group for group in groups if group.dimension == dimension]
    longest = max((group.messages for group in mine), default=1)
    return [(_name(group), group, 100 * group.messages / longest) for group in mine]


def _name(group: Group) -> str:
    if group.dimension == "kind":
        return wording.kind_name(group.value)
    if group.dimension == "level":
        return gettext("Level %(number)s", number=group.value)
    return gettext("Month %(number)s", number=int(group.value))


def _duration(seconds: float | None) -> str:
    """Write a median: tenths of a second below a minute, then minutes and hours."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return gettext("%(number)s s", number=f"{seconds:.1f}")
    if seconds < 3600:
        return gettext("%(number)s min", number=f"{seconds / 60:.1f}")
    return gettext("%(number)s h", number=f"{seconds / 3600:.1f}")


def _rounded(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.3f}"
