"""One SMTP connection, as lean as sending a warning to a whole town needs it (RFC 5321).

The three commands of a message leave in one packet where the server offers PIPELINING (RFC 2920). A connection knows
exactly whether the content was handed over, which is what decides between "try again" and "may arrive twice".
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections import deque
from dataclasses import dataclass
from time import monotonic
from typing import Literal, cast

from gis.relay import Relay

_MOST_REPLY_BYTES = 64_000


@dataclass(frozen=True)
class Timeouts:
    """Patience in seconds.

    Attributes
    ----------
    connect, command : shorter than RFC 5321 section 4.5.3.2 asks: another relay may be quicker, and nothing is lost.
    content : as there, ten minutes: who hangs up earlier makes doubles.
    """

    connect: float = 20
    command: float = 60
    content: float = 600


TIMEOUTS = Timeouts()


class SmtpLost(Exception):
    """The connection is gone; `in_doubt` when the content was handed over and no answer came."""

    def __init__(self, words: str, in_doubt: bool = False) -> None:
        super().__init__(words)
        self.in_doubt = in_doubt


class SmtpRefused(Exception):
    """A reply that is no yes, and to what: the connection as a whole, the sender, the recipient or the content."""

    def __init__(self, code: int, words: str, stage: Literal["connection", "sender", "recipient", "content"]) -> None:
        super().__init__(f"{code} {words}")
        self.code = code
        self.stage = stage


class SmtpConnection(asyncio.Protocol):
    """A connection to a relay. Made by `connect`; not for several tasks at once."""

    def __init__(self, timeouts: Timeouts) -> None:
        self.handed_over = 0
        self._timeouts = timeouts
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._lines: list[str] = []
        self._reply_lines: list[str] = []
        self._replies: deque[tuple[int, str]] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._lost: str | None = None
        self._deadline: float | None = None
        self._extensions: dict[str, str] = {}
        self._is_open_transaction = False
        self._clock: asyncio.TimerHandle | None = None

    # asyncio.Protocol -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\n")) >= 0:
            line, self._buffer = self._buffer[:end].rstrip(b"\r"), self._buffer[end + 1 :]
            self._take_line(line)
        if len(self._buffer) > _MOST_REPLY_BYTES or len(self._lines) > 1000:
            self._break("the server's reply has no end")

    def connection_lost(self, error: Exception | None) -> None:
        self._break(str(error) if error else "the server hung up")

    def _take_line(self, line: bytes) -> None:
        if not line[:3].isdigit():
            self._break(f"this is no SMTP reply: {line[:80]!r}")
            return
        self._lines.append(line[4:].decode("utf-8", "replace"))
        if line[3:4] != b"-":
            self._replies.append((int(line[:3]), " ".join(" ".join(self._lines).split())))
            self._reply_lines, self._lines = self._lines, []
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)

    def _break(self, words: str) -> None:
        if self._lost is None:
            self._lost = words
        if self._clock:
            self._clock.cancel()
        if self._transport is not None:
            self._transport.abort()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _tick(self) -> None:
        # One timer a second for each connection: a timer per reply would cost as much as the reply.
        if self._deadline is not None and monotonic() > self._deadline:
            self._break("the server did not answer in time")
        elif self._lost is None:
            self._clock = asyncio.get_running_loop().call_later(min(1.0, self._timeouts.command / 4), self._tick)

    # commands ---------------------------------------------------------------------------------------------------

    async def greet(self, relay: Relay, name: str, context: ssl.SSLContext | None) -> None:
        """Say hello, secure the connection and log in, as the relay asks for.

        Raises
        ------
        SmtpRefused, SmtpLost, ssl.SSLError, OSError
        """
        self._tick()
        self._expect(await self._reply(self._timeouts.connect), 220)
        await self._hello(name)
        if relay.tls == "starttls":
            if "STARTTLS" not in self._extensions:
                raise SmtpRefused(502, "the server offers no STARTTLS", "connection")
            self._expect(await self._command("STARTTLS"), 220)
            if self._buffer or self._replies:
                raise SmtpLost("plain text came after STARTTLS; somebody is in between")
            transport = await asyncio.get_running_loop().start_tls(
                self._open(),
                self,
                cast("ssl.SSLContext", context),
                server_hostname=relay.host,
                ssl_handshake_timeout=self._timeouts.connect,
            )
            self._transport = cast("asyncio.Transport", transport)
            await self._hello(name)
        if relay.user:
            await self._log_in(relay)

    async def hand_over(self, sender: str, recipient: str, content: bytes) -> str:
        """Send one message (CRLF line ends) to one recipient; return the server's answer.

        Raises
        ------
        SmtpRefused : a refusal; the connection stays usable unless the code is 421.
        SmtpLost : the connection broke.
        """
        self.handed_over += 1
        if b"\r\n." in content or content.startswith(b"."):
            content = (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:]
        await self._envelope(sender, recipient)
        self._write(content + (b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n"))
        code, words = await self._reply(self._timeouts.content, in_doubt=True)
        self._is_open_transaction = False
        if not 200 <= code < 300:
            raise SmtpRefused(code, words, "content")
        return f"{code} {words}"

    async def quit(self) -> None:
        """Take leave without waiting for the answer."""
        if self._lost is None:
            self._write(b"QUIT\r\n")
            self._open().close()
        if self._clock:
            self._clock.cancel()

    def drop(self) -> None:
        """Hang up at once."""
        self._break("dropped")

    async def _envelope(self, sender: str, recipient: str) -> None:
        commands = [f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "DATA"]
        if self._is_open_transaction:
            commands.insert(0, "RSET")
        self._is_open_transaction = True
        refused: SmtpRefused | None = None
        if "PIPELINING" in self._extensions:
            self._write("".join(f"{command}\r\n" for command in commands).encode("ascii"))
        for command in commands:
            if "PIPELINING" not in self._extensions:
                if refused:
                    break
                self._write(f"{command}\r\n".encode("ascii"))
            code, words = await self._reply(self._timeouts.command)
            if command == "DATA" and code == 354 and refused:
                # Some servers want content though nobody is to get it; a single dot ends it (RFC 2920, section 3.1).
                self._write(b".\r\n")
                await self._reply(self._timeouts.command)
            elif refused is None and code not in ((354,) if command == "DATA" else (250, 251)):
                stages: dict[str, Literal["sender", "recipient", "content"]] = {"R": "recipient", "D": "content"}
                stage = "sender" if command == "RSET" else stages.get(command[0], "sender")
                refused = SmtpRefused(code, words, stage)
            if code == 421:
                break
        if refused:
            raise refused

    async def _hello(self, name: str) -> None:
        code, _ = await self._command(f"EHLO {name}")
        self._extensions = {}
        if code == 250:
            for line in self._reply_lines[1:]:
                keyword, _, rest = line.partition(" ")
                self._extensions[keyword.upper()] = rest.upper()
            return
        self._expect(await self._command(f"HELO {name}"), 250)

    async def _log_in(self, relay: Relay) -> None:
        offered = self._extensions.get("AUTH", "").split()
        if "PLAIN" in offered:
            secret = base64.b64encode(f"\0{relay.user}\0{relay.password}".encode()).decode()
            reply = await self._command(f"AUTH PLAIN {secret}")
        elif "LOGIN" in offered:
            self._expect(await self._command("AUTH LOGIN"), 334)
            self._expect(await self._command(base64.b64encode(relay.user.encode()).decode()), 334)
            reply = await self._command(base64.b64encode(relay.password.encode()).decode())
        else:
            raise SmtpRefused(504, "the server offers no login that we know (PLAIN, LOGIN)", "connection")
        self._expect(reply, 235)

    async def _command(self, line: str) -> tuple[int, str]:
        self._write(f"{line}\r\n".encode("ascii"))
        return await self._reply(self._timeouts.command)

    def _expect(self, reply: tuple[int, str], code: int) -> None:
        if reply[0] != code:
            raise SmtpRefused(*reply, "connection")

    def _open(self) -> asyncio.Transport:
        if self._lost is not None or self._transport is None:
            raise SmtpLost(self._lost or "not connected")
        return self._transport

    def _write(self, content: bytes) -> None:
        self._open().write(content)

    async def _reply(self, patience_s: float, in_doubt: bool = False) -> tuple[int, str]:
        self._deadline = monotonic() + patience_s
        try:
            while not self._replies:
                if self._lost is not None:
                    raise SmtpLost(self._lost, in_doubt)
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter
        finally:
            self._deadline = None
            self._waiter = None
        return self._replies.popleft()


async def connect(relay: Relay, name: str, timeouts: Timeouts | None = None) -> SmtpConnection:
    """Open a connection that is ready for messages.

    Parameters
    ----------
    name : how we introduce ourselves (EHLO).

    Raises
    ------
    SmtpRefused, SmtpLost : the server does not want us.
    OSError, ssl.SSLError : it cannot be reached, or its certificate is not valid for its name.
    """
    timeouts = timeouts or TIMEOUTS
    context = ssl.create_default_context(cafile=relay.ca or None) if relay.tls != "none" else None
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(timeouts.connect):
        is_tls = relay.tls == "tls"
        _, connection = await loop.create_connection(
            lambda: SmtpConnection(timeouts), relay.host, relay.port, ssl=context if is_tls else None
        )
    try:
        await connection.greet(relay, name, context)
    except BaseException:
        connection.drop()
        raise
    return connection
