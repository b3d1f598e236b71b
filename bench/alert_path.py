"""From a telegram's bytes to the last mail for 10,000 subscribers, stage by stage, beside the raw limit.

The path is the real one: raw document, parsed report, folded incident, decision, frozen recipients, queue, worker,
SMTP. The database is a throw-away cluster that syncs its disk as in operation. The raw limit is a bare SMTP loop
that hands the same bytes, made beforehand, to the same sink over as many connections: no database, no rendering.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import os
import pwd
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, text

from alerts import outbox
from alerts.letter import Recipient, build_letter
from gis.database import Database, owner_engine
from gis.embedded import Cluster
from gis.jobs import set_context, worker_app
from gis.relay import DEFAULT_CONNECTIONS
from gis.settings import PROJECT_DIR, Settings
from gis.town import load_town
from ingest.drill import play_drill
from webmap.demonstration import load_town as load_demonstration_town
from webmap.schema import migrate_everything

_SUBSCRIBERS = text(
    """
    WITH person AS (
        INSERT INTO alerts.subscriber (email, language, kinds, state, is_drill, token)
        SELECT 'bench' || n || '@machimori.example', (ARRAY['ja', 'ja-x-easy', 'en'])[n % 3 + 1], '{tsunami}',
               'confirmed', true, 'bench' || md5(n::text)
        FROM generate_series(1, :subscribers) n RETURNING id
    ), place AS (
        SELECT person.id, (ST_DumpPoints(ST_GeneratePoints(area.geom, 1, person.id::int))).geom AS position
        FROM person, (SELECT ST_Buffer(geom, -0.001) AS geom FROM layers.city_area WHERE code = :code) area
    )
    INSERT INTO alerts.place (subscriber_id, name, position, plane)
    SELECT id, '自宅', position, ST_Transform(position, CAST(:plane_epsg AS int)) FROM place
    """
)


@contextmanager
def throw_away_settings(port: int) -> Iterator[Settings]:
    folder = Path(tempfile.mkdtemp(prefix="mm-bench-", dir="/tmp"))
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
    cluster = Cluster(folder / "pg")
    try:
        cluster.start()
        cluster.create_database("bench")
        yield Settings(
            var_dir=folder / "var",
            database_url=cluster.url("postgres", "bench"),
            app_database_url=cluster.url("machimori_app", "bench"),
            smtp_url=f"smtp://127.0.0.1:{port}",
            jma_feed_url="",
        )
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def sink() -> Iterator[int]:
    """Yield the port of a server that swallows mail: Postfix's `smtp-sink` where it is installed, else our own."""
    program = os.environ.get("SMTP_SINK") or shutil.which("smtp-sink", path="/usr/sbin:/usr/local/sbin")
    if program:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = subprocess.Popen([program, "-u", "nobody", f"127.0.0.1:{port}", "1000"])
        try:
            wait_for(port)
            yield port
        finally:
            process.terminate()
            process.wait()
        return
    process = subprocess.Popen([sys.executable, "-m", "bench.smtp_sink"], stdout=subprocess.PIPE, cwd=PROJECT_DIR)
    assert process.stdout
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def wait_for(port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


def prepare(settings: Settings, subscribers: int) -> None:
    migrate_everything(settings)
    owner = owner_engine(settings.owner_url())
    load_demonstration_town(owner)
    town = load_town()
    with owner.begin() as connection:
        connection.execute(text("DELETE FROM alerts.place"))
        connection.execute(text("DELETE FROM alerts.subscriber"))
        connection.execute(_SUBSCRIBERS, {"subscribers": subscribers, "code": town.code, "plane_epsg": town.plane_epsg})
        connection.execute(text("ANALYZE alerts.subscriber, alerts.place"))
    owner.dispose()


def run_path(settings: Settings) -> dict[str, float]:
    """Play the telegram and work the queue off; return seconds per stage."""
    for name in ("ingest.tasks", "alerts.tasks"):
        importlib.import_module(name)
    database = Database(settings.app_url(), pool_size=4)
    set_context(database, settings)
    began = datetime.now().astimezone()
    play_drill(database, settings)
    folded = datetime.now().astimezone()

    async def work() -> None:
        app = worker_app(settings)
        async with app.open_async():
            await app.run_worker_async(concurrency=2, wait=False, install_signal_handlers=False)

    # Jobs that a job writes are taken up by the next round.
    for _ in range(3):
        asyncio.run(work())
    with database.begin("machimori_service") as connection:
        times = connection.execute(
            text("SELECT (SELECT min(started_at) FROM alerts.attempt) AS first, max(finished_at) AS last,"
                 " count(*) FILTER (WHERE state = 'accepted') AS accepted, count(*) AS total FROM alerts.delivery")
        ).one()  # fmt: skip
    database.dispose()
    if times.total == 0 or times.accepted != times.total:
        raise SystemExit(f"only {times.accepted} of {times.total} mails were accepted")
    return {
        "mails": times.total,
        "telegram stored, parsed, folded": (folded - began).total_seconds(),
        "decided, recipients frozen": (times.first - folded).total_seconds(),
        "sent": (times.last - times.first).total_seconds(),
        "telegram to last mail": (times.last - began).total_seconds(),
    }


def render_all(connection: Connection, settings: Settings) -> tuple[list[tuple[str, bytes]], float]:
    """Return every message as bytes, and the seconds that rendering them took."""
    rows = connection.execute(
        text("SELECT d.id, d.alert_id, d.language, d.address, d.place_names, d.nearest_sites, s.token"
             " FROM alerts.delivery d JOIN alerts.subscriber s ON s.id = d.subscriber_id")
    ).all()  # fmt: skip
    letters = {}
    for language in {row.language for row in rows}:
        words, sent_at, _ = outbox.read_letter(connection, rows[0].alert_id, language)
        letters[language] = build_letter(rows[0].alert_id, words, sent_at, settings, load_town())
    began = time.perf_counter()
    messages = []
    for row in rows:
        recipient = Recipient(row.id, row.address, row.token, row.place_names, row.nearest_sites)
        messages.append((row.address, letters[row.language].render(recipient)))
    return messages, time.perf_counter() - began


def raw_loop(port: int, messages: Sequence[tuple[str, bytes]], sender: str) -> float:
    """Hand prebuilt bytes over as fast as the standard library can, on as many connections; return seconds."""

    def one(part: Sequence[tuple[str, bytes]]) -> None:
        with smtplib.SMTP("127.0.0.1", port) as smtp:
            for address, content in part:
                smtp.mail(sender)
                smtp.rcpt(address)
                smtp.data(content)

    began = time.perf_counter()
    with ThreadPoolExecutor(DEFAULT_CONNECTIONS) as pool:
        list(pool.map(one, [messages[number::DEFAULT_CONNECTIONS] for number in range(DEFAULT_CONNECTIONS)]))
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(prog="alert_path", description=__doc__)
    parser.add_argument("--subscribers", type=int, default=10_000, metavar="N", help="default: 10000")
    args = parser.parse_args()
    with sink() as port, throw_away_settings(port) as settings:
        prepare(settings, args.subscribers)
        stages = run_path(settings)
        owner = owner_engine(settings.owner_url())
        with owner.connect() as connection:
            messages, render_s = render_all(connection, replace(settings))
        owner.dispose()
        raw_s = raw_loop(port, messages, settings.mail_from)
    for name, value in stages.items():
        print(f"{name:40} {value:10.0f}" if name == "mails" else f"{name:40} {value:10.2f} s")
    print(f"{'of which rendering':40} {render_s:10.2f} s")
    print(f"{'raw limit: bare SMTP loop, same bytes':40} {raw_s:10.2f} s")
    print(f"{'sent / raw limit':40} {stages['sent'] / raw_s:10.2f}")
    print(f"{'telegram to last mail / raw limit':40} {stages['telegram to last mail'] / raw_s:10.2f}")
    print(f"{'mails per second':40} {stages['mails'] / stages['sent']:10.0f}")


if __name__ == "__main__":
    main()
