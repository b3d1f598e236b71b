"""The map as it was: features and tiles of a past moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import Connection, Engine, text

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
BACK = (
    "INSERT INTO layers.evacuation_site (fid, site_id, name, geom)"
    " VALUES (:f, 'back', '戻', ST_SetSRID(ST_Point(141.2, 38.4), 6668))"
)
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


def test_a_past_tile_of_incidents_shows_only_what_was_published_then_and_still_is(database: Database) -> None:
    incidents = load_definitions()["incident"]

    def shown(at: datetime) -> bool:
        with database.begin("dept_disaster") as connection:
            return bool(render_tile_at(connection, incidents, *TILE, at))

    # Only moderators and the service write incidents.
    with database.begin("machimori_service") as connection:
        new = Insert({"kind": "fire", "status": "Actual", "event_key": "k"}, POINT)
        fid = apply_changes(connection, incidents, [new]).inserted[0]
    pending = _now(database)
    with database.begin("machimori_service") as connection:
        apply_changes(connection, incidents, [Update(fid, 1, {"publication": "published"})])
    published = _now(database)
    assert [shown(pending), shown(published)] == [False, True]
    with database.begin("machimori_service") as connection:
        apply_changes(connection, incidents, [Update(fid, 2, {"publication": "held"})])
    assert [shown(published), shown(_now(database))] == [False, False]


def test_a_time_without_a_zone_is_refused(database: Database, sites: Definition) -> None:
    with database.begin("dept_disaster") as connection, pytest.raises(UsageError, match="no time zone"):
        features_at(connection, sites, datetime(2026, 3, 11))  # noqa: DTZ001


def test_citizens_do_not_read_the_past(database: Database, sites: Definition) -> None:
    with pytest.raises(NotAllowedError), database.begin("citizen") as connection:
        render_tile_at(connection, sites, *TILE, datetime.now(UTC))


def test_histories_keyed_by_version_are_carried_over(
    database: Database, owner: Engine, sites: Definition, moments: list[datetime]
) -> None:
    """Their versions began a moment after the row's stamp, and a clock set back left them out of order."""
    with database.begin("dept_disaster") as connection:
        standing = Insert({"site_id": "b", "name": "丙"}, POINT)
        fid = apply_changes(connection, sites, [standing]).inserted[0]
        stamped = connection.execute(text("SELECT updated_at FROM layers.evacuation_site")).scalar_one()
    with owner.begin() as connection:
        connection.execute(
            text(
                "ALTER TABLE history.evacuation_site DROP CONSTRAINT evacuation_site_pkey;"
                "ALTER TABLE history.evacuation_site ADD PRIMARY KEY (fid, version);"
                "UPDATE history.evacuation_site SET valid_from = valid_from + interval '3 ms' WHERE version = 1;"
                "UPDATE history.evacuation_site SET valid_from = valid_from - interval '1 hour' WHERE version = 4"
            )
        )
        connection.execute(text("UPDATE gis.layer SET ddl_sha256 = '' WHERE name = 'evacuation_site'"))
        connection.execute(text("SET ROLE machimori_owner"))
        assert sync(connection) == ["evacuation_site"]
        assert sync(connection) == []
    with database.begin("dept_disaster") as connection:
        begun = connection.execute(text("SELECT valid_from FROM history.evacuation_site WHERE fid = :f"), {"f": fid})
        assert begun.scalar_one() == stamped
        ordered = connection.execute(
            text("SELECT valid_from FROM history.evacuation_site WHERE fid <> :f ORDER BY version"), {"f": fid}
        )
        times = list(ordered.scalars())
        assert times == sorted(set(times))
        assert [row.fid for row in features_at(connection, sites, stamped, BBOX)] == [fid]
        assert features_at(connection, sites, stamped - timedelta(microseconds=1), BBOX) == []


def test_a_version_begins_when_its_row_was_stamped(database: Database, sites: Definition) -> None:
    """What the layer says of itself and what the history says of it must meet without a gap."""
    with database.begin("dept_disaster") as connection:
        new = [Insert({"site_id": str(n), "name": f"丘{n}"}, POINT) for n in range(3)]
        first, second, third = apply_changes(connection, sites, new).inserted
        connection.execute(text("UPDATE layers.evacuation_site SET note = '点検' WHERE fid <> :f"), {"f": first})
        connection.execute(text("DELETE FROM layers.evacuation_site WHERE fid = :f"), {"f": third})
        connection.execute(text("SELECT set_config('machimori.restore', 'on', true)"))
        restored_at = connection.execute(text(f"{BACK} RETURNING updated_at"), {"f": third}).scalar_one()
        unequal = connection.execute(
            text(
                "SELECT count(*) FROM layers.evacuation_site l JOIN history.evacuation_site h USING (fid, version)"
                " WHERE h.valid_from <> l.updated_at"
            )
        ).scalar_one()
        assert unequal == 0
        before = restored_at - timedelta(microseconds=1)
        assert [row.fid for row in features_at(connection, sites, restored_at)] == [first, second, third]
        assert [row.fid for row in features_at(connection, sites, before)] == [first, second]


def test_a_clock_that_was_set_back_does_not_mix_up_the_versions(
    database: Database, owner: Engine, sites: Definition
) -> None:
    """A row stamped in the future, as after a clock an hour ahead: later versions still begin later."""
    with database.begin("dept_disaster") as connection:
        fid = apply_changes(connection, sites, [Insert({"site_id": "a", "name": "甲"}, POINT)]).inserted[0]
    with owner.begin() as connection:
        connection.execute(
            text(
                "ALTER TABLE layers.evacuation_site DISABLE TRIGGER USER;"
                "UPDATE layers.evacuation_site SET updated_at = updated_at + interval '1 hour';"
                "ALTER TABLE layers.evacuation_site ENABLE TRIGGER USER;"
                "UPDATE history.evacuation_site SET valid_from = valid_from + interval '1 hour'"
            )
        )
    with database.begin("dept_disaster") as connection:
        connection.execute(text("UPDATE layers.evacuation_site SET name = '乙'"))
        connection.execute(text("UPDATE layers.evacuation_site SET name = '丙'"))
        connection.execute(text("DELETE FROM layers.evacuation_site"))
        connection.execute(text("SELECT set_config('machimori.restore', 'on', true)"))
        connection.execute(text(BACK), {"f": fid})
        begun = connection.execute(text("SELECT valid_from FROM history.evacuation_site ORDER BY version")).scalars()
        names = [[row.values["name"] for row in features_at(connection, sites, at)] for at in list(begun)]
    assert names == [["甲"], ["乙"], ["丙"], [], ["戻"]]


@pytest.mark.parametrize("seed", range(3))
def test_the_past_is_what_was_seen_then(database: Database, sites: Definition, seed: int) -> None:
    """Whatever was edited in whatever order, each moment shows what a copy made at that moment holds."""
    chance = Random(seed)
    place = "ST_SetSRID(ST_Point(141.05 + random() * 0.3, 38.25 + random() * 0.3), 6668)"
    statements = [
        f"INSERT INTO layers.evacuation_site (site_id, name, geom) SELECT gen_random_uuid(), '新', {place}"
        " FROM generate_series(1, 5)",
        "UPDATE layers.evacuation_site SET note = clock_timestamp()::text WHERE random() < 0.4",
        "UPDATE layers.evacuation_site SET tsunami = NOT tsunami WHERE random() < 0.3",
        f"UPDATE layers.evacuation_site SET geom = {place} WHERE random() < 0.4",
        "DELETE FROM layers.evacuation_site WHERE random() < 0.2",
    ]
    seen = []
    for _ in range(12):
        with database.begin("dept_disaster") as connection:
            connection.execute(text(chance.choice(statements)))
        with database.begin("dept_disaster") as connection:
            at = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
            seen.append((at, _standing(connection), render_tile(connection, sites.name, *TILE)))
    with database.begin("dept_disaster") as connection:
        for at, (inside, everything), tile in seen:
            assert [(row.fid, row.version) for row in features_at(connection, sites, at, BBOX)] == inside
            assert [(row.fid, row.version) for row in features_at(connection, sites, at)] == everything
            assert len(render_tile_at(connection, sites, *TILE, at)) == len(tile)


def _standing(connection: Connection) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    box = f"geom && ST_MakeEnvelope({', '.join(map(str, BBOX))}, 6668)"
    inside, everything = (
        [
            (fid, version)
            for fid, version in connection.execute(
                text(f"SELECT fid, version FROM layers.evacuation_site WHERE {condition} ORDER BY fid")
            )
        ]
        for condition in (box, "true")
    )
    return inside, everything
