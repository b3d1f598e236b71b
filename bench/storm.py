"""Ten thousand citizens report within a minute: is one lost, and do the pages go on answering?

    python -m bench.storm [--reports 10000] [--seconds 60] [--writers 16]

A web server, a worker and a clock of their own, as in service. Citizens come from many networks (addresses of
127.0.0.0/8 stand for them) and send the form as a browser does, evenly over the time; an answer that is no receipt is
tried again, as a person does whose words stayed in the form. A reader asks for `/` and `/list` all along; the same
reader measures the quiet time first, in the same run. Afterwards every receipt must be one report and, when the worker
is done, one incident. A throw-away durable cluster; exits with 1 when a report was lost or doubled, or a page failed.
"""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from sqlalchemy import Engine, text

from bench.edit_visible import served
from bench.history_cost import bench_settings
from gis.database import owner_engine
from gis.settings import PROJECT_DIR, Settings
from ingest.answers import KEY_NAME
from ingest.citizen_forms import Keys
from layers.demonstration.loading import load_demonstration_layers

PAGES = ("/", "/list")
_PER_NETWORK = 5  # below the limit of those who did no work
_PATIENCE_S = 900.0
_WEB_WORKERS = 2  # as `serve` and `up` run it


class Reader:
    """Asks for pages one after the other and keeps how long each took, in seconds; failures apart."""

    def __init__(self, address: str) -> None:
        self.spent_s: dict[str, list[float]] = {page: [] for page in PAGES}
        self.failures: list[str] = []
        self._address = address
        self._stop = threading.Event()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read in the background while the block runs."""
        thread = threading.Thread(target=self._read)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def p95_s(self, page: str) -> float:
        """Return the 95th percentile of a page."""
        return statistics.quantiles(self.spent_s[page], n=20)[-1]

    def _read(self) -> None:
        while not self._stop.is_set():
            for page in PAGES:
                begun = time.perf_counter()
                status, _ = ask(self._address, "GET", page, None, "127.0.0.1")
                self.spent_s[page].append(time.perf_counter() - begun)
                if status != 200:
                    self.failures.append(f"{page}: {status}")
            self._stop.wait(0.1)


def ask(address: str, method: str, path: str, body: str | None, source: str) -> tuple[int, str]:
    """Do one request from an address of this machine; return status and `Location`, (0, "") when the line broke."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60, source_address=(source, 0))
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("Location") or ""
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def send_reports(address: str, keys: Keys, count: int, seconds: float, writers: int) -> tuple[int, list[float]]:
    """Send reports evenly over a time; return how many tries failed before their receipt, and seconds per receipt."""
    begun = time.perf_counter()
    opened = datetime.now(UTC) - timedelta(seconds=10)
    networks = -(-count // _PER_NETWORK)

    def send(number: int) -> tuple[int, float]:
        wait_s = begun + seconds * number / count - time.perf_counter()
        if wait_s > 0:
            time.sleep(wait_s)
        network = number % networks  # neighbours do not all press the button in the same second
        source = f"127.{1 + network // 250 % 250}.{network % 250}.{1 + number % 200}"
        body = urlencode(_fill(keys.form(opened), number))
        first, failed = time.perf_counter(), 0
        while time.perf_counter() - begun < _PATIENCE_S:
            if ask(address, "POST", "/report", body, source)[0] == 303:
                return failed, time.perf_counter() - first
            failed += 1
            time.sleep(0.5)
        raise TimeoutError(f"report {number} got no receipt")

    with ThreadPoolExecutor(writers) as pool:
        answers = list(pool.map(send, range(count)))
    return sum(failed for failed, _ in answers), [spent for _, spent in answers]


def _fill(form: str, number: int) -> dict[str, str]:
    return {
        "form": form,
        "kind": ("fire", "flood", "landslide", "other")[number % 4],
        "text": f"{number}番目の通報です。道路が通れません。",
        "lon": f"{141.18 + number % 100 / 2000:.6f}",
        "lat": f"{38.38 + number // 100 % 100 / 2000:.6f}",
        "accuracy_m": "50",
        "consent": "1",
    }


@contextmanager
def working(settings: Settings) -> Iterator[None]:
    """Run a worker and the clock beside us."""
    environment = {
        **os.environ,
        "MACHIMORI_VAR": str(settings.var_dir),
        "MACHIMORI_DATABASE_URL": settings.owner_url(),
        "MACHIMORI_APP_DATABASE_URL": settings.app_url(),
    }
    running = []
    for service in (["worker", "--concurrency", "2"], ["scheduler"]):
        with (Path(settings.var_dir) / f"{service[0]}.log").open("w") as log:
            command = [sys.executable, "-m", "webmap.cli", *service]
            running.append(subprocess.Popen(command, cwd=PROJECT_DIR, env=environment, stdout=log, stderr=log))
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(60)


def wait_until(is_done: Callable[[], bool]) -> float:
    """Return after how many seconds something is done."""
    begun = time.perf_counter()
    while not is_done():
        if time.perf_counter() - begun > _PATIENCE_S:
            raise TimeoutError("the worker does not get through")
        time.sleep(1)
    return time.perf_counter() - begun


def find_faults(owner: Engine, count: int) -> list[str]:
    """Return what of the reports was lost or doubled on its way to an incident."""
    queries = {
        "receipts kept": "SELECT count(*) FROM ingest.citizen_report",
        "documents": "SELECT count(*) FROM ingest.document WHERE source = 'citizen'",
        "reports": "SELECT count(*) FROM ingest.report WHERE source = 'citizen'",
        "incidents": "SELECT count(*) FROM layers.incident WHERE event_key LIKE 'citizen:%'",
        "different words": "SELECT count(DISTINCT original) FROM ingest.report_private",
    }
    with owner.begin() as connection:
        found = {name: connection.execute(text(query)).scalar_one() for name, query in queries.items()}
        letters = connection.execute(text("SELECT count(*) FROM ingest.dead_letter")).scalar_one()
    faults = [f"{name}: {number} of {count}" for name, number in found.items() if number != count]
    return faults + ([f"{letters} dead letters"] if letters else [])


def run_storm(settings: Settings, count: int, seconds: float, writers: int) -> list[str]:
    """Let the storm come, print what was measured, return the faults."""
    owner = owner_engine(settings.owner_url())
    with owner.begin() as connection:
        load_demonstration_layers(connection)
    with served(settings, _WEB_WORKERS) as address, working(settings):
        for page in PAGES:
            ask(address, "GET", page, None, "127.0.0.1")
        quiet, stormy = Reader(address), Reader(address)
        with quiet.reading():
            time.sleep(10)
        begun = time.perf_counter()
        with stormy.reading():
            failed, spent_s = send_reports(address, Keys(settings.secret(KEY_NAME)), count, seconds, writers)
        took_s = time.perf_counter() - begun
        print(f"{count} reports in {took_s:.1f} s ({count / took_s:.0f} a second), {failed} tries without a receipt")
        print(
            f"receipt: median {statistics.median(spent_s):.3f} s, p95 {statistics.quantiles(spent_s, n=20)[-1]:.3f} s"
        )
        for page in PAGES:
            one, other = quiet.p95_s(page), stormy.p95_s(page)
            print(
                f"{page:6} p95 {1000 * other:.0f} ms in the storm, {1000 * one:.0f} ms before, ratio {other / one:.1f}"
            )
        unparsed = text("SELECT NOT EXISTS (SELECT FROM ingest.document WHERE parsed_at IS NULL)")

        def is_done() -> bool:
            with owner.begin() as connection:
                return bool(connection.execute(unparsed).scalar_one())

        print(f"all of them incidents {wait_until(is_done):.0f} s after the last receipt")
        faults = find_faults(owner, count) + quiet.failures + stormy.failures
    owner.dispose()
    return faults


def main() -> int:
    """Run the bench; return 1 when something was lost, doubled or unanswered."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--writers", type=int, default=16)
    args = parser.parse_args()
    with bench_settings() as settings:
        faults = run_storm(settings, args.reports, args.seconds, args.writers)
    print("\n".join(faults) or "none lost, none doubled, every page answered")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
