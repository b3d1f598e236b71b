"""Phones that take pushes, and the push service between: a real HTTPS server that does as its script says."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from alerts.channels.push.encryption import encode_point
from bench.authority import Authority
from tests.alerts.alert_town import SquareTown


class Browser:
    """A device with keys of its own, which reads what was encrypted for it (RFC 8291)."""

    def __init__(self, number: int) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.point, self.auth, self.path = encode_point(self.key.public_key()), bytes([number]) * 16, f"/push/{number}"

    def read(self, body: bytes) -> dict[str, object]:
        salt, own, cipher = body[:16], body[21:86], body[86:]
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), own)
        shared = self.key.exchange(ec.ECDH(), theirs)
        secret = HKDF(SHA256(), 32, self.auth, b"WebPush: info\x00" + self.point + own).derive(shared)
        key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\x00").derive(secret)
        nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\x00").derive(secret)
        plain = AESGCM(key).decrypt(nonce, cipher, None)
        assert plain[-1] == 2
        return dict(json.loads(plain[:-1]))


# A stranger's words: no text of PostgreSQL's can hold a NUL.
_ANSWER = b"\0noted"


class PushService:
    """A real HTTPS server; each path answers with the statuses it was given, then with 201."""

    def __init__(self, authority: Authority) -> None:
        self.calls: list[tuple[str, dict[str, str], bytes]] = []
        self.statuses: dict[str, list[int]] = {}
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.calls.append((self.path, dict(self.headers), body))
                planned = service.statuses.get(self.path)
                self.send_response(planned.pop(0) if planned else 201)
                self.send_header("Content-Length", str(len(_ANSWER)))
                self.send_header("Retry-After", "77")
                self.send_header("Location", "https://127.0.0.1/elsewhere")
                self.end_headers()
                self.wfile.write(_ANSWER)

            def log_message(self, *words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = authority.context("127.0.0.1").wrap_socket(self.server.socket, server_side=True)
        self.origin = f"https://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def add_device(
    town: SquareTown, service: PushService, subscriber_id: int, number: int, language: str = "ja"
) -> Browser:
    browser = Browser(number)
    is_taken = town.scalar(
        "SELECT open.add_push_device(token, :endpoint, :key, :auth, :language) FROM alerts.subscriber WHERE id = :id",
        endpoint=service.origin + browser.path, key=browser.point, auth=browser.auth, language=language,
        id=subscriber_id,
    )  # fmt: skip
    assert is_taken
    return browser
