"""Encryption of a push message for one device (RFC 8291 over RFC 8188, `aes128gcm`): the push service reads nothing."""

from __future__ import annotations

import base64
import binascii
import os

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

# One record holds the whole message; push services must take 4096 bytes (RFC 8030, section 7.2).
_RECORD_BYTES = 4096
_HEADER_BYTES = 16 + 4 + 1 + 65
_TAG_BYTES = 16
MOST_PLAIN_BYTES = _RECORD_BYTES - _HEADER_BYTES - _TAG_BYTES - 1


def encrypt(
    plain: bytes,
    device_key: bytes,
    device_secret: bytes,
    own_key: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """Return the body of a push request that only the device can read.

    Parameters
    ----------
    device_key : `p256dh` of the subscription: an uncompressed point of P-256, 65 bytes.
    device_secret : `auth` of the subscription, 16 bytes.
    own_key, salt : new for every message; given only to check against the RFC's example.

    Raises
    ------
    ValueError : the device's key is no point of the curve, or the message is longer than `MOST_PLAIN_BYTES`.
    """
    if len(plain) > MOST_PLAIN_BYTES:
        raise ValueError(f"a push message holds at most {MOST_PLAIN_BYTES} bytes, this one has {len(plain)}")
    own_key = own_key or ec.generate_private_key(ec.SECP256R1())
    salt = salt or os.urandom(16)
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), device_key)
    own_public = encode_point(own_key.public_key())
    shared = own_key.exchange(ec.ECDH(), theirs)
    secret = _derive(device_secret, shared, b"WebPush: info\x00" + device_key + own_public, 32)
    key = _derive(salt, secret, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derive(salt, secret, b"Content-Encoding: nonce\x00", 12)
    header = salt + _RECORD_BYTES.to_bytes(4, "big") + bytes([len(own_public)]) + own_public
    return header + AESGCM(key).encrypt(nonce, plain + b"\x02", None)  # 2 ends the last record (RFC 8188, section 2)


def check_device(device_key: bytes, device_secret: bytes) -> None:
    """Check the keys of a subscription, before they are kept.

    Raises
    ------
    ValueError : not an uncompressed point of P-256 and 16 bytes.
    """
    if len(device_key) != 65 or len(device_secret) != 16:
        raise ValueError("the keys are not as long as RFC 8291 wants them")
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), device_key)


def encode_point(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return a public key as 65 bytes, as browsers give and take it."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def to_base64url(raw: bytes) -> str:
    """Write bytes as base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Read base64url with or without padding.

    Raises
    ------
    ValueError : it is none.
    """
    try:
        padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
        return base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise ValueError("not base64url") from error


def _derive(salt: bytes, secret: bytes, label: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, label).derive(secret)
