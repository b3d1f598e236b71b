"""From a telegram's arrival to the first mail that the relay took, p95 over many telegrams, with a real worker process.

Each telegram is a new event: stored, parsed, folded into an incident, decided, recipients frozen, enqueued, sent by
`./machimori worker` through a real SMTP sink; the database is a durable throw-away cluster. The time begins before the
document is stored and ends when the relay's acceptance of the first mail is durable. The next telegram comes when all
mails of the one before are out.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import text

from alerts.catalogue import JST
from bench.alert_path import prepare, sink, throw_away_settings
from gis.database import SERVICE, Database
from gis.settings import PROJECT_DIR, Settings
from ingest.documents import read_body
from ingest.drill import drill_telegram
from ingest.processing import receive
from ingest.source import find_source
from ingest.summary import RunSummary

_PATIENCE_S = 300


@contextmanager
def worker(settings: Settings) -> Iterator[None]:
    """Run the worker as in operation, on the throw-away database."""
    environment = {
        **os.environ,
        "MACHIMORI_VAR": str(settings.var_dir),
        "MACHIMORI_DATABASE_URL": settings.owner_url(),
        "MACHIMORI_APP_DATABASE_URL": settings.app_url(),
        "MACHIMORI_SMTP_URL": settings.smtp_url,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "webmap.cli", "worker"],
        cwd=PROJECT_DIR,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def time_one(database: Database, settings: Settings, now: datetime) -> float:
    """Receive one telegram; return the seconds until its first mail was accepted, when all of them are out."""
    body = read_body([drill_telegram(now)], settings.max_document_bytes)
    with database.begin(SERVICE) as connection:
        before = connection.execute(text("SELECT coalesce(max(id), 0) FROM alerts.alert")).scalar_one()
    began = datetime.now(JST)
    receive(database, find_source("jma"), "drill", f"{now.isoformat()}.xml", body, RunSummary())
    ends_at = time.monotonic() + _PATIENCE_S
    while time.monotonic() < ends_at:
        with database.begin(SERVICE) as connection:
            done = connection.execute(
                text(
                    "SELECT a.state, (SELECT min(d.finished_at) FROM alerts.delivery d"
                    " WHERE d.alert_id = a.id AND d.state = 'accepted') AS first_at"
                    " FROM alerts.alert a WHERE a.id > :before"
                ),
                {"before": before},
            ).first()
        if done and done.state == "sent" and done.first_at:
            return float((done.first_at - began).total_seconds())
        time.sleep(0.5)
    raise SystemExit("a telegram's mails did not go out")


def main() -> None:
    """Run and print the median, the 95th percentile and the longest."""
    parser = argparse.ArgumentParser(prog="first_mail", description=__doc__)
    parser.add_argument("--telegrams", type=int, default=40, help="default: 40")
    parser.add_argument("--subscribers", type=int, default=10_000, help="default: 10,000")
    args = parser.parse_args()
    with sink() as port, throw_away_settings(port) as settings:
        prepare(settings, args.subscribers)
        database = Database(settings.app_url(), pool_size=2)
        start = datetime.now(JST) - timedelta(seconds=args.telegrams + 1)
        with worker(settings):
            time_one(database, settings, start)  # the worker has started
            taken = [time_one(database, settings, start + timedelta(seconds=n)) for n in range(1, args.telegrams + 1)]
        database.dispose()
    p95 = statistics.quantiles(taken, n=20, method="inclusive")[-1] if len(taken) > 1 else taken[0]
    print(f"{args.telegrams} telegrams, {args.subscribers:,} people each, from arrival to the first mail accepted:")
    print(
        f"  median {statistics.median(taken):.2f} s, p95 {p95:.2f} s, longest {max(taken):.2f} s (wanted: p95 under 2)"
    )


if __name__ == "__main__":
    main()
