"""What history costs an edit, and what the past costs a map: ratios, in one run.

    python -m bench.history_cost [--features 10000] [--rounds 5]

The same edit of the same rows is done on the layer (stamp, checks, history) and on a bare copy of its table with
the same columns, checks, indexes and stamp but no history. A throw-away durable cluster; the median counts.
"""

from __future__ import annotations

import argparse
import os
import pwd
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, Engine, text

from gis.database import Database, owner_engine
from gis.embedded import Cluster
from gis.settings import Settings
from layers.definition import Definition, load_definitions
from layers.past import features_at, render_tile_at
from layers.tiles import render_tile
from webmap.schema import migrate_everything

ROLE = "dept_disaster"
BBOX = (141.20, 38.40, 141.25, 38.45)  # about what a map window shows at zoom 14
TILE = (13, 7309, 3148)
FILL = (
    "INSERT INTO {table} (site_id, name, address, geom) SELECT n::text, '避難場所' || n, '宮城県東松島市' || n,"
    " ST_SetSRID(ST_Point(141.1 + random() * 0.2, 38.3 + random() * 0.2), 6668) FROM generate_series(1, {count}) n"
)
EDITS = {
    "attribute (note)": ("SET note = '点検済み' || clock_timestamp()", 1.5),
    "drawn attribute (tsunami)": ("SET tsunami = NOT tsunami", 1.5),
    "geometry": ("SET geom = ST_Translate(geom, 0.00001, 0.00001)", 2.5),
}


@contextmanager
def bench_settings() -> Iterator[Settings]:
    """The settings of a migrated database on a throw-away cluster with the settings of a real one."""
    folder = Path(tempfile.mkdtemp(prefix="mm-bench-", dir="/tmp"))
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
    cluster = Cluster(folder / "pg")
    try:
        cluster.start()
        cluster.create_database("bench")
        settings = Settings(
            var_dir=folder / "var",
            database_url=cluster.url("postgres", "bench"),
            app_database_url=cluster.url("machimori_app", "bench"),
            jma_feed_url="",
        )
        settings.var_dir.mkdir(exist_ok=True)
        migrate_everything(settings)
        yield settings
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def bench_database(pool_size: int = 5) -> Iterator[tuple[Database, Engine]]:
    """The doors of such a database: the application's, and the administering login's."""
    with bench_settings() as settings:
        database, owner = Database(settings.app_url(), pool_size), owner_engine(settings.owner_url())
        yield database, owner
        database.dispose()
        owner.dispose()


def fill(database: Database, owner: Engine, count: int) -> None:
    with owner.begin() as connection:
        connection.execute(text("CREATE TABLE layers.bare (LIKE layers.evacuation_site INCLUDING ALL)"))
        connection.execute(text(f"GRANT ALL ON layers.bare TO {ROLE}"))
        # The stamp (who, when, which version) is the layer's own, not history: the bare table has it, too.
        connection.execute(
            text(
                "CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON layers.bare"
                " FOR EACH ROW EXECUTE FUNCTION layers.evacuation_site_stamp()"
            )
        )
        connection.execute(text(FILL.format(table="layers.bare", count=count)))
    with database.begin(ROLE) as connection:
        connection.execute(text(FILL.format(table="layers.evacuation_site", count=count)))
    vacuum(owner)


def vacuum(owner: Engine) -> None:
    """Give every round the same tables: dead rows cleared, statistics fresh, the log flushed."""
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        connection.execute(text("CHECKPOINT"))


class Cost(NamedTuple):
    """What one edit took: by the clock, of the server's processor, and in its write-ahead log."""

    ms: float
    cpu_ms: float
    wal_mb: float


def processor_ms(pid: int) -> float:
    """Processor time that a server process has spent: other work on the machine changes it less than the clock."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


def edit_cost(database: Database, table: str, change: str) -> Cost:
    log_end = text("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")
    # As in life: the connection has edited a single feature before, and kept the plans it made then.
    with database.begin(ROLE) as connection:
        connection.execute(text(f"UPDATE layers.{table} SET note = '' WHERE site_id = '1'"))  # noqa: S608 - a name of ours
    with database.begin(ROLE) as connection:
        written = connection.execute(log_end).scalar_one()
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    spent, begun = processor_ms(pid), time.perf_counter()
    with database.begin(ROLE) as connection:  # the pool hands out the same connection
        connection.execute(text(f"UPDATE layers.{table} {change}"))
    ms, cpu_ms = (time.perf_counter() - begun) * 1000, processor_ms(pid) - spent
    with database.begin(ROLE) as connection:
        written = connection.execute(log_end).scalar_one() - written
    return Cost(ms, cpu_ms, float(written) / 1e6)


def compare_edits(database: Database, owner: Engine, rounds: int) -> None:
    print(f"{'bulk edit':<28}{'bare ms':>9}{'layer ms':>9}{'ratio':>7}{'at most':>8}{'cpu ratio':>11}{'log ratio':>11}")
    for name, (change, limit) in EDITS.items():
        bare, layer = [], []
        for _ in range(rounds):
            bare.append(edit_cost(database, "bare", change))
            vacuum(owner)
            layer.append(edit_cost(database, "evacuation_site", change))
            vacuum(owner)
        low, high = (Cost(*map(statistics.median, zip(*costs, strict=True))) for costs in (bare, layer))
        times, cpu, log = (one / other for one, other in zip(high, low, strict=True))
        print(f"{name:<28}{low.ms:>9.0f}{high.ms:>9.0f}{times:>7.2f}{limit:>8}{cpu:>11.2f}{log:>11.2f}")


def median_ms(work: Callable[[], object], times: int = 15) -> float:
    spent = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        spent.append((time.perf_counter() - begun) * 1000)
    return statistics.median(spent)


def compare_past(connection: Connection, sites: Definition, moments: dict[str, datetime]) -> None:
    now_features = text(
        "SELECT * FROM layers.evacuation_site WHERE geom && ST_MakeEnvelope(:w, :s, :e, :n, 6668) ORDER BY fid"
    )
    box = dict(zip("wsen", BBOX, strict=True))
    features = median_ms(lambda: connection.execute(now_features, box).all())
    tile = median_ms(lambda: render_tile(connection, sites.name, *TILE))
    print(f"\n{'as of':<28}{'features':>10}{'tile':>10}   (times the present, at most 3)")
    for name, at in moments.items():
        past = median_ms(lambda at=at: features_at(connection, sites, at, BBOX))  # type: ignore[misc]
        past_tile = median_ms(lambda at=at: render_tile_at(connection, sites, *TILE, at))  # type: ignore[misc]
        print(f"{name:<28}{past / features:>10.2f}{past_tile / tile:>10.2f}")
    print(f"(the present: {features:.1f} ms of features, {tile:.1f} ms of tile)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--features", type=int, default=10_000, help="features edited at one go")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of which the median counts")
    options = parser.parse_args()
    sites = load_definitions()["evacuation_site"]
    clock = text("SELECT clock_timestamp()")
    with bench_database() as (database, owner):
        fill(database, owner, options.features)
        with database.begin(ROLE) as connection:
            loaded = connection.execute(clock).scalar_one()
        compare_edits(database, owner, options.rounds)
        with database.begin(ROLE) as connection:
            halfway = connection.execute(clock).scalar_one()
            connection.execute(text("UPDATE layers.evacuation_site SET note = '一部' WHERE fid % 2 = 0"))
        vacuum(owner)
        with database.begin(ROLE) as connection:
            versions = connection.execute(text("SELECT count(*) FROM history.evacuation_site")).scalar_one()
            print(f"\n{options.features} features, {versions} versions of them")
            moments = {
                "now": connection.execute(clock).scalar_one(),
                "before the last edit (half)": halfway,
                "when loaded (all changed)": loaded,
            }
            compare_past(connection, sites, moments)


if __name__ == "__main__":
    main()
