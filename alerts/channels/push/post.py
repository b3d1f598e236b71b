"""One HTTPS request to an address that a stranger gave us: to the public network only, and nowhere else afterwards.

A subscription's endpoint comes from a browser, so it could name a machine of the city hall. The name is resolved once,
every address must be a public one, and the connection goes to the address that was checked, with the certificate of
the name. Only port 443, no redirects, no proxy, an answer of a few kilobytes.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from alerts.channels import TransportError

_TIMEOUT_S = 15.0
_MOST_ANSWER = 4096
_MOST_WORDS = 200
_MOST_ENDPOINT = 2000


@dataclass(frozen=True)
class Network:
    """Which machines may be asked, and whose certificates count. Only tests have another than `PUBLIC`."""

    context: ssl.SSLContext
    is_public_only: bool = True

    def may_ask(self, address: str, port: int) -> bool:
        """Tell whether a request may go to an address."""
        return not self.is_public_only or (port == 443 and _is_public(address))


PUBLIC = Network(ssl.create_default_context())


@dataclass(frozen=True)
class Answer:
    """A push service's answer: status, its own words, and `Retry-After` in seconds if it gave one."""

    status: int
    words: str
    retry_after_s: float | None


def check_endpoint(endpoint: str) -> None:
    """Check an endpoint's form, before anybody is asked.

    Raises
    ------
    ValueError : no https address on port 443, with a login in it, an address in numbers, or too long.
    """
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    if len(endpoint) > _MOST_ENDPOINT or not endpoint.isascii() or any(letter <= " " for letter in endpoint):
        raise ValueError("the endpoint is too long or holds other letters than an address has")
    if parts.scheme != "https" or parts.port not in (None, 443) or parts.username is not None or parts.fragment:
        raise ValueError("the endpoint is no https address on port 443")
    if "." not in host or host.replace(".", "").isdigit() or ":" in host:
        raise ValueError("the endpoint does not name a host")


class Poster:
    """Posts to endpoints; a connection to a service is kept for the next message. For one thread at a time."""

    def __init__(self, network: Network | None = None) -> None:
        self._network = network or PUBLIC
        self._connections: dict[tuple[str, int], _Connection] = {}

    def post(self, endpoint: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post once; a kept connection that the service had closed meanwhile is opened anew.

        Raises
        ------
        TransportError : no connection, no answer (`maybe_delivered` when the request had left), or a forbidden address.
        """
        parts = urlsplit(endpoint)
        target = parts.hostname or "", parts.port or 443
        path = parts.path or "/"
        if parts.query:
            path += f"?{parts.query}"
        connection = self._connections.pop(target, None)
        if connection is not None:
            try:
                return self._ask(connection, target, path, headers, body)
            except (OSError, http.client.HTTPException):
                # Closed while idle, most likely. If not, the message shows once: its topic and tag are the same.
                connection.close()
        connection = _Connection(*target, self._network)
        try:
            connection.connect()
        except OSError as error:
            raise TransportError(f"no connection to {target[0]}: {_words(error)}") from error
        try:
            return self._ask(connection, target, path, headers, body)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise TransportError(f"no answer from {target[0]}: {_words(error)}", maybe_delivered=True) from error

    def close(self) -> None:
        """Close what is kept."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def _ask(
        self, connection: _Connection, target: tuple[str, int], path: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        connection.request("POST", path, body, dict(headers))
        reply = connection.getresponse()
        words = reply.read(_MOST_ANSWER)
        if reply.isclosed() and not reply.will_close:
            self._connections[target] = connection
        else:
            connection.close()  # more than we read, or the service wants it so
        line = " ".join(f"{reply.status} {reply.reason} {words.decode('utf-8', 'replace')}".split())[:_MOST_WORDS]
        line = line.replace("\0", "")  # no text of PostgreSQL's may hold it
        return Answer(reply.status, line, _seconds(reply.headers.get("Retry-After", "")))


class _Connection(http.client.HTTPSConnection):
    """Goes to the address that was checked, with the certificate of the name."""

    def __init__(self, host: str, port: int, network: Network) -> None:
        super().__init__(host, port, timeout=_TIMEOUT_S, context=network.context)
        self._network = network

    def connect(self) -> None:
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        if not addresses or not all(self._network.may_ask(address, self.port) for address in addresses):
            raise OSError(f"{self.host} lies in a network that push services do not lie in")
        plain, failure = None, OSError("no address")
        for address in addresses:
            try:
                plain = socket.create_connection((address, self.port), _TIMEOUT_S)
                break
            except OSError as error:
                failure = error
        if plain is None:
            raise failure
        try:
            self.sock = self._network.context.wrap_socket(plain, server_hostname=self.host)
        except OSError:
            plain.close()
            raise


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address) and (found.sixtofour or found.teredo or found in _TRANSLATED):
        return False  # carries an IPv4 address inside
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    found = mapped or found
    return found.is_global and not found.is_multicast


# NAT64 (RFC 6052): the last 32 bits are an IPv4 address, also a private one.
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


def _seconds(words: str) -> float | None:
    return float(words) if words.isdigit() and len(words) < 7 else None


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:_MOST_WORDS]
