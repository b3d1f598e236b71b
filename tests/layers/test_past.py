"""The map as it was: features and tiles of a past moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from gis.database import Database
from gis.errors import UsageError
from layers.catalogue import sync
from layers.changes import Delete, Insert, Update
from layers.definition import Definition, load_definitions
from layers.editing import apply_changes
from layers.past import features_at, render_tile_at
from layers.refusals import NotAllowedError
from layers.tiles import render_tile

POINT = {"type": "Point", "coordinates": [141.2, 38.4]}
AWAY = {"type": "Point", "coordinates": [142.2, 39.4]}
BBOX = (141.1, 38.3, 141.3, 38.5)
# Tile 10/913/393 has the first point, 10/916/389 the second.
TILE, TILE_AWAY = (10, 913, 393), (10, 916, 389)


@pytest.fixture
def sites() -> Definition:
    return load_definitions()["evacuation_site"]


@pytest.fixture
def moments(database: Database, sites: Definition) -> list[datetime]:
    """Times after: nothing, insert, renaming, move away, deletion."""
    times = [_now(database)]
    with database.begin("dept_disaster") as connection:
        new = Insert({"site_id": "a", "name": "甲"}, POINT)
        fid = apply_changes(connection, sites, [new]).inserted[0]
    times.append(_now(database))
    for change in (Update(fid, 1, {"name": "乙"}), Update(fid, 2, geometry=AWAY), Delete(fid, 3)):
        with database.begin("dept_disaster") as connection:
            apply_changes(connection, sites, [change])
        times.append(_now(database))
    return times


def _now(database: Database) -> datetime:
    with database.begin("dept_disaster") as connection:
        moment: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return moment


def test_features_are_as_they_were_at_each_moment(
    database: Database, sites: Definition, moments: list[datetime]
) -> None:
    with database.begin("dept_sewer") as connection:
        everywhere = [[row.values["name"] for row in features_at(connection, sites, at)] for at in moments]
        inside = [[row.version for row in features_at(connection, sites, at, BBOX)] for at in moments]
    assert everywhere == [[], ["甲"], ["乙"], ["乙"], []]
    assert inside == [[], [1], [2], [], []]


def test_histories_that_closed_their_versions_in_place_are_carried_over(
    database: Database, owner: Engine, sites: Definition, moments: list[datetime]
) -> None:
    with owner.begin() as connection:
        connection.execute(
            text(
                "ALTER TABLE history.evacuation_site DROP COLUMN left_box, ADD COLUMN valid_to timestamptz,"
                " ADD COLUMN is_displaced boolean NOT NULL DEFAULT false"
            )
        )
        connection.execute(text("UPDATE gis.layer SET ddl_sha256 = '' WHERE name = 'evacuation_site'"))
        connection.execute(text("SET ROLE machimori_owner"))
        assert sync(connection) == ["evacuation_site"]
    with database.begin("dept_disaster") as connection:
        inside = [[row.version for row in features_at(connection, sites, at, BBOX)] for at in moments]
        left = connection.execute(
            text("SELECT version, left_box IS NOT NULL FROM history.evacuation_site ORDER BY version")
        ).all()
    assert inside == [[], [1], [2], [], []]
    assert [tuple(row) for row in left] == [(1, False), (2, False), (3, True), (4, True)]


def test_every_moment_shows_exactly_one_version_of_a_feature(
    database: Database, sites: Definition, moments: list[datetime]
) -> None:
    """The very moments of change included: a version ends where the next begins."""
    with database.begin("dept_disaster") as connection:
        ends = connection.execute(text("SELECT valid_from FROM history.evacuation_site ORDER BY version")).scalars()
        counts = [len(features_at(connection, sites, at)) for at in list(ends)]
        before = features_at(connection, sites, moments[0] - timedelta(days=3650))
    assert counts == [1, 1, 1, 0]
    assert before == []


def test_a_tile_of_now_is_the_tile_of_the_present(database: Database, sites: Definition) -> None:
    with database.begin("dept_disaster") as connection:
        new = [Insert({"site_id": str(n), "name": f"丘{n}", "tsunami": n % 2 == 0}, POINT) for n in range(3)]
        fids = apply_changes(connection, sites, new).inserted
    now = _now(database)
    with database.begin("dept_disaster") as connection:
        present = render_tile(connection, "evacuation_site", *TILE)
        assert present
        assert len(render_tile_at(connection, sites, *TILE, now)) == len(present)
        apply_changes(connection, sites, [Delete(fid, 1) for fid in fids])
    with database.begin("dept_disaster") as connection:
        assert render_tile(connection, "evacuation_site", *TILE) == b""
        assert len(render_tile_at(connection, sites, *TILE, now)) == len(present)


def test_tiles_follow_a_feature_through_its_past(
    database: Database, sites: Definition, moments: list[datetime]
) -> None:
    with database.begin("dept_disaster") as connection:
        here = [render_tile_at(connection, sites, *TILE, at) for at in moments]
        there = [render_tile_at(connection, sites, *TILE_AWAY, at) for at in moments]
        world = render_tile_at(connection, sites, 0, 0, 0, moments[1])
    assert ["甲".encode() in tile for tile in here] == [False, True, False, False, False]
    assert ["乙".encode() in tile for tile in here] == [False, False, True, False, False]
    assert [bool(tile) for tile in there] == [False, False, False, True, False]
    assert "甲".encode() in world


def test_a_past_tile_of_incidents_shows_only_what_was_published_then(database: Database) -> None:
    incidents = load_definitions()["incident"]
    with database.begin("dept_disaster") as connection:
        new = Insert({"kind": "fire", "status": "Actual", "event_key": "k"}, POINT)
        fid = apply_changes(connection, incidents, [new]).inserted[0]
    pending = _now(database)
    for version, publication in ((1, "published"), (2, "held")):
        with database.begin("dept_disaster") as connection:
            apply_changes(connection, incidents, [Update(fid, version, {"publication": publication})])
        if publication == "published":
            published = _now(database)
    held = _now(database)
    with database.begin("dept_disaster") as connection:
        shown = [bool(render_tile_at(connection, incidents, *TILE, at)) for at in (pending, published, held)]
    assert shown == [False, True, False]


def test_a_time_without_a_zone_is_refused(database: Database, sites: Definition) -> None:
    with database.begin("dept_disaster") as connection, pytest.raises(UsageError, match="no time zone"):
        features_at(connection, sites, datetime(2026, 3, 11))  # noqa: DTZ001


def test_citizens_do_not_read_the_past(database: Database, sites: Definition) -> None:
    with pytest.raises(NotAllowedError), database.begin("citizen") as connection:
        render_tile_at(connection, sites, *TILE, datetime.now(UTC))
