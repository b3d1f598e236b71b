"""The public pages with a million incidents of the past behind them, beside the same pages with a hundred.

    python -m bench.million_incidents [--incidents 1000000] [--times 40]

Incidents of ten years, one in a thousand still going on, on a throw-away durable cluster; requests through the
application in process, so that database and page count and the network does not.
"""

from __future__ import annotations

import argparse
import statistics
import time

from sqlalchemy import Engine, text

from bench.history_cost import bench_settings, vacuum
from gis.database import SERVICE, Database, owner_engine
from ingest.statistics import refresh_statistics
from webmap.app import create_app

PAGES = {
    "map's incidents": "/feeds/incidents.geojson",
    "board": "/list",
    "feed": "/feeds/incidents.atom",
    "incident": "/incidents/{fid}",
    "statistics": "/statistics?kind=crime&year=2025",
    "tile of the region": "/tiles/incident/10/913/393.mvt",
    "tile of the town": "/tiles/incident/12/3654/1574.mvt",
    "tile of a quarter": "/tiles/incident/15/29236/12594.mvt",
}
# Straight into the tables: the triggers are measured elsewhere (bench.police_csv).
FILL = """
SET LOCAL session_replication_role = replica;
INSERT INTO layers.incident (kind, status, state, publication, event_key, level, headline, category, place_name,
                             is_personal, occurred_at, reported_at, resolved_at, geom, created_by, updated_by)
SELECT kind, 'Actual', CASE WHEN is_active THEN 'open' ELSE 'resolved' END, 'published', 'bench:' || n, n % 3,
       '事案 ' || n, category, '矢本', kind <> 'fire', at, at, CASE WHEN NOT is_active THEN at + interval '1 hour' END,
       ST_SetSRID(ST_MakePoint(141.1 + random() * 0.2, 38.33 + random() * 0.15), 6668), 'bench', 'bench'
FROM (SELECT n, n % 1000 = 0 AND n > :count * 0.9 AS is_active,
             (ARRAY['crime', 'suspicious_person', 'fire', 'traffic'])[1 + n % 4] AS kind,
             (ARRAY['自転車盗', '声かけ', '建物火災', '接触'])[1 + n % 4] AS category,
             now() - (:count - n) * (interval '3650 days' / :count) AS at
      FROM generate_series(1, :count) n) AS made;
INSERT INTO history.incident (fid, version, operation, valid_from, changeset, geom)
SELECT fid, 1, 'insert', created_at, 1, geom FROM layers.incident;
"""


def fill(owner: Engine, count: int) -> None:
    with owner.begin() as connection:
        for statement in FILL.split(";"):
            if statement.strip():
                connection.execute(text(statement), {"count": count} if ":count" in statement else {})
    vacuum(owner)


def page_ms(count: int, times: int) -> dict[str, tuple[float, float]]:
    """Return p50 and p95 of every page, milliseconds, with so many incidents."""
    with bench_settings() as settings:
        owner = owner_engine(settings.owner_url())
        fill(owner, count)
        database = Database(settings.app_url())
        with database.begin(SERVICE) as connection:
            begun = time.perf_counter()
            refresh_statistics(connection)
            print(f"{count:>9} incidents; statistics counted in {time.perf_counter() - begun:.1f} s", flush=True)
        vacuum(owner)
        database.dispose()
        client = create_app(settings).test_client()
        found = {}
        for name, path in PAGES.items():
            spent = []
            for number in range(times + 3):
                begun = time.perf_counter()
                answer = client.get(path.format(fid=count - number))
                spent.append((time.perf_counter() - begun) * 1000)
                assert answer.status_code in (200, 404), (path, answer.status_code)
            warm = sorted(spent[3:])
            found[name] = (statistics.median(warm), warm[int(len(warm) * 0.95)])
        owner.dispose()
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--incidents", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=40, help="requests of each page")
    options = parser.parse_args()
    few, many = page_ms(100, options.times), page_ms(options.incidents, options.times)
    print(f"{'page':<22}{'p50 ms':>8}{'p95 ms':>8}{'wanted':>8}{'÷ with 100':>12}")
    for name, (middle, high) in many.items():
        print(f"{name:<22}{middle:>8.1f}{high:>8.1f}{50:>8}{middle / few[name][0]:>12.1f}")


if __name__ == "__main__":
    main()
