"""Who gets an alert, exactly; and the sites that each is told."""

from __future__ import annotations

import random
from collections.abc import Callable

import shapely

from alerts.matching import count_recipients
from gis.town import load_town
from tests.alerts.alert_town import MAJOR, SquareTown

Considered = Callable[..., int | None]


def addresses(town: SquareTown) -> list[str]:
    return [
        row.address.partition("@")[0] for row in town.execute("SELECT address FROM alerts.delivery ORDER BY address")
    ]


def test_only_confirmed_people_who_asked_for_the_kind_and_are_inside_get_it(
    town: SquareTown, considered: Considered
) -> None:
    town.subscribe("in@machimori.example")
    town.subscribe("out@machimori.example", lon=141.3)
    town.subscribe("pending@machimori.example", state="pending")
    town.subscribe("gone@machimori.example", state="unsubscribed")
    town.subscribe("held@machimori.example", state="suspended")
    town.subscribe("crime@machimori.example", kinds="{crime}")
    considered(MAJOR)
    assert addresses(town) == ["in"]


def test_a_place_reaches_as_far_as_its_radius(town: SquareTown, considered: Considered) -> None:
    # 141.26 is 0.01 degrees east of the area: 874 m at this latitude.
    town.subscribe("near@machimori.example", lon=141.26, radius_m=890)
    town.subscribe("far@machimori.example", lon=141.26, radius_m=860)
    considered(MAJOR)
    assert addresses(town) == ["near"]


def test_one_person_gets_one_message_that_names_the_places_inside(town: SquareTown, considered: Considered) -> None:
    person = town.subscribe("a@machimori.example", place="自宅")
    town.add_place(person, "職場", 141.22, 38.42)
    town.add_place(person, "実家", 140.0, 38.42)
    considered(MAJOR)
    assert town.execute("SELECT place_names FROM alerts.delivery") == [(["自宅", "職場"],)]


def test_a_subscription_without_a_place_gets_nothing(town: SquareTown, considered: Considered) -> None:
    town.subscribe("a@machimori.example")
    town.execute("DELETE FROM alerts.place")
    considered(MAJOR)
    assert addresses(town) == []


def test_the_match_is_exact_for_thousands_of_random_places(town: SquareTown, considered: Considered) -> None:
    randomness = random.Random(20110311)
    corners = (
        "141.15 38.35, 141.2 38.39, 141.25 38.35, 141.22 38.4, 141.25 38.45, 141.2 38.42, 141.15 38.45, 141.18 38.4"
    )
    star = f"POLYGON(({corners}, 141.15 38.35))"
    town.execute(
        "UPDATE layers.city_area SET geom = ST_Multi(ST_Difference(ST_GeomFromText(:star, 6668),"
        " ST_MakeEnvelope(141.195, 38.395, 141.205, 38.405, 6668)))",
        star=star,
    )
    rows = [
        (randomness.uniform(141.1, 141.3), randomness.uniform(38.3, 38.5), randomness.choice([0, 0, 50, 500, 3000]))
        for _ in range(4000)
    ]
    town.execute(
        "WITH p AS (SELECT * FROM unnest(CAST(:lon AS float8[]), CAST(:lat AS float8[]), CAST(:radius AS float8[]))"
        "  WITH ORDINALITY AS t(lon, lat, radius_m, n)),"
        " s AS (INSERT INTO alerts.subscriber (email, language, kinds, state, token)"
        "  SELECT n || '@machimori.example', 'en', '{tsunami}', 'confirmed', 'token' || n FROM p RETURNING id, email)"
        " INSERT INTO alerts.place (subscriber_id, name, position, radius_m, plane)"
        " SELECT s.id, 'x', g, radius_m, ST_Transform(g, 6678) FROM s JOIN p ON s.email = p.n || '@machimori.example',"
        " ST_SetSRID(ST_Point(lon, lat), 6668) g",
        lon=[row[0] for row in rows], lat=[row[1] for row in rows], radius=[row[2] for row in rows],
    )  # fmt: skip
    alert_id = considered(MAJOR)
    area = shapely.from_wkb(
        town.scalar("SELECT ST_AsBinary(ST_Transform(area, 6678)) FROM alerts.alert WHERE id = :i", i=alert_id)
    )
    places = town.execute("SELECT subscriber_id, radius_m, ST_AsBinary(plane) AS plane FROM alerts.place")
    expected = {p.subscriber_id for p in places if shapely.distance(area, shapely.from_wkb(p.plane)) <= p.radius_m}
    got = {row.subscriber_id for row in town.execute("SELECT subscriber_id FROM alerts.delivery")}
    assert 500 < len(expected) < 3500
    assert got == expected


def test_the_three_nearest_open_sites_are_named_with_their_distance(town: SquareTown, considered: Considered) -> None:
    town.subscribe("a@machimori.example", lon=141.2, lat=38.4)
    for number, name in enumerate(["一", "二", "三", "四"]):
        town.add_site(name, 141.2, 38.41 + number / 100)
    town.add_site("津波には使えない", 141.2, 38.4, tsunami=False)
    considered(MAJOR)
    (sites,) = town.execute("SELECT nearest_sites FROM alerts.delivery")[0]
    assert [site["name"] for site in sites] == ["一", "二", "三"]
    # One hundredth of a degree of latitude is 1,110 m here.
    assert [round(site["distance_m"], -1) for site in sites] == [1110, 2220, 3330]
    assert (sites[0]["lon"], sites[0]["lat"]) == (141.2, 38.41)


def test_invented_sites_stand_aside_for_real_ones(town: SquareTown, considered: Considered) -> None:
    town.subscribe("a@machimori.example")
    town.add_site("デモ", 141.2, 38.4)
    town.add_site("本物", 141.2, 38.43, is_demo=False)
    considered(MAJOR)
    (sites,) = town.execute("SELECT nearest_sites FROM alerts.delivery")[0]
    assert [site["name"] for site in sites] == ["本物"]


def test_the_preview_counts_the_people_that_the_approval_writes_to(town: SquareTown, considered: Considered) -> None:
    town.subscribe("a@machimori.example")
    town.subscribe("b@machimori.example", language="en")
    town.subscribe("c@machimori.example", lon=142.0)
    draft = considered({**MAJOR, "class": "warning"}, level=4)
    assert draft
    with town.database.begin("dept_disaster") as connection:
        assert count_recipients(connection, draft, load_town()) == {"ja": 1, "en": 1}
    assert addresses(town) == []
