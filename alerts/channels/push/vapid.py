"""Who sends a push (VAPID, RFC 8292): a key of the installation, made on first use, and signed tokens for services."""

from __future__ import annotations

import hashlib
import time
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from alerts.channels.push.encryption import encode_point, to_base64url
from gis.settings import Settings

# Services refuse tokens that hold for more than a day (section 2); half of it leaves room for clocks that differ.
_TOKEN_S = 12 * 3600
_RENEW_S = 6 * 3600
# The order of P-256 (FIPS 186-4, D.1.2.3): private keys lie below it.
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Sender:
    """Signs requests to push services.

    The key follows from the secret `push_key` under `var_dir/secrets`. Browsers bind a subscription to it: when the
    file is lost every device has to subscribe anew, so it belongs into the backup and onto every machine.
    """

    def __init__(self, settings: Settings) -> None:
        digest = hashlib.sha512(b"machimori push\x00" + settings.secret("push_key").encode()).digest()
        self._key = ec.derive_private_key(int.from_bytes(digest, "big") % (_ORDER - 1) + 1, ec.SECP256R1())
        self._contact = f"mailto:{settings.mail_from}"
        self._tokens: dict[str, tuple[float, str]] = {}

    @property
    def public_key(self) -> str:
        """What a browser needs as `applicationServerKey`, base64url."""
        return to_base64url(encode_point(self._key.public_key()))

    def authorize(self, endpoint: str) -> str:
        """Return the `Authorization` header for a request to an endpoint; the token of a service is used again."""
        parts, now = urlsplit(endpoint), time.time()
        origin = f"{parts.scheme}://{parts.netloc}"
        made_at, token = self._tokens.get(origin, (0.0, ""))
        if not 0 <= now - made_at < _RENEW_S:
            token = self._sign({"aud": origin, "exp": int(now) + _TOKEN_S, "sub": self._contact})
            self._tokens[origin] = now, token
        return f"vapid t={token}, k={self.public_key}"

    def _sign(self, claims: dict[str, object]) -> str:
        words = f"{to_base64url(orjson.dumps({'typ': 'JWT', 'alg': 'ES256'}))}.{to_base64url(orjson.dumps(claims))}"
        r, s = decode_dss_signature(self._key.sign(words.encode(), ec.ECDSA(SHA256())))
        return f"{words}.{to_base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
