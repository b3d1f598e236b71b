"""A signed call to another system for every alert: JSON with the CAP link, an HMAC and a key against doubles."""

from __future__ import annotations

import hashlib
import hmac

import requests

from alerts.channels import TransportError

_TIMEOUT_S = 15
_MOST_REPLY = 300


def notify(url: str, secret: str, message: bytes, key: str) -> str:
    """POST one message (JSON); return the other side's status line.

    The header `X-Machimori-Signature: sha256=<hex>` is the HMAC-SHA-256 of the body under the receiver's own secret;
    `Idempotency-Key` is the same in every repetition, so the receiver can drop what it has already. Redirects are not
    followed: what is signed for one address goes to no other.

    Raises
    ------
    TransportError : no connection, or an answer that is not 2xx; permanent for 4xx except 408, 425 and 429.
    """
    signature = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": key,
        "X-Machimori-Signature": f"sha256={signature}",
    }
    try:
        reply = requests.post(url, data=message, headers=headers, timeout=_TIMEOUT_S, allow_redirects=False)
    except requests.RequestException as error:
        raise TransportError(str(error)[:_MOST_REPLY]) from error
    words = f"{reply.status_code} {reply.reason}"[:_MOST_REPLY]
    if not 200 <= reply.status_code < 300:
        is_permanent = 300 <= reply.status_code < 500 and reply.status_code not in (408, 425, 429)
        raise TransportError(words, permanent=is_permanent)
    return words
