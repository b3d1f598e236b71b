"""The other sides of `bench.arrival`: JMA's feed, a fire service, a mail server, a citizen and a moderator."""

from __future__ import annotations

import json
import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import requests

from bench.storm import ask
from gis.database import SERVICE, Database
from gis.jobs import enqueue
from gis.settings import Settings
from ingest.answers import KEY_NAME
from ingest.citizen_forms import Keys
from ingest.clock import poll_lock
from ingest.drill import drill_telegram
from ingest.pushing import sign
from ingest.source import find_source

PASSWORD = secrets.token_urlsafe(16)
_PATIENCE_S = 90.0
_LOOK_EVERY_S = 0.02
_INCIDENT = re.compile(r'href="/staff/incidents/(\d+)')


class FeedServer:
    """JMA's pull service with the telegrams that were put there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._telegrams: dict[str, bytes] = {}

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[FeedServer]:
        """Serve on a free port for the length of a block."""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = feed.answer(self.path)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_said: object) -> None:
                """Stay quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        feed = cls(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield feed
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def put(self, name: str, telegram: bytes) -> None:
        """Add a telegram."""
        self._telegrams = {**self._telegrams, name: telegram}

    def answer(self, path: str) -> bytes:
        """Return a telegram, or a feed of the latest ones."""
        name = path.removeprefix("/")
        if name in self._telegrams:
            return self._telegrams[name]
        listed = list(self._telegrams)[-10:] if name.startswith("eqvol") else []
        entries = "".join(
            f"<entry><title>津波警報・注意報・予報a</title><id>{self.url}/{one}</id><updated>2026-01-01T00:00:00Z</updated>"
            f'<link type="application/xml" href="{self.url}/{one}"/></entry>'
            for one in listed
        )
        return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>高頻度</title>{entries}</feed>'.encode()


@dataclass
class Desk:
    """A moderator's browser."""

    session: requests.Session
    address: str

    @classmethod
    def open(cls, address: str) -> Desk:
        """Log in."""
        session = requests.Session()
        form = {"name": "bench", "password": PASSWORD, "csrf_token": _hidden(_page(session, f"{address}/staff/login"))}
        session.post(f"{address}/staff/login", data=form).raise_for_status()
        return cls(session, address)

    def waiting(self, source: str) -> set[int]:
        """Return the incidents of a source that wait for a decision."""
        title = find_source(source).title
        page = _page(self.session, f"{self.address}/staff/incidents?{urlencode({'source': title})}")
        return {int(fid) for fid in _INCIDENT.findall(page)}

    def publish(self, fid: int) -> float:
        """Publish an incident as its page does; return when that was sent (`time.perf_counter`)."""
        page = _page(self.session, f"{self.address}/staff/incidents/{fid}")
        form = {name: _hidden(page, name) for name in ("csrf_token", "version")}
        begun = time.perf_counter()
        answer = self.session.post(
            f"{self.address}/staff/incidents/{fid}/publish", data={**form, "reason": "bench"}, allow_redirects=False
        )
        if answer.status_code != 302:
            raise RuntimeError(f"incident {fid} was not published: {answer.status_code}")
        return begun


@dataclass
class ArrivalsOnHand:
    """One report at a time through each door, and how long until it is seen, in seconds."""

    settings: Settings
    database: Database
    feed: FeedServer
    address: str
    secret: str
    desk: Desk
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    reader: requests.Session = field(default_factory=requests.Session)

    def read_feed(self) -> tuple[set[int], float]:
        """Return the incidents on the public map, and how long the answer took."""
        begun = time.perf_counter()
        answer = self.reader.get(f"{self.address}/feeds/incidents.geojson", timeout=30)
        answer.raise_for_status()
        return {int(feature["id"]) for feature in answer.json()["features"]}, time.perf_counter() - begun

    def telegram(self, number: int) -> dict[str, float]:
        """Put a telegram of an event of its own on JMA's server, and ask there as the clock does."""
        before, _ = self.read_feed()
        self.feed.put(f"{number}.xml", drill_telegram(self.started_at - timedelta(minutes=30, seconds=-number)))
        begun = time.perf_counter()
        with self.database.begin(SERVICE) as connection:
            enqueue(connection, "ingest.poll", once=poll_lock("jma"), source="jma")
        return {"telegram, asked for, to the map": self._until_on_map(before, begun)}

    def fire(self, number: int) -> dict[str, float]:
        """Push the first message of a fire."""
        before, _ = self.read_feed()
        said_at = datetime.now(UTC).replace(second=0, microsecond=0)
        lon, lat = 141.10 + number % 10 * 0.015, 38.35 + number // 10 % 10 * 0.012
        body = json.dumps(
            {
                "number": f"A-{number}",
                "message_id": f"a{number}",
                "sent_at": said_at.isoformat(),
                "type": "建物火災",
                "stage": "覚知",
                "position": {"lon": lon, "lat": lat, "datum": "JGD2011"},
            }
        ).encode()
        path, now, key = "/ingest/arrival_fire", int(time.time()), f"a{number}"
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": key,
            "X-Machimori-Timestamp": str(now),
            "X-Machimori-Signature": f"v1={sign(self.secret, now, path, key, body)}",
        }
        begun = time.perf_counter()
        requests.post(f"{self.address}{path}", data=body, headers=headers, timeout=30).raise_for_status()
        return {"fire, pushed, to the map": self._until_on_map(before, begun)}

    def mail(self, number: int) -> dict[str, float]:
        """Deliver a mail of the police as a mail server does: written aside, then moved into `new/`."""
        before, box = self.desk.waiting("arrival_mail"), Path(self.settings.var_dir) / "mail"
        (box / "tmp" / f"{number}").write_bytes(_letter(number))
        begun = time.perf_counter()
        (box / "tmp" / f"{number}").rename(box / "new" / f"{number}.bench")
        fid, queued_s = self._until_in_queue("arrival_mail", before, begun)
        return {"mail, delivered, to the queue": queued_s, "mail, published, to the map": self._publish(fid)}

    def citizen(self, number: int) -> dict[str, float]:
        """Send the form as a browser does."""
        before = self.desk.waiting("citizen")
        form = {
            "form": Keys(self.settings.secret(KEY_NAME)).form(datetime.now(UTC) - timedelta(seconds=30)),
            "kind": ("fire", "flood", "landslide", "other")[number % 4],
            "text": f"{number}番目の通報です。道路が通れません。",
            "lon": f"{141.18 + number % 100 / 2000:.6f}",
            "lat": f"{38.38 + number % 7 / 200:.6f}",
            "accuracy_m": "50",
            "consent": "1",
        }
        begun = time.perf_counter()
        if ask(self.address, "POST", "/report", urlencode(form), f"127.1.{number % 250}.1")[0] != 303:
            raise RuntimeError("a citizen's report was not taken")
        fid, queued_s = self._until_in_queue("citizen", before, begun)
        return {"citizen, sent, to the queue": queued_s, "citizen, published, to the map": self._publish(fid)}

    def _publish(self, fid: int) -> float:
        before, _ = self.read_feed()
        return self._until_on_map(before, self.desk.publish(fid))

    def _until_on_map(self, before: set[int], begun: float) -> float:
        while time.perf_counter() - begun < _PATIENCE_S:
            if self.read_feed()[0] - before:
                return time.perf_counter() - begun
            time.sleep(_LOOK_EVERY_S)
        raise TimeoutError("it never stood on the map")

    def _until_in_queue(self, source: str, before: set[int], begun: float) -> tuple[int, float]:
        while time.perf_counter() - begun < _PATIENCE_S:
            new = self.desk.waiting(source) - before
            if new:
                return new.pop(), time.perf_counter() - begun
            time.sleep(_LOOK_EVERY_S)
        raise TimeoutError(f"it never stood in the queue of {source}")


def _letter(number: int) -> bytes:
    now = datetime.now(UTC)
    at = f"{1 + number % 9}時{number % 60}分"
    words = f"本日午前{at}ころ、東松島市矢本地内の路上で、{number}件目の声かけ事案が発生しました。"
    return (
        f"From: news@police.example\r\nTo: bousai@town.example\r\nDate: {now:%a, %d %b %Y %H:%M:%S} +0000\r\n"
        f"Message-ID: <{number}@police.example>\r\nSubject: notice\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{words}\r\n"
    ).encode()


def _page(session: requests.Session, url: str) -> str:
    answer = session.get(url, timeout=30)
    answer.raise_for_status()
    return answer.text


def _hidden(page: str, name: str = "csrf_token") -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]+)"', page)
    if found is None:
        raise RuntimeError(f"the page has no field {name}: the login did not succeed, or the form is another one")
    return found.group(1)
