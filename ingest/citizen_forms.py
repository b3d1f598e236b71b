"""Keys of citizens' reports without a login: the form's, the reporter's own, and those that tell senders apart.

All of them are made with the installation's secret and checked without the database. Pure.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
import unicodedata
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.citizen_policy import CitizenPolicy
from ingest.citizen_words import RefusedReportError

_FORM = re.compile(r"([A-Za-z0-9_-]{22})\.(\d{9,12})\.([A-Za-z0-9_-]{22})")
_TOKEN = re.compile(r"([A-Za-z0-9_-]{22})([A-Za-z0-9_-]{22})")
_CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True)
class Keys:
    """Makes and checks keys under one secret."""

    secret: str

    def form(self, now: datetime) -> str:
        """Return the hidden key of a fresh form; its first part becomes the report's reference."""
        reference = secrets.token_urlsafe(16)
        seconds = int(now.timestamp())
        return f"{reference}.{seconds}.{self._mac('form', f'{reference}.{seconds}')}"

    def open_form(self, form: str, now: datetime, policy: CitizenPolicy) -> str:
        """Return the reference of a form that was sent.

        Raises
        ------
        RefusedReportError : the key is not ours (`form`), too old (`old_form`), or sent too fast (`fast`).
        """
        match = _FORM.fullmatch(form)
        if match is None or not hmac.compare_digest(match[3], self._mac("form", f"{match[1]}.{match[2]}")):
            raise RefusedReportError("form")
        age = now - datetime.fromtimestamp(int(match[2]), now.tzinfo)
        if age > timedelta(hours=policy.most_hours) or age < -_CLOCK_TOLERANCE:
            raise RefusedReportError("old_form")
        if age < timedelta(seconds=policy.least_seconds):
            raise RefusedReportError("fast")
        return match[1]

    def token(self, reference: str) -> str:
        """Return the reporter's own key to a report, for addresses.

        Whoever only reads the database knows the reference, and cannot make the key.
        """
        return reference + self._mac("report", reference)

    def open_token(self, token: str) -> str | None:
        """Return the reference of a reporter's key, None for a wrong one."""
        match = _TOKEN.fullmatch(token)
        if match is None or not hmac.compare_digest(match[2], self._mac("report", match[1])):
            return None
        return match[1]

    def network(self, address: str) -> str:
        """Return the key of the network that an address stands in: /24 of IPv4, /48 of IPv6 (one site)."""
        return self._mac("network", network_of(address))

    def device(self, cookie: str) -> str:
        """Return the key of a device that kept our cookie; "" without one."""
        return self._mac("device", cookie) if cookie else ""

    def words(self, text: str) -> str:
        """Return the key of a text: the same for the same words, however they are spaced or written wide."""
        return self._mac("words", re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).casefold())

    def contact(self, address: str) -> str:
        """Return the key of a mail address; "" without one."""
        return self._mac("contact", address.casefold()) if address else ""

    def _mac(self, purpose: str, text: str) -> str:
        digest = hmac.digest(self.secret.encode(), f"{purpose}:{text}".encode(), "sha256")
        return urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def network_of(address: str) -> str:
    """Return the network that stands for a sender.

    Examples
    --------
    >>> network_of("203.0.113.77"), network_of("2001:db8:1:2::3"), network_of("::ffff:203.0.113.77")
    ('203.0.113.0/24', '2001:db8:1::/48', '203.0.113.0/24')
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:  # a server on a UNIX socket names none: then all of them are one
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return str(ipaddress.ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False))


def has_proof(form: str, proof: str, bits: int) -> bool:
    """Whether SHA-256 of `<form>:<proof>` begins with so many zero bits; found by trying, checked by one hash.

    A person's machine does it while the form is read; who sends thousands of them pays for each.
    """
    if not re.fullmatch(r"[0-9]{1,12}", proof):
        return False
    digest = hashlib.sha256(f"{form}:{proof}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - bits) == 0
