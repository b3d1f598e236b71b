"""The SMTP relay that mails leave through: one given by URL, or the local mailbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

from gis.errors import UsageError
from gis.settings import Settings


@dataclass(frozen=True)
class Relay:
    """Where to hand a mail over.

    Attributes
    ----------
    tls : "none", "starttls" (RFC 3207) or "tls" (implicit, RFC 8314).
    """

    host: str
    port: int
    user: str = ""
    password: str = ""
    tls: Literal["none", "starttls", "tls"] = "none"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def relay(settings: Settings) -> Relay:
    """Return the relay of this installation.

    Raises
    ------
    UsageError : the URL is none of `smtp://`, `smtp+starttls://`, `smtps://`;
        or there is no URL and the local mailbox does not run.
    """
    if settings.smtp_url:
        return parse_relay(settings.smtp_url)
    port_file = settings.var_dir / "run" / "mailbox.port"
    if not port_file.exists():
        raise UsageError("The local mailbox does not run.", "Start it with ./machimori up, or set MACHIMORI_SMTP_URL.")
    return Relay("127.0.0.1", int(port_file.read_text()))


def parse_relay(url: str) -> Relay:
    """Read `smtp[s]|smtp+starttls://[user:password@]host[:port]`."""
    parts = urlsplit(url)
    schemes: dict[str, tuple[Literal["none", "starttls", "tls"], int]] = {
        "smtp": ("none", 25),
        "smtp+starttls": ("starttls", 587),
        "smtps": ("tls", 465),
    }
    if parts.scheme not in schemes or not parts.hostname:
        raise UsageError(
            f"The relay {url!r} is not understood.",
            "Write smtp://host:port, smtp+starttls://user:password@host:587 or smtps://user:password@host:465.",
        )
    tls, default_port = schemes[parts.scheme]
    return Relay(
        parts.hostname, parts.port or default_port, unquote(parts.username or ""), unquote(parts.password or ""), tls
    )
