"""Ten thousand signed pushes within a minute: is one lost or doubled, and do the pages go on answering?

    python -m bench.push_storm [--pushes 10000] [--seconds 60] [--writers 16]

A web server and a worker of their own, as `serve` and `worker` run them. Each fire has four messages (覚知, 出動,
鎮圧, 鎮火) with one number, sent in any order, each under a key of its own; one in fifty is sent twice. What is refused
or not answered is sent again with the same key, as docs/push-door.md says. A reader asks for `/` and `/list` all
along; the same reader measures the quiet time first. Afterwards every message must be one report, and every number
one incident that is over. A throw-away durable cluster; exits with 1 when something was lost or doubled, or a page
failed.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import statistics
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine, text

from bench.edit_visible import served
from bench.history_cost import bench_settings
from bench.storm import PAGES, Reader, ask, wait_until, working
from gis.database import owner_engine
from gis.settings import Settings
from ingest.configuration import SourceConfig
from ingest.push_secrets import make_push_secret
from ingest.pushing import sign
from ingest.sources.fire_push import make_source
from layers.demonstration.loading import load_demonstration_layers

SOURCE = "storm_fire"
_STAGES = ("覚知", "出動", "鎮圧", "鎮火")
_PATIENCE_S = 900.0


class Sender:
    """Signs and sends; counts answers by status, and keeps how long each 202 took, in seconds."""

    def __init__(self, address: str, secret: str) -> None:
        self.statuses: Counter[int] = Counter()
        self.states: Counter[str] = Counter()
        self.spent_s: list[float] = []
        self._secret = secret
        self._parts = urlsplit(address)
        self._own = threading.local()
        # One moment for all: a storm that lasts longer than planned must not bring later times into earlier stages.
        self._begun = datetime.now(UTC).replace(second=0, microsecond=0)

    def send(self, number: int, count: int) -> None:
        """Send one message until it is taken."""
        body = json.dumps(_message(number, self._begun)).encode()
        begun = time.perf_counter()
        while time.perf_counter() - begun < _PATIENCE_S:
            tried = time.perf_counter()
            status, said = self._post(f"k{number}", body)
            self.statuses[status] += 1
            if status == 202:
                self.spent_s.append(time.perf_counter() - tried)
                self.states[json.loads(said)["state"]] += 1
                return
            time.sleep(0.5)
        raise TimeoutError(f"message {number} of {count} was not taken")

    def _post(self, key: str, body: bytes) -> tuple[int, bytes]:
        """Post on this thread's connection; (0, b"") when the line broke."""
        path, now = f"/ingest/{SOURCE}", int(time.time())
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": key,
            "X-Machimori-Timestamp": str(now),
            "X-Machimori-Signature": f"v1={sign(self._secret, now, path, key, body)}",
        }
        connection = getattr(self._own, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(self._parts.hostname or "", self._parts.port, timeout=60)
            self._own.connection = connection
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return 0, b""


def _message(number: int, begun: datetime) -> dict[str, object]:
    fire, stage = divmod(number, len(_STAGES))
    said_at = begun - timedelta(minutes=10 - stage)
    return {
        "number": f"S-{fire}",
        "message_id": f"m{number}",
        "sent_at": said_at.isoformat(),
        "type": "建物火災",
        "stage": _STAGES[stage],
        "position": {
            "lon": 141.18 + fire % 50 / 1000,
            "lat": 38.38 + fire // 50 % 50 / 1000,
            "datum": "JGD2011",
        },
        "caller": f"{number}番目の通報者",
    }


def send_all(sender: Sender, count: int, seconds: float, writers: int) -> None:
    """Send messages evenly over a time, in any order, some of them twice."""
    shuffle = random.Random(11)
    numbers = list(range(count))
    shuffle.shuffle(numbers)
    twice = [number for number in numbers if number % 50 == 0]
    begun = time.perf_counter()

    def send(turn: int, number: int) -> None:
        wait_s = begun + seconds * turn / count - time.perf_counter()
        if wait_s > 0:
            time.sleep(wait_s)
        sender.send(number, count)

    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(send, [*range(count), *range(0, count, 50)], [*numbers, *twice]))


def find_faults(owner: Engine, count: int) -> list[str]:
    """Return what was lost or doubled on its way to an incident."""
    queries = {
        "keys": ("SELECT count(*) FROM ingest.push", count),
        "reports": ("SELECT count(*) FROM ingest.report", count),
        "words of callers": ("SELECT count(DISTINCT details->>'caller') FROM ingest.report_private", count),
        "incidents": ("SELECT count(*) FROM layers.incident", count // len(_STAGES)),
        "that are over": ("SELECT count(*) FROM layers.incident WHERE state = 'resolved'", count // len(_STAGES)),
        "dead letters": ("SELECT count(*) FROM ingest.dead_letter", 0),
    }
    with owner.begin() as connection:
        found = {name: connection.execute(text(query)).scalar_one() for name, (query, _) in queries.items()}
    return [f"{name}: {found[name]} of {wanted}" for name, (_, wanted) in queries.items() if found[name] != wanted]


def open_door(settings: Settings, per_minute: int) -> str:
    """Write the sources file of the installation; return the secret."""
    options = {"per_minute": per_minute}
    table = f'[{SOURCE}]\ntype = "fire_push"\nper_minute = {per_minute}\n'
    (Path(settings.var_dir) / "sources.toml").write_text(table, encoding="utf-8")
    return make_push_secret(settings, make_source(SourceConfig(SOURCE, "fire_push", SOURCE, None, options)))


def run_storm(settings: Settings, count: int, seconds: float, writers: int) -> list[str]:
    """Let the storm come, print what was measured, return the faults."""
    owner = owner_engine(settings.owner_url())
    with owner.begin() as connection:
        load_demonstration_layers(connection)
    secret = open_door(settings, per_minute=100 * count)
    with served(settings) as address, working(settings):
        for page in PAGES:
            ask(address, "GET", page, None, "127.0.0.1")
        quiet, stormy, sender = Reader(address), Reader(address), Sender(address, secret)
        with quiet.reading():
            time.sleep(10)
        begun = time.perf_counter()
        with stormy.reading():
            send_all(sender, count, seconds, writers)
        took_s = time.perf_counter() - begun
        print(f"{count} messages in {took_s:.1f} s ({count / took_s:.0f} a second); answers {dict(sender.statuses)}")
        processed, stored = sender.states["processed"], sender.states["stored"]
        print(f"worked on before the answer: {processed}, stored for the worker: {stored}")
        p95_s = statistics.quantiles(sender.spent_s, n=20)[-1]
        print(f"answer: median {statistics.median(sender.spent_s):.3f} s, p95 {p95_s:.3f} s")
        for page in PAGES:
            one, other = quiet.p95_s(page), stormy.p95_s(page)
            print(f"{page:6} p95 {1000 * other:.0f} ms in the storm, {1000 * one:.0f} ms before")
        unparsed = text("SELECT NOT EXISTS (SELECT FROM ingest.document WHERE parsed_at IS NULL)")

        def is_done() -> bool:
            with owner.begin() as connection:
                return bool(connection.execute(unparsed).scalar_one())

        print(f"all of them on the map {wait_until(is_done):.0f} s after the last answer")
        faults = find_faults(owner, count) + quiet.failures + stormy.failures
    owner.dispose()
    return faults


def main() -> int:
    """Run the bench; return 1 when something was lost, doubled or unanswered."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pushes", type=int, default=10_000, help="a multiple of four")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--writers", type=int, default=16)
    args = parser.parse_args()
    with bench_settings() as settings:
        faults = run_storm(settings, args.pushes - args.pushes % len(_STAGES), args.seconds, args.writers)
    print("\n".join(faults) or "none lost, none doubled, every page answered")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
