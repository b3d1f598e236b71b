"""The other side of the internet, on the loopback: it gives feeds and telegrams as JMA does, or misbehaves."""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Misbehave = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class FeedServer:
    """Pages by path; `requests` are the paths asked for with the status answered."""

    pages: dict[str, bytes] = field(default_factory=dict)
    misbehaviour: dict[str, Misbehave] = field(default_factory=dict)
    requests: list[tuple[str, int]] = field(default_factory=list)
    gzips: bool = False
    base: str = ""

    def put_feed(self, name: str, *entries: tuple[str, str], host: str | None = None) -> None:
        """Offer a feed of (title, telegram's file name), oldest last as JMA does."""
        parts = "".join(
            f"<entry><title>{title}</title><id>{host or self.base}/data/{file}</id>"
            f"<updated>2031-05-01T01:{59 - number:02}:00Z</updated>"
            f'<link type="application/xml" href="{host or self.base}/data/{file}"/></entry>'
            for number, (title, file) in enumerate(entries)
        )
        page = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>高頻度</title>{parts}</feed>'
        self.pages[f"/feed/{name}"] = page.encode()

    def put_telegram(self, file: str, body: bytes) -> None:
        self.pages[f"/data/{file}"] = body

    def asked(self, path: str) -> list[int]:
        """Return the status of each answer to `path`."""
        return [status for asked, status in self.requests if asked == path]


def serve(server: FeedServer) -> ThreadingHTTPServer:
    """Start serving on a free port of the loopback; the caller shuts it down."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path in server.misbehaviour:
                server.requests.append((self.path, 0))
                server.misbehaviour[self.path](self)
                return
            body = server.pages.get(self.path)
            if body is None:
                self._answer(404, b"")
                return
            etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            if self.headers.get("If-None-Match") == etag:
                self._answer(304, b"", ETag=etag)
            elif server.gzips:
                self._answer(200, gzip.compress(body), **{"ETag": etag, "Content-Encoding": "gzip"})
            else:
                self._answer(200, body, ETag=etag)

        def _answer(self, status: int, body: bytes, **headers: str) -> None:
            server.requests.append((self.path, status))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server.base = f"http://127.0.0.1:{http.server_port}"
    threading.Thread(target=http.serve_forever, daemon=True).start()
    return http


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Send the body one byte at a time, for ever."""
    handler.send_response(200)
    handler.end_headers()
    _for_ever(handler, b"x", 0.05)


def drip_headers(handler: BaseHTTPRequestHandler) -> None:
    """Send a header one byte at a time, for ever."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _for_ever(handler, b"x", 0.05)


def flood(handler: BaseHTTPRequestHandler) -> None:
    """Send more and more."""
    handler.send_response(200)
    handler.end_headers()
    _for_ever(handler, b"x" * 65_536, 0)


def cut_off(handler: BaseHTTPRequestHandler) -> None:
    """Promise a thousand bytes, send ten and hang up."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"0123456789")


def redirect(handler: BaseHTTPRequestHandler) -> None:
    """Point to a machine inside the house."""
    handler.send_response(302)
    handler.send_header("Location", "http://127.0.0.1:1/secret")
    handler.end_headers()


def _for_ever(handler: BaseHTTPRequestHandler, piece: bytes, pause_s: float) -> None:
    try:
        while True:
            handler.wfile.write(piece)
            time.sleep(pause_s)
    except OSError:
        return
