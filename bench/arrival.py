"""From a report's arrival to the moment it can be seen, p95 over many, through four doors, with the real processes.

    ./machimori bench arrival [--arrivals 40] [--incidents 20000]

A web server, a worker and the clock, as `up` runs them, on a throw-away durable cluster that holds incidents of ten
years already. Arrivals come one after the other, with a pause of chance between them, so that they meet every phase of
the clock. Each is looked for where people look: in the map's own feed over HTTP, or in the moderators' queue.

telegram : the clock asks JMA's feed, which has one more; from the job to the map. How long the telegram lay there
    before the clock asked is the schedule's (20 s past every minute) and is not in it.
fire : a signed push; from before it is sent to the map.
mail : moved into `new/` of a Maildir; to the queue; and from a moderator's "publish" to the map.
citizen : the form is sent; to the queue; and from "publish" to the map.

The raw limit of the same run: a bare INSERT until another connection reads its row, and one reading of the feed.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psycopg
from sqlalchemy import text

from bench.arrival_doors import PASSWORD, ArrivalsOnHand, Desk, FeedServer
from bench.edit_visible import served
from bench.history_cost import bench_settings
from bench.million_incidents import fill
from bench.storm import working
from gis.accounts import add_account
from gis.database import Database, owner_engine
from gis.settings import Settings
from ingest.push_secrets import make_push_secret
from ingest.source import find_source
from layers.demonstration.loading import load_demonstration_layers

WANTED_S = 2.0
_LONGEST_PAUSE_S = 1.5
_ROLES = ("viewer", "editor", "moderator")


def prepare(settings: Settings, incidents: int) -> str:
    """Fill the database, write the sources file, make a moderator; return the secret of the fire service."""
    owner = owner_engine(settings.owner_url())
    with owner.begin() as connection:
        load_demonstration_layers(connection)
        add_account(connection, "bench", "bench", "disaster", PASSWORD, is_demo=True, roles=_ROLES)
    fill(owner, incidents)
    owner.dispose()
    box = Path(settings.var_dir) / "mail"
    for name in ("tmp", "new", "cur"):
        (box / name).mkdir(parents=True)
    (Path(settings.var_dir) / "sources.toml").write_text(
        '[arrival_fire]\ntype = "fire_push"\nper_minute = 10000\n'
        '[arrival_mail]\ntype = "safety_mail"\nevery_s = 60\n'
        f'url = "maildir:{box}"\nsenders = ["news@police.example"]\n',
        encoding="utf-8",
    )
    os.environ["MACHIMORI_VAR"] = str(settings.var_dir)
    return make_push_secret(settings, find_source("arrival_fire"))


def time_bare(settings: Settings, rounds: int) -> list[float]:
    """Return the seconds from before a bare INSERT until another connection has read its row."""
    spent_s = []
    with psycopg.connect(settings.owner_url(), autocommit=True) as one, psycopg.connect(settings.owner_url()) as other:
        one.execute("CREATE TABLE bare (id int PRIMARY KEY)")
        other.autocommit = True
        for number in range(rounds):
            begun = time.perf_counter()
            one.execute("INSERT INTO bare VALUES (%s)", (number,))
            while other.execute("SELECT FROM bare WHERE id = %s", (number,)).fetchone() is None:
                pass
            spent_s.append(time.perf_counter() - begun)
    return spent_s


def time_arrivals(hand: ArrivalsOnHand, arrivals: int) -> dict[str, list[float]]:
    """Let reports come in turn through every door; return the seconds of each step."""
    steps: dict[str, Callable[[int], dict[str, float]]] = {
        "telegram": hand.telegram,
        "fire": hand.fire,
        "mail": hand.mail,
        "citizen": hand.citizen,
    }
    spent_s: dict[str, list[float]] = {}
    for number in range(arrivals + 1):
        for arrive in steps.values():
            time.sleep(random.uniform(0, _LONGEST_PAUSE_S))
            for name, taken_s in arrive(number).items():
                spent_s.setdefault(name, []).append(taken_s)
    return {name: taken[1:] for name, taken in spent_s.items()}  # the first found the processes cold


def line(name: str, spent_s: list[float]) -> str:
    """Return median, p95 and longest as a line of the table, milliseconds."""
    cuts = statistics.quantiles(spent_s, n=20, method="inclusive")
    return f"{name:<36}{cuts[9] * 1000:>10.0f}{cuts[18] * 1000:>10.0f}{max(spent_s) * 1000:>10.0f}"


def run(settings: Settings, arrivals: int, incidents: int) -> bool:
    """Print the table; return whether every step kept within what is wanted."""
    secret = prepare(settings, incidents)
    with ExitStack() as stack:
        feed = stack.enter_context(FeedServer.running())
        os.environ["MACHIMORI_JMA_FEED_URL"] = feed.url
        address = stack.enter_context(served(settings))
        stack.enter_context(working(settings))
        database = Database(settings.app_url(), pool_size=2)
        stack.callback(database.dispose)
        hand = ArrivalsOnHand(settings, database, feed, address, secret, Desk.open(address))
        spent_s = time_arrivals(hand, arrivals)
        reading_s = [hand.read_feed()[1] for _ in range(max(arrivals, 2))]
        with database.begin("machimori_service") as connection:
            letters = connection.execute(text("SELECT count(*) FROM ingest.dead_letter")).scalar_one()
    bare_s = time_bare(settings, max(arrivals, 2))
    print(f"{arrivals} arrivals through each door, {incidents:,} incidents there before; {letters} dead letters")
    print(f"{'milliseconds':<36}{'median':>10}{'p95':>10}{'longest':>10}")
    for name, taken in spent_s.items():
        print(line(name, taken))
    print(line("the map's feed, read once", reading_s))
    print(line("bare INSERT until it is read", bare_s))
    p95_s = {name: statistics.quantiles(taken, n=20, method="inclusive")[18] for name, taken in spent_s.items()}
    slow = [name for name, taken in p95_s.items() if taken >= WANTED_S]
    print(f"wanted: p95 under {WANTED_S:.0f} s; " + (f"not reached: {', '.join(slow)}" if slow else "reached"))
    return not slow and not letters


def main() -> int:
    """Run the bench; return 1 when a step took too long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arrivals", type=int, default=40, help="through each door (default: 40)")
    parser.add_argument("--incidents", type=int, default=20_000, help="incidents of the past (default: 20,000)")
    args = parser.parse_args()
    with bench_settings() as settings:
        return 0 if run(settings, max(args.arrivals, 2), args.incidents) else 1


if __name__ == "__main__":
    sys.exit(main())
