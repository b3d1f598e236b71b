"""DKIM signatures (RFC 6376, Ed25519: RFC 8463), relaxed headers and simple body.

The library that signs in Python takes longer for a signature than the sending of the mail; here the canonical form of
the headers that all recipients share is made once, and only the two hashes and the signature are made per message.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gis.errors import UsageError

_BLANKS = re.compile(r"[ \t]*\r\n[ \t]+|[ \t]+")


@dataclass(frozen=True)
class Signer:
    """Signs messages for one domain.

    Attributes
    ----------
    algorithm : `rsa-sha256` or `ed25519-sha256`.
    """

    domain: str
    selector: str
    algorithm: str
    sign_bytes: Callable[[bytes], bytes]

    def sign(self, common: Sequence[str], common_form: str, own: Sequence[str], body: bytes, signed_at_s: int) -> str:
        """Return the `DKIM-Signature` header, ended by CRLF.

        Parameters
        ----------
        common : names of the headers that all recipients share.
        common_form : their canonical form, from `canonical`.
        own : the recipient's own headers, whole lines without the last CRLF.
        signed_at_s : seconds since 1970.
        """
        names = ":".join([*common, *(line.partition(":")[0].lower() for line in own)])
        body_hash = base64.b64encode(hashlib.sha256(body).digest()).decode()
        fields = (
            f"v=1; a={self.algorithm}; c=relaxed/simple; d={self.domain}; s={self.selector}; t={signed_at_s};\r\n"
            f" h={names};\r\n bh={body_hash};\r\n b="
        )
        signed = f"{common_form}{canonical(own)}{canonical([f'DKIM-Signature: {fields}'])[:-2]}"
        signature = base64.b64encode(self.sign_bytes(signed.encode("ascii"))).decode()
        return f"DKIM-Signature: {fields}{_fold(signature)}\r\n"


def canonical(lines: Sequence[str]) -> str:
    """Return headers in the relaxed form: small names, one blank where there were several, each ended by CRLF."""
    parts = (line.partition(":") for line in lines)
    return "".join(f"{name.lower()}:{_BLANKS.sub(' ', value).strip()}\r\n" for name, _, value in parts)


@cache
def load_signer(path: Path, domain: str, selector: str) -> Signer:
    """Read the signing key from a PEM file without a password.

    Raises
    ------
    UsageError : the file cannot be read, or is no RSA key of at least 2048 bits and no Ed25519 key.
    """
    hint = "Make one with: openssl genrsa -out FILE 2048, and set MACHIMORI_DKIM_KEY."
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"The DKIM key {path} cannot be read: {error}", hint) from error
    if isinstance(key, Ed25519PrivateKey):
        # RFC 8463: what is signed is the SHA-256 of the headers.
        return Signer(domain, selector, "ed25519-sha256", lambda content: key.sign(hashlib.sha256(content).digest()))
    if isinstance(key, RSAPrivateKey) and key.key_size >= 2048:
        padding, digest = PKCS1v15(), hashes.SHA256()
        return Signer(domain, selector, "rsa-sha256", lambda content: key.sign(content, padding, digest))
    raise UsageError(f"The DKIM key {path} is neither RSA of 2048 bits or more nor Ed25519.", hint)


def _fold(signature: str) -> str:
    return "\r\n ".join(signature[start : start + 72] for start in range(0, len(signature), 72))
