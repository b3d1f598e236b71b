"""Addresses that say which delivery an answer belongs to (VERP): `bounce+123.<mark>@city.example`.

The mark is a keyed hash, so nobody can make up a bounce or an unsubscription for somebody else.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import Literal

from alerts.headers import format_address
from gis.settings import Settings

_MARK_BYTES = 10
Purpose = Literal["b", "u"]  # a bounce, an unsubscription


@dataclass(frozen=True)
class ReturnAddresses:
    """Makes and reads the addresses of an installation.

    Attributes
    ----------
    address : where answers arrive; the mail server must deliver `local+anything@domain` there as well (RFC 5233).
    """

    address: str
    key: bytes

    def write(self, delivery_id: int, purpose: Purpose = "b") -> str:
        """Return the address of a delivery; the local part stays far under the 64 characters of RFC 5321."""
        local, _, domain = self.address.rpartition("@")
        return f"{local}+{purpose}{delivery_id}.{self._mark(delivery_id, purpose)}@{domain}"

    def read(self, text: str) -> tuple[int, Purpose] | None:
        """Return the first genuine delivery id in a text, and what the address was for; None when there is none.

        Capitals do not matter: some mail servers change them.
        """
        local, _, domain = (re.escape(part) for part in self.address.rpartition("@"))
        pattern = rf"{local}\+([bu])(\d{{1,18}})\.([0-9a-f]{{{2 * _MARK_BYTES}}})@{domain}"
        for purpose, number, mark in re.findall(pattern, text, re.IGNORECASE):
            found: Purpose = "u" if purpose.lower() == "u" else "b"
            if hmac.compare_digest(mark.lower(), self._mark(int(number), found)):
                return int(number), found
        return None

    def _mark(self, delivery_id: int, purpose: Purpose) -> str:
        return hmac.digest(self.key, f"{purpose}{delivery_id}".encode(), "sha256")[:_MARK_BYTES].hex()


def find_addresses(settings: Settings) -> ReturnAddresses | None:
    """Return the maker of the installation's addresses; None when it has no bounce address.

    Raises
    ------
    ValueError : the address is none.
    """
    if not settings.bounce_address:
        return None
    return ReturnAddresses(format_address(settings.bounce_address), settings.secret("bounce_key").encode())
