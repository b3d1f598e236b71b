"""Statistics over messages: drills apart from what was real, and read by the department only."""

from __future__ import annotations

import csv
from collections.abc import Callable
from io import StringIO

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from alerts.statistics import read_statistics
from gis.database import Database

LogIn = Callable[[str], FlaskClient]


@pytest.fixture
def year(warned_town: Database, owner: Engine) -> int:
    """The year of the town's messages: each mail accepted 2 s after sending, but for the first, which failed."""
    with owner.begin() as connection:
        connection.execute(
            text(
                "UPDATE alerts.delivery d SET state = 'accepted', finished_at = a.sent_at + interval '2 seconds'"
                " FROM alerts.alert a WHERE a.id = d.alert_id"
            )
        )
        connection.execute(
            text(
                "UPDATE alerts.delivery SET state = 'failed' WHERE id IN"
                " (SELECT min(id) FROM alerts.delivery WHERE channel = 'mail' GROUP BY alert_id)"
            )
        )
        years = "SELECT max(date_part('year', sent_at AT TIME ZONE 'Asia/Tokyo'))::int FROM alerts.alert"
        return int(connection.execute(text(years)).scalar_one())


def test_the_numbers_are_those_of_the_deliveries(
    warned_town: Database, owner: Engine, year: int, log_in: LogIn
) -> None:
    with owner.begin() as connection:
        truth = connection.execute(
            text(
                "SELECT a.cap_status = 'Actual' AS is_real, count(DISTINCT a.id) AS messages, count(d.id) AS people,"
                " count(d.id) FILTER (WHERE d.state = 'accepted') AS accepted"
                " FROM alerts.alert a LEFT JOIN alerts.delivery d ON d.alert_id = a.id AND d.channel = 'mail'"
                " WHERE date_part('year', a.sent_at AT TIME ZONE 'Asia/Tokyo') = :year GROUP BY 1"
            ),
            {"year": year},
        ).all()
    assert truth
    with warned_town.begin("dept_disaster") as connection:
        for row in truth:
            groups = read_statistics(connection, year, row.is_real)
            for dimension in ("total", "month", "kind", "level"):
                mine = [group for group in groups if group.dimension == dimension]
                assert sum(group.messages for group in mine) == row.messages
                assert sum(group.people for group in mine) == row.people
                assert sum(group.accepted for group in mine) == row.accepted == row.people - row.messages
            assert groups[0].first_s == pytest.approx(2)
            assert groups[0].most_s is None or row.accepted >= 0.95 * row.people
    hanako = log_in("hanako")
    status = "real" if truth[0].is_real else "drill"
    for tag in ("ja-x-easy", "ja", "en"):
        page = hanako.get(f"/staff/alerts/statistics?year={year}&status={status}&lang={tag}").text
        assert f'<th scope="row">{year}</th>' in page, tag
    assert f'<th scope="row">{year}</th><td class="number">{truth[0].messages}</td>' in page
    answer = hanako.get(f"/staff/alerts/statistics.csv?year={year}&status={status}").data.decode("utf-8-sig")
    (total,) = [row for row in csv.DictReader(StringIO(answer)) if row["dimension"] == "total"]
    assert (total["messages"], total["recipients"]) == (str(truth[0].messages), str(truth[0].people))


def test_another_department_reads_none_and_an_empty_year_is_no_error(
    year: int, log_in: LogIn, warned_town: Database
) -> None:
    assert log_in("saburo").get("/staff/alerts/statistics").status_code in (302, 403)
    assert log_in("saburo").get("/staff/alerts/statistics.csv").status_code in (302, 403)
    with warned_town.begin("dept_disaster") as connection:
        groups = read_statistics(connection, 1900, True)
    assert [(group.dimension, group.messages, group.approval_s) for group in groups] == [("total", 0, None)]
