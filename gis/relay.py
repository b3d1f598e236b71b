"""The SMTP relays that mails leave through: those given by URL, in order of preference, or the local mailbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from gis.errors import UsageError
from gis.settings import Settings

DEFAULT_CONNECTIONS = 32
_OPTIONS = {"connections", "ca"}


@dataclass(frozen=True)
class Relay:
    """Where to hand a mail over.

    Attributes
    ----------
    tls : "none", "starttls" (RFC 3207) or "tls" (implicit, RFC 8314).
    connections : at most so many at a time from one sender; also the bound of what may arrive twice after a crash.
    ca : PEM file of the authority that signed the relay's certificate; "" = the system's.
    """

    host: str
    port: int
    user: str = ""
    password: str = ""
    tls: Literal["none", "starttls", "tls"] = "none"
    connections: int = DEFAULT_CONNECTIONS
    ca: str = ""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def relays(settings: Settings) -> list[Relay]:
    """Return the relays of this installation, the preferred one first.

    Raises
    ------
    UsageError : a URL is not understood; or there is none and the local mailbox does not run.
    """
    if settings.smtp_url:
        return [parse_relay(url) for url in settings.smtp_url.replace(",", " ").split()]
    port_file = settings.var_dir / "run" / "mailbox.port"
    if not port_file.exists():
        raise UsageError("The local mailbox does not run.", "Start it with ./machimori up, or set MACHIMORI_SMTP_URL.")
    return [Relay("127.0.0.1", int(port_file.read_text()))]


def relay(settings: Settings) -> Relay:
    """Return the preferred relay of this installation; raises as `relays` does."""
    return relays(settings)[0]


def parse_relay(url: str) -> Relay:
    """Read `smtp[s]|smtp+starttls://[user:password@]host[:port][?connections=N&ca=FILE]`."""
    parts = urlsplit(url)
    schemes: dict[str, tuple[Literal["none", "starttls", "tls"], int]] = {
        "smtp": ("none", 25),
        "smtp+starttls": ("starttls", 587),
        "smtps": ("tls", 465),
    }
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    connections = options.get("connections", str(DEFAULT_CONNECTIONS))
    is_known = parts.scheme in schemes and parts.hostname and options.keys() <= _OPTIONS
    if not is_known or not connections.isdigit() or not 1 <= int(connections) <= 200:
        raise UsageError(
            f"The relay {_without_password(url)!r} is not understood.",
            "Write smtp://host:port, smtp+starttls://user:password@host:587 or smtps://user:password@host:465,"
            " each with ?connections=1…200 or ?ca=FILE if need be; several in order, separated by blanks.",
        )
    tls, default_port = schemes[parts.scheme]
    return Relay(
        parts.hostname or "",
        parts.port or default_port,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        tls,
        int(connections),
        options.get("ca", ""),
    )


def _without_password(url: str) -> str:
    head, found, rest = url.rpartition("@")
    return f"{head.partition('://')[0]}://…@{rest}" if found else url
