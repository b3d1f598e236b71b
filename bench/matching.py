"""Who is inside: exact against shapely on 100,000 places of every sort, and a million places beside the best plain SQL.

The best plain SQL is one statement without functions of ours: the index on what each place reaches, then the exact
distance, joined to the people, one row for each with the names of the places; `--plan` shows how it runs. Ours is what
an approval runs (`alerts/matching.sql`, `recipients`): the same, and areas as places, drills, threads, late ones.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import time
from collections.abc import Sequence

import numpy as np
import shapely
from shapely import MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, text

from alerts.matching import recipients_sql
from bench.alert_path import throw_away_settings
from gis.database import owner_engine
from gis.town import load_town
from webmap.demonstration import load_town as load_demonstration_town
from webmap.schema import migrate_everything

# Metres on the plane, around the town.
_CENTRE = (32_000.0, -177_000.0)
_HALF_M = 12_000.0

_PEOPLE = text(
    """
    INSERT INTO alerts.subscriber (email, language, kinds, state, token)
    SELECT 'bench' || n || '@machimori.example', 'ja', '{tsunami}', 'confirmed', 'bench' || md5(n::text)
    FROM generate_series(1, :count) n
    """
)
_POINTS = text(
    """
    INSERT INTO alerts.place (subscriber_id, name, position, radius_m, plane)
    SELECT s.id, '自宅', ST_Transform(g, 6668), radius_m, g
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM alerts.subscriber) s
    JOIN unnest(CAST(:x AS float8[]), CAST(:y AS float8[]), CAST(:radius AS float8[]))
      WITH ORDINALITY AS p(x, y, radius_m, n) USING (n), ST_SetSRID(ST_Point(x, y), 6678) g
    """
)
_ZONES = text(
    """
    WITH shape AS (
        SELECT n, ST_GeomFromWKB(wkb, 6678) AS g FROM unnest(CAST(:shapes AS bytea[])) WITH ORDINALITY AS t(wkb, n)
    ), zone AS (
        INSERT INTO alerts.zone (shape) SELECT ST_Multi(g) FROM shape ORDER BY n RETURNING id, shape
    )
    INSERT INTO alerts.place (subscriber_id, name, position, plane, zone_id)
    SELECT (SELECT min(id) FROM alerts.subscriber), '区域', ST_Transform(p, 6668), p, id
    FROM zone, ST_PointOnSurface(shape) p
    """
)
_PLAIN = """
    SELECT s.id, s.email, s.language, array_agg(p.name ORDER BY p.id) AS names,
           (array_agg(p.plane ORDER BY p.id))[1] AS plane
    FROM (SELECT ST_Transform(area, 6678) AS plane FROM alerts.alert WHERE id = :alert_id OFFSET 0) m
    JOIN alerts.place p ON ST_Expand(p.plane, p.radius_m) && m.plane AND ST_DWithin(p.plane, m.plane, p.radius_m)
    JOIN alerts.subscriber s ON s.id = p.subscriber_id AND s.state = 'confirmed' AND 'tsunami' = ANY (s.kinds)
    GROUP BY s.id
"""
_ALERT = text(
    """
    INSERT INTO alerts.alert (identifier, kind, cap_status, msg_type, phase, level, event, urgency, severity,
                              certainty, area_name, area, effective_at)
    VALUES ('bench-' || gen_random_uuid(), 'tsunami', 'Actual', 'Alert', 'issued', 5, 'tsunami.major_warning',
            'Immediate', 'Extreme', 'Likely', 'bench', ST_Multi(ST_GeomFromWKB(:wkb, 6668)), now())
    RETURNING id
    """
)


def wanted_areas() -> dict[str, BaseGeometry]:
    """Return alert areas on the plane (metres): pieces with holes, a circle, a sliver, one with 5,000 corners."""
    x, y = _CENTRE
    pieces = MultiPolygon(
        [
            box(x - 6000, y - 6000, x, y).difference(box(x - 4000, y - 4000, x - 2000, y - 2000)),
            Polygon([(x + 1000, y + 1000), (x + 7000, y + 2000), (x + 2500, y + 2500), (x + 2000, y + 7000)]),
        ]
    )
    angles = np.linspace(0, 2 * np.pi, 5000, endpoint=False)
    rough = 6000 + 1500 * np.sin(40 * angles)
    return {
        "pieces with a hole": pieces,
        "circle of 2 km": Point(x, y).buffer(2000, quad_segs=32),
        "sliver": Polygon([(x - 9000, y - 9000), (x + 9000, y + 9000), (x + 9000.5, y + 9000)]),
        "5,000 corners": Polygon(np.column_stack([x + rough * np.cos(angles), y + rough * np.sin(angles)])),
    }


def fill_places(connection: Connection, count: int, randomness: random.Random) -> None:
    """Add `count` places: four fifths points (radius 0 to 50 km, some just on edges and corners), the rest areas."""
    points, x, y = count - count // 5, _CENTRE[0], _CENTRE[1]
    edges = [(x - 6000.0, y - 3000.0), (x - 6000.0, y - 6000.0), (x - 4000.0, y - 3000.0), (x - 3000.0, y), (x, y)]
    at = [(x + randomness.uniform(-_HALF_M, _HALF_M), y + randomness.uniform(-_HALF_M, _HALF_M)) for _ in range(points)]
    at[: points // 20] = [edges[n % len(edges)] for n in range(points // 20)]
    radius = [randomness.choices([0, 50, 500, 3000, 50_000], [50, 15, 20, 14, 1])[0] for _ in at]
    connection.execute(_PEOPLE, {"count": points})
    connection.execute(_POINTS, {"x": [p[0] for p in at], "y": [p[1] for p in at], "radius": radius})
    shapes = [shapely.to_wkb(_some_area(randomness, n)) for n in range(count - points)]
    connection.execute(_ZONES, {"shapes": shapes})


def _some_area(randomness: random.Random, number: int) -> BaseGeometry:
    x = _CENTRE[0] + randomness.uniform(-_HALF_M, _HALF_M)
    y = _CENTRE[1] + randomness.uniform(-_HALF_M, _HALF_M)
    size = randomness.choice([5.0, 100.0, 1000.0])
    match number % 5:
        case 0:  # a sliver
            return Polygon([(x, y), (x + 3000, y + 10), (x + 3000, y + 10.01)])
        case 1:  # shares an edge with a piece, from outside
            return box(_CENTRE[0] - 6000 - size, y, _CENTRE[0] - 6000, y + size)
        case 2:  # with a hole that may hold all of the other
            return box(x - 4 * size, y - 4 * size, x + 4 * size, y + 4 * size).difference(
                box(x - 3 * size, y - 3 * size, x + 3 * size, y + 3 * size)
            )
        case 3:  # in the hole of a piece
            return box(_CENTRE[0] - 3500, _CENTRE[1] - 3500, _CENTRE[0] - 3500 + size / 2, _CENTRE[1] - 3500 + size / 2)
        case _:
            return Point(x, y).buffer(size)


def shapely_says(connection: Connection, area: BaseGeometry) -> set[int]:
    """Return the ids of the places inside, each asked of shapely alone, without an index."""
    rows = connection.execute(
        text("SELECT p.id, p.radius_m, ST_AsBinary(coalesce(z.shape, p.plane)) AS wkb"
             " FROM alerts.place p LEFT JOIN alerts.zone z ON z.id = p.zone_id")
    ).all()  # fmt: skip
    shapely.prepare(area)
    shapes = shapely.from_wkb([row.wkb for row in rows])
    radius = np.array([row.radius_m for row in rows])
    inside = shapely.intersects(area, shapes)
    rest = ~inside & (radius > 0)
    inside[rest] = shapely.distance(area, shapes[rest]) <= radius[rest]
    return {row.id for row, is_inside in zip(rows, inside, strict=True) if is_inside}


def check_exactness(connection: Connection, count: int) -> int:
    """Print what was missed and what was too many for each area; return how many in all."""
    fill_places(connection, count, random.Random(311))
    connection.execute(text("ANALYZE alerts.place, alerts.zone, alerts.subscriber"))
    wrong = 0
    for name, area in wanted_areas().items():
        began = time.perf_counter()
        got = set(
            connection.execute(
                text("SELECT id FROM alerts.places_inside(ST_GeomFromWKB(:wkb, 6678))"), {"wkb": shapely.to_wkb(area)}
            ).scalars()
        )
        took_s = time.perf_counter() - began
        wanted = shapely_says(connection, area)
        missed, extra = len(wanted - got), len(got - wanted)
        wrong += missed + extra
        print(f"  {name:20} {len(wanted):7,} inside, {missed} missed, {extra} extra, {took_s * 1000:.0f} ms")
    return wrong


def compare(connection: Connection, alert_id: int, rounds: int, is_explained: bool) -> tuple[float, float, int]:
    """Return the median milliseconds of ours and of the plain SQL, and how many people both found."""
    values = {"alert_id": alert_id, "plane_epsg": load_town().plane_epsg, "only_late": False}
    statements = {"ours": recipients_sql(), "plain": _PLAIN}
    spent: dict[str, list[float]] = {"ours": [], "plain": []}
    people = {}
    for number in range(rounds + 1):
        for name, statement in statements.items():
            began = time.perf_counter()
            counted = text("SELECT count(*), count(plane) FROM (" + statement + ") q")  # noqa: S608 (our own words)
            people[name] = connection.execute(counted, values).one()
            if number:  # the first one warms the caches
                spent[name].append(1000 * (time.perf_counter() - began))
    if people["ours"] != people["plain"]:
        raise SystemExit(f"they differ: {people}")
    if is_explained:
        for row in connection.execute(text(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) {_PLAIN}"), values):
            print(f"    {row[0]}")
    return statistics.median(spent["ours"]), statistics.median(spent["plain"]), people["ours"][0]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run both parts and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--places", type=int, default=1_000_000, help="for the comparison (default: 1,000,000)")
    parser.add_argument("--exact", type=int, default=100_000, help="for the check against shapely (default: 100,000)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plan", action="store_true", help="show the plan of the plain SQL")
    args = parser.parse_args(arguments)
    with throw_away_settings(1) as settings:
        migrate_everything(settings)
        owner = owner_engine(settings.owner_url())
        load_demonstration_town(owner)
        with owner.begin() as connection:
            connection.execute(text("TRUNCATE alerts.place, alerts.zone, alerts.subscriber CASCADE"))
        print(f"exact against shapely, {args.exact:,} places:")
        with owner.connect() as connection:  # rolled back
            if check_exactness(connection, args.exact):
                raise SystemExit("the match is not exact")
        _time_a_million(owner.connect, args)
        owner.dispose()
    print(f"memory of this process at its peak: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def _time_a_million(connect, args: argparse.Namespace) -> None:  # type: ignore[no-untyped-def]
    randomness = random.Random(7)
    with connect() as connection:
        connection.execute(_PEOPLE, {"count": args.places})
        town = shapely.from_wkb(
            connection.execute(
                text("SELECT ST_AsBinary(geom) FROM layers.city_area ORDER BY ST_Area(geom) DESC LIMIT 1")
            ).scalar_one()
        )
        at = [(randomness.gauss(*_spread(0)), randomness.gauss(*_spread(1))) for _ in range(args.places)]
        radius = [randomness.choice([0, 0, 300, 1000]) for _ in at]
        connection.execute(_POINTS, {"x": [p[0] for p in at], "y": [p[1] for p in at], "radius": radius})
        centre = town.representative_point()
        areas = {"circle of 2 km": _circle(connection, centre), "the whole city": town}
        ids = {
            name: connection.execute(_ALERT, {"wkb": shapely.to_wkb(area)}).scalar_one() for name, area in areas.items()
        }
        connection.commit()
        connection.execute(text("ANALYZE alerts.place, alerts.zone, alerts.subscriber"))
        connection.execute(text("SET max_parallel_workers_per_gather = 0"))
        connection.execute(text("SET jit = off"))
        print(f"{args.places:,} places, medians of {args.rounds}:")
        for name, alert_id in ids.items():
            ours, plain, people = compare(connection, alert_id, args.rounds, args.plan)
            print(f"  {name:16} {people:8,} people: ours {ours:.0f} ms, plain {plain:.0f} ms, {ours / plain:.2f} times")


def _spread(axis: int) -> tuple[float, float]:
    return _CENTRE[axis], _HALF_M / 2


def _circle(connection: Connection, centre: Point) -> BaseGeometry:
    return shapely.from_wkb(
        connection.execute(
            text("SELECT ST_AsBinary(ST_Transform(ST_Buffer(ST_Transform(ST_SetSRID(ST_Point(:x, :y), 6668), 6678),"
                 " 2000, 32), 6668))"),
            {"x": centre.x, "y": centre.y},
        ).scalar_one()
    )  # fmt: skip


if __name__ == "__main__":
    main()
