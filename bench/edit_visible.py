"""How long until an edit shows in a vector tile, over real HTTP, beside the bare UPDATE and the bare tile query.

    python -m bench.edit_visible [--features 10000] [--rounds 100]

A server of its own (granian, as `./machimori serve`); a logged-in editor saves a drawn attribute as the page does,
and asks for the tile as a browser does that has it already (`If-None-Match`), until the answer is another one. The
time runs from before the save to the last byte of the new tile. The bare way does the same UPDATE on a table without
history, and draws the tile by the same query, on one connection. A throw-away durable cluster.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from sqlalchemy import Engine, text

from bench.history_cost import ROLE, bench_settings, fill
from gis.accounts import add_account
from gis.database import CITIZEN, Database, owner_engine
from gis.settings import PROJECT_DIR, Settings
from layers.tiles import render_tile

TILE = (14, 14618, 6297)  # 2.4 km of the town: what a map window shows of it
PASSWORD = secrets.token_urlsafe(16)
WANTED_S = 1.0
_PATIENCE_S = 30.0


@contextmanager
def served(settings: Settings, workers: int = 1) -> Iterator[str]:
    """Run the web server beside us, in so many processes; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "MACHIMORI_VAR": str(settings.var_dir),
        "MACHIMORI_DATABASE_URL": settings.owner_url(),
        "MACHIMORI_APP_DATABASE_URL": settings.app_url(),
    }
    command = [sys.executable, "-m", "webmap.cli", "serve", "--port", str(port), "--workers", str(workers)]
    with (Path(settings.var_dir) / "serve.log").open("w") as log:
        server = subprocess.Popen(command, cwd=PROJECT_DIR, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(address, server)
        yield address
    finally:
        server.terminate()
        server.wait()


def _wait_until_ready(address: str, server: subprocess.Popen[bytes]) -> None:
    end = time.perf_counter() + _PATIENCE_S
    while time.perf_counter() < end and server.poll() is None:
        try:
            if requests.get(f"{address}/healthz", timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise RuntimeError("the web server did not start")


@dataclass
class Desk:
    """A logged-in editor's browser."""

    session: requests.Session
    address: str
    token: str

    @classmethod
    def open(cls, address: str, name: str, password: str) -> Desk:
        session = requests.Session()
        form = {"name": name, "password": password, "csrf_token": _token(session.get(f"{address}/staff/login").text)}
        session.post(f"{address}/staff/login", data=form).raise_for_status()
        return cls(session, address, _token(session.get(f"{address}/staff/layers").text))

    def save(self, fid: int, version: int, is_tsunami: bool) -> int:
        """Save a drawn attribute; return the new version."""
        change = {"operation": "update", "fid": fid, "base_version": version, "attributes": {"tsunami": is_tsunami}}
        headers = {"X-CSRFToken": self.token, "Idempotency-Key": secrets.token_urlsafe(16)}
        url = f"{self.address}/staff/layers/evacuation_site/edit/changes"
        answer = self.session.post(url, json={"reason": "bench", "changes": [change]}, headers=headers)
        answer.raise_for_status()
        return int(answer.json()["versions"][str(fid)])

    def tile(self, etag: str = "") -> requests.Response:
        z, x, y = TILE
        url = f"{self.address}/tiles/evacuation_site/{z}/{x}/{y}.mvt"
        answer = self.session.get(url, headers={"If-None-Match": etag} if etag else {})
        answer.raise_for_status()
        return answer


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    if found is None:
        raise RuntimeError("the page has no CSRF token: the login did not succeed")
    return found.group(1)


def time_edits(desk: Desk, fid: int, rounds: int) -> tuple[list[float], int]:
    """Return (seconds from save to new tile of each round, requests that still got the old tile)."""
    version, etag, spent_s, stale = 1, desk.tile().headers["ETag"], [], 0
    for turn in range(rounds):
        begun = time.perf_counter()
        version = desk.save(fid, version, is_tsunami=turn % 2 == 0)
        while (answer := desk.tile(etag)).status_code == 304:
            stale += 1
            if time.perf_counter() - begun > _PATIENCE_S:
                raise RuntimeError("the edit never showed in the tile")
        spent_s.append(time.perf_counter() - begun)
        etag = answer.headers["ETag"]
    return spent_s, stale


def time_bare(database: Database, fid: int, rounds: int) -> list[float]:
    """Return the seconds of a bare UPDATE with the tile query after it."""
    spent_s = []
    for turn in range(rounds):
        begun = time.perf_counter()
        with database.begin(ROLE) as connection:
            update = text("UPDATE layers.bare SET tsunami = :value WHERE fid = :fid")
            connection.execute(update, {"value": turn % 2 == 0, "fid": fid})
        with database.begin(CITIZEN) as connection:
            render_tile(connection, "evacuation_site", *TILE)
        spent_s.append(time.perf_counter() - begun)
    return spent_s


def feature_in_tile(owner: Engine, table: str) -> int:
    z, x, y = TILE
    query = text(
        f"SELECT fid FROM layers.{table} WHERE ST_Transform(geom, 3857) && ST_TileEnvelope(:z, :x, :y) LIMIT 1"  # noqa: S608
    )
    with owner.begin() as connection:
        return int(connection.execute(query, {"z": z, "x": x, "y": y}).scalar_one())


def _line(name: str, spent_s: list[float]) -> str:
    cuts = statistics.quantiles(spent_s, n=20)
    return f"{name:<28}{cuts[9] * 1000:>10.1f}{cuts[18] * 1000:>10.1f}{max(spent_s) * 1000:>10.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--features", type=int, default=10_000, help="features of the layer")
    parser.add_argument("--rounds", type=int, default=100, help="edits that are timed")
    options = parser.parse_args()
    with bench_settings() as settings:
        database, owner = Database(settings.app_url()), owner_engine(settings.owner_url())
        fill(database, owner, options.features)
        with owner.begin() as connection:
            roles = ("viewer", "editor")
            add_account(connection, "bench", "bench", "disaster", PASSWORD, is_demo=True, roles=roles)
        with served(settings) as address:
            desk = Desk.open(address, "bench", PASSWORD)
            spent_s, stale = time_edits(desk, feature_in_tile(owner, "evacuation_site"), options.rounds)
        bare_s = time_bare(database, feature_in_tile(owner, "bare"), options.rounds)
        database.dispose()
        owner.dispose()
    print(f"{'':<28}{'p50 ms':>10}{'p95 ms':>10}{'max ms':>10}")
    print(_line("saved, and in the tile", spent_s))
    print(_line("bare UPDATE, tile query", bare_s))
    ratio = statistics.median(spent_s) / statistics.median(bare_s)
    print(f"ratio of the medians {ratio:.1f}; {stale} requests still got the old tile; wanted at most {WANTED_S} s")
    sys.exit(1 if statistics.quantiles(spent_s, n=20)[18] > WANTED_S else 0)


if __name__ == "__main__":
    main()
