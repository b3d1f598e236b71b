"""Counts by kind, place and time, and what of them the public reads."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from gis.database import SERVICE
from ingest.statistics import list_tables, read_statistics, refresh_statistics

INSERT = text(
    "INSERT INTO layers.incident (kind, status, state, publication, event_key, level, headline, category, place_name,"
    " occurred_at, reported_at, geom) SELECT :kind, :status, :state, :publication, :key || n, 1, 'x', :category,"
    " :quarter, CAST(:at AS timestamptz), CAST(:at AS timestamptz), ST_SetSRID(ST_MakePoint(141.2105, 38.4305), 6668)"
    " FROM generate_series(1, :count) n"
)


def _add(database, count, key, **changes):
    values = {
        "kind": "crime", "status": "Actual", "state": "resolved", "publication": "published", "category": "自転車盗",
        "quarter": "矢本", "at": "2025-12-31T23:30:00+09:00", "key": key, "count": count,
    }  # fmt: skip
    with database.begin(SERVICE) as connection:
        connection.execute(INSERT, values | changes)


def _told(database, dimension, kind="crime", year=2025, is_public=True):
    with database.begin(SERVICE) as connection:
        refresh_statistics(connection)
    with database.begin("citizen" if is_public else SERVICE) as connection:
        found = read_statistics(connection, kind, year, is_public=is_public)
    return {one.value: one.count for one in found if one.dimension == dimension}


def test_an_incident_counts_by_japanese_time(database):
    _add(database, 6, "a")
    for dimension, value in (("month", "12"), ("weekday", "3"), ("hour", "23"), ("total", "")):
        assert _told(database, dimension) == {value: 6}, dimension


def test_the_place_counts_by_quarter_and_by_mesh_of_1_km(database):
    _add(database, 6, "a")
    assert _told(database, "quarter") == {"矢本": 6}
    assert _told(database, "mesh") == {"57415116": 6}


def test_few_incidents_about_persons_are_suppressed_also_by_subtraction(database):
    _add(database, 3, "a", quarter="大曲")
    _add(database, 7, "b")
    _add(database, 40, "c", quarter="赤井")
    assert _told(database, "quarter") == {"大曲": None, "矢本": None, "赤井": 40}
    assert _told(database, "quarter", is_public=False) == {"大曲": 3, "矢本": 7, "赤井": 40}


def test_fires_are_no_secret(database):
    _add(database, 1, "a", kind="fire")
    assert _told(database, "quarter", kind="fire") == {"矢本": 1}


@pytest.mark.parametrize(
    "changes", [{"status": "Exercise"}, {"state": "cancelled"}, {"publication": "merged"}, {"publication": "pending"}]
)
def test_what_did_not_happen_or_is_not_public_does_not_count(database, changes):
    _add(database, 9, "a", **changes)
    assert _told(database, "total") == {}


def test_what_is_no_longer_public_still_counts(database):
    _add(database, 9, "a", publication="expired")
    assert _told(database, "total") == {"": 9}


def test_a_withdrawn_incident_leaves_its_year(database):
    _add(database, 9, "a")
    assert _told(database, "total") == {"": 9}
    with database.begin(SERVICE) as connection:
        connection.execute(text("UPDATE layers.incident SET state = 'cancelled' WHERE event_key <> 'a1'"))
    assert _told(database, "total", is_public=False) == {"": 1}


def test_an_hour_that_the_source_did_not_know_is_a_bar_of_its_own(database):
    _add(database, 6, "known", kind="fire")
    _add(database, 7, "day", kind="fire", at="2025-12-31T00:00:00+09:00")
    with database.begin(SERVICE) as connection:
        connection.execute(
            text(
                "WITH d AS (INSERT INTO ingest.document (source, origin, name, sha256, byte_size, body)"
                " VALUES ('police', 'replay', 'd', 'd', 0, '') RETURNING id)"
                " INSERT INTO ingest.report (source, source_id, document_id, telegram, kind, status, action, event_key,"
                " reported_at, controlled_at, facts, concerns_town, incident_fid)"
                " SELECT 'police', i.event_key, d.id, 'x', 'fire', 'Actual', 'issue', i.event_key, i.reported_at,"
                " i.reported_at, jsonb_build_object('time_precision', 'day'), true, i.fid"
                " FROM layers.incident i, d WHERE i.event_key LIKE 'day%'"
            )
        )
    assert _told(database, "hour", kind="fire") == {"23": 6, "": 7}
    assert _told(database, "source", kind="fire") == {"": 13}


def test_citizens_read_no_suppressed_number(database):
    _add(database, 3, "a")
    _told(database, "total")
    with database.begin("citizen") as connection:
        assert list_tables(connection) == [("crime", 2025)]
        assert "3" not in {str(row.shown) for row in connection.execute(text("SELECT shown FROM open.statistic"))}
    with pytest.raises(ProgrammingError, match="permission denied"), database.begin("citizen") as connection:
        connection.execute(text("SELECT * FROM ingest.statistic"))
