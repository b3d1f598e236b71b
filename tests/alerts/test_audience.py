"""Areas as places: drawn ones and features of a public layer, matched exactly and kept as the layer has them."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import shapely
from shapely import Point, Polygon, box
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from alerts.audience import add_drawn, add_feature, add_point, add_subscriber, refresh_zones
from alerts.tasks import sweep
from gis.database import SERVICE
from gis.errors import UsageError
from gis.town import load_town
from tests.alerts.alert_town import MAJOR, SquareTown

Considered = Callable[..., int | None]
TOWN = load_town()
_BLOCK = "INSERT INTO layers.town_block (name, geom) VALUES ('{name}', {geom}) RETURNING fid"
# A triangle that pokes into the square town, and one beside it.
INSIDE = Polygon([(141.24, 38.4), (141.3, 38.38), (141.3, 38.42)])
BESIDE = Polygon([(141.26, 38.4), (141.3, 38.38), (141.3, 38.42)])


def person(town: SquareTown, email: str) -> int:
    with town.database.begin(SERVICE) as connection:
        return add_subscriber(connection, email, "ja", ["tsunami"])


def addresses(town: SquareTown) -> list[str]:
    rows = town.execute("SELECT address FROM alerts.delivery ORDER BY address")
    return [row.address.partition("@")[0] for row in rows]


def test_areas_and_points_of_one_person_make_one_mail_that_names_them(town: SquareTown, considered: Considered) -> None:
    block = town.scalar(_BLOCK.format(name="大曲", geom="ST_MakeEnvelope(141.2, 38.4, 141.21, 38.41, 6668)"))
    someone, other = person(town, "a@machimori.example"), person(town, "b@machimori.example")
    with town.database.begin(SERVICE) as connection:
        add_point(connection, someone, "自宅", 141.2, 38.4, 300, TOWN)
        add_drawn(connection, someone, "散歩道", INSIDE, TOWN)
        add_feature(connection, someone, "town_block", block, TOWN)
        add_drawn(connection, other, "畑", BESIDE, TOWN)
    considered(MAJOR)
    assert town.execute("SELECT address, place_names FROM alerts.delivery") == [
        ("a@machimori.example", ["自宅", "散歩道", "大曲"])
    ]


def test_an_area_that_only_touches_is_inside(town: SquareTown) -> None:
    who = person(town, "a@machimori.example")
    with town.database.begin(SERVICE) as connection:
        place_id = add_drawn(connection, who, "隣", BESIDE, TOWN)
        shape = connection.execute(text("SELECT ST_AsBinary(shape) FROM alerts.zone")).scalar_one()
        west = shapely.from_wkb(shape).bounds[0]
        touching, short = (
            connection.execute(
                text("SELECT count(*) FROM alerts.places_inside(ST_MakeEnvelope(:west - 100, -1e6, :east, 1e6, 6678))"),
                {"west": west, "east": east},
            ).scalar_one()
            for east in (west, west - 0.001)
        )
    assert (touching, short) == (1, 0) and place_id


def test_a_place_follows_the_feature_it_names_and_keeps_its_last_shape_when_that_is_deleted(
    town: SquareTown, considered: Considered
) -> None:
    fid = town.scalar(_BLOCK.format(name="北", geom="ST_MakeEnvelope(141.3, 38.5, 141.31, 38.51, 6668)"))
    for email in ("a@machimori.example", "b@machimori.example"):
        who = person(town, email)
        with town.database.begin(SERVICE) as connection:
            add_feature(connection, who, "town_block", fid, TOWN)
    considered(MAJOR)
    assert addresses(town) == []
    town.execute("UPDATE layers.town_block SET geom = ST_MakeEnvelope(141.24, 38.4, 141.31, 38.41, 6668)")
    sweep()  # the alert is running, and they are inside from now on
    assert addresses(town) == ["a", "b"]
    town.execute("DELETE FROM layers.town_block")
    sweep()
    zone = town.execute("SELECT is_gone, fid, ST_Area(shape) > 1e6 FROM alerts.zone")
    assert zone == [(True, fid, True)]


def test_a_feature_without_area_and_a_layer_that_is_not_public_are_no_places(town: SquareTown) -> None:
    who = person(town, "a@machimori.example")
    fid = town.scalar(_BLOCK.format(name="点", geom="ST_SetSRID(ST_Point(141.2, 38.4), 6668)"))
    for layer, number in (("town_block", fid), ("town_block", 999), ("no_such", 1), ("alert", 1)):
        with pytest.raises(UsageError), town.database.begin(SERVICE) as connection:
            add_feature(connection, who, layer, number, TOWN)


@pytest.mark.parametrize(
    "area",
    [
        Polygon(),
        Point(141.2, 38.4),
        Polygon([(141.2, 38.4), (141.3, 38.5), (141.3, 38.4), (141.2, 38.5)]),
        box(140, 37, 143, 40),
        box(-70, 40, -69.9, 40.1),
        Point(141.2, 38.4).buffer(0.01, quad_segs=200),
    ],
)
def test_what_is_no_proper_area_is_refused_with_words(town: SquareTown, area: Polygon) -> None:
    who = person(town, "a@machimori.example")
    with pytest.raises(UsageError), town.database.begin(SERVICE) as connection:
        add_drawn(connection, who, "場所", area, TOWN)
    assert town.scalar("SELECT count(*) FROM alerts.place") == 0


def test_swapped_coordinates_and_endless_radii_are_refused(town: SquareTown) -> None:
    who = person(town, "a@machimori.example")
    for lon, lat, radius_m in ((38.4, 141.2, 0), (141.2, 38.4, 50_001), (141.2, 38.4, -1), (141.2, 38.4, float("nan"))):
        with pytest.raises(UsageError), town.database.begin(SERVICE) as connection:
            add_point(connection, who, "自宅", lon, lat, radius_m, TOWN)


def test_the_database_takes_no_zone_that_crosses_itself(town: SquareTown) -> None:
    with pytest.raises(IntegrityError, match="zone_is_area"):
        town.execute(
            "INSERT INTO alerts.zone (shape)"
            " VALUES (ST_GeomFromText('MULTIPOLYGON(((0 0, 9 9, 9 0, 0 9, 0 0)))', 6678))"
        )


def test_an_edge_of_a_wide_area_at_sea_lies_where_it_was_drawn(town: SquareTown) -> None:
    """A parallel of 300 km bends by more than a kilometre on the plane; what the map shows as inside is inside."""
    area = "ST_Multi(ST_MakeEnvelope(139.5, 38.0, 143.0, 38.4, 6668))"
    inside = "EXISTS (SELECT FROM alerts.places_inside(alerts.to_plane({area}, 6678)) p WHERE p.name = '{name}')"
    who = person(town, "a@machimori.example")
    with town.database.begin(SERVICE) as connection:
        for name, lat in (("south", 38.4 - 2e-5), ("north", 38.4 + 2e-5)):
            add_point(connection, who, name, 141.25, lat, 0, TOWN)
    assert town.scalar("SELECT " + inside.format(area=area, name="south")) is True
    assert town.scalar("SELECT " + inside.format(area=area, name="north")) is False
    world = "ST_Multi(ST_MakeEnvelope(-180, -85, 180, 85, 6668))"
    assert town.scalar("SELECT " + inside.format(area=world, name="north")) is True


def test_two_thousand_places_of_every_sort_match_as_shapely_says(town: SquareTown) -> None:
    """Points with and without radius, areas, slivers; against pieces with holes and a circle."""
    from bench.matching import fill_places, shapely_says, wanted_areas

    with town.owner.begin() as connection:
        fill_places(connection, 2000, random.Random(42))
        for name, area in wanted_areas().items():
            got = set(
                connection.execute(
                    text("SELECT id FROM alerts.places_inside(ST_GeomFromWKB(:wkb, 6678))"),
                    {"wkb": shapely.to_wkb(area)},
                ).scalars()
            )
            assert got == shapely_says(connection, area), name
            assert 20 < len(got) < 1980, name


def test_refreshing_takes_nothing_when_nothing_changed(town: SquareTown) -> None:
    fid = town.scalar(_BLOCK.format(name="北", geom="ST_MakeEnvelope(141.2, 38.4, 141.21, 38.41, 6668)"))
    who = person(town, "a@machimori.example")
    with town.database.begin(SERVICE) as connection:
        add_feature(connection, who, "town_block", fid, TOWN)
        assert refresh_zones(connection, TOWN) == 0
