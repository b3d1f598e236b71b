"""A real SMTP server (aiosmtpd) that answers as a test scripts it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

Script = Callable[[str, int], str | None]


class ScriptedServer:
    """Collects accepted messages; `at_rcpt` and `at_data` may answer otherwise.

    A script gets the address and how often it was asked about it (from 1), and returns a reply,
    None for the usual one, or `"drop"` to cut the connection after the message arrived.
    """

    def __init__(self) -> None:
        self.accepted: list[tuple[str, bytes]] = []
        self.senders: list[str] = []
        self.at_rcpt: Script = lambda address, times: None
        self.at_data: Script = lambda address, times: None
        self.connections = 0
        self._asked: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self._controller = Controller(self, hostname="127.0.0.1", port=0)

    @property
    def port(self) -> int:
        assert self._controller.server is not None
        return int(self._controller.server.sockets[0].getsockname()[1])

    def start(self) -> None:
        self._controller = _PortZeroController(self, hostname="127.0.0.1", port=0)
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    def addresses(self) -> list[str]:
        return sorted(address for address, _ in self.accepted)

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        with self._lock:
            self.connections += 1
        return responses

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self._reply("rcpt", self.at_rcpt, address)
        if reply is None:
            envelope.rcpt_tos.append(address)
        return reply or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        address = envelope.rcpt_tos[0]
        reply = self._reply("data", self.at_data, address)
        if reply in (None, "drop"):
            with self._lock:
                self.accepted.append((address, bytes(envelope.original_content or b"")))
                self.senders.append(envelope.mail_from or "")
        if reply == "drop":
            server.transport.abort()
            return "250 nobody hears this"
        return reply or "250 queued"

    def _reply(self, step: str, script: Script, address: str) -> str | None:
        with self._lock:
            self._asked[step, address] += 1
            return script(address, self._asked[step, address])


class _PortZeroController(Controller):
    """Lets the system choose the port: the self-test connection needs the real one."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
