"""A thousand invented subscribers for the demonstration town; every address ends in `.example` (RFC 2606)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import shapely
from psycopg import sql
from shapely import Point, Polygon
from sqlalchemy import Connection, text

from gis.queries import load_queries
from gis.town import load_town
from layers.codes import load_code_list
from layers.copying import copy_rows, to_ewkb
from layers.demonstration.town import town_plan

_QUERIES = load_queries(__file__)
_SEED = 311
_COUNT = 1000
_DRILL_COUNT = 20


@dataclass(frozen=True)
class _Subscriber:
    email: str
    language: str
    kinds: list[str]
    state: str
    is_drill: bool
    places: list[tuple[str, Point, float]]  # name, (lon, lat) in degrees, radius in metres


def load_demonstration_subscribers(connection: Connection) -> bool:
    """Add the invented subscribers if there is no subscriber yet; return whether it did. Role: `machimori_owner`."""
    if connection.execute(text("SELECT 1 FROM alerts.subscriber LIMIT 1")).first():
        return False
    subscribers = list(_invent_subscribers())
    connection.execute(_QUERIES["stage"])
    copy_rows(
        connection,
        sql.Identifier("demo_place"),
        ["email", "language", "kinds", "state", "is_drill", "place_name", "position", "radius_m"],
        (
            (
                person.email,
                person.language,
                person.kinds,
                person.state,
                person.is_drill,
                name,
                to_ewkb(position),
                radius_m,
            )
            for person in subscribers
            for name, position, radius_m in person.places
        ),
    )
    connection.execute(_QUERIES["insert_subscribers"])
    connection.execute(_QUERIES["insert_places"], {"plane_epsg": load_town().plane_epsg})
    return True


def _invent_subscribers() -> Iterator[_Subscriber]:
    generator = random.Random(_SEED)  # noqa: S311 (invented people, not a secret)
    others = [kind for kind in load_code_list("incident_kind").values if kind != "tsunami"]
    for number in range(1, _COUNT + 1):
        is_drill = number <= _DRILL_COUNT
        wants_tsunami = generator.random() < 0.7 or is_drill
        kinds = ["tsunami"] * wants_tsunami + generator.sample(others, generator.randint(1, 5))
        state = generator.choices(["confirmed", "pending", "unsubscribed"], [95, 3, 2])[0]
        yield _Subscriber(
            email=f"demo{number:04}@machimori.example",
            language=generator.choices(["ja", "ja-x-easy", "en"], [70, 15, 15])[0],
            kinds=kinds,
            state="confirmed" if is_drill else state,
            is_drill=is_drill,
            places=list(_invent_places(generator, lives_here=generator.random() < 0.85 or is_drill)),
        )


def _invent_places(generator: random.Random, lives_here: bool) -> Iterator[tuple[str, Point, float]]:
    plan = town_plan()
    outline = Polygon(plan["outline"])
    names = plan["subscribers"]["place_names"]
    if not lives_here:
        lon, lat = generator.choice(plan["neighbours"])
        yield names[0], _near(generator, lon, lat, 0.002), 0.0
        return
    for name in names[: generator.choices([1, 2, 3], [75, 20, 5])[0]]:
        quarter = generator.choices(plan["quarters"], [quarter["share"] for quarter in plan["quarters"]])[0]
        position = _near(generator, quarter["lon"], quarter["lat"], 0.003)
        while not shapely.contains(outline, position):
            position = _near(generator, quarter["lon"], quarter["lat"], 0.003)
        yield name, position, generator.choice([0.0, 0.0, 300.0, 1000.0])


def _near(generator: random.Random, lon: float, lat: float, spread: float) -> Point:
    """A point around (lon, lat) in degrees, rounded to a tenth of a metre."""
    return Point(round(generator.gauss(lon, spread), 6), round(generator.gauss(lat, spread), 6))
