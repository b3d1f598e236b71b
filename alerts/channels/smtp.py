"""One SMTP connection, as lean as sending a warning to a whole town needs it (RFC 5321).

The three commands of a message leave in one packet where the server offers PIPELINING (RFC 2920), and in the one that
ends the message before, which section 3.1 allows: so a message costs one packet out and one in. An envelope says
nothing yet; its content follows when the caller hands it over. A connection knows exactly whether the content was
handed over, which is what decides between "try again" and "may arrive twice".
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from typing import Literal, NamedTuple, cast

from alerts.channels.smtp_wire import TIMEOUTS, SmtpLost, SmtpWire, Timeouts
from gis.relay import Relay

_Stage = Literal["connection", "sender", "recipient", "content"]
# What MAIL, RCPT and DATA are about, and the replies that mean yes.
_STAGES: tuple[tuple[_Stage, tuple[int, ...]], ...] = (
    ("sender", (250, 251)),
    ("recipient", (250, 251)),
    ("content", (354,)),
)


class Envelope(NamedTuple):
    """From whom and to whom, as RFC 5321 writes paths, without the brackets."""

    sender: str
    recipient: str


class SmtpRefused(Exception):
    """A reply that is no yes, and to what: the connection as a whole, the sender, the recipient or the content."""

    def __init__(self, code: int, words: str, stage: _Stage) -> None:
        super().__init__(f"{code} {words}")
        self.code = code
        self.stage = stage


class SmtpConnection(SmtpWire):
    """A connection to a relay. Made by `connect`; not for several tasks at once."""

    def __init__(self, timeouts: Timeouts) -> None:
        super().__init__(timeouts)
        self.handed_over = 0
        self._extensions: dict[str, str] = {}
        self._announced: Envelope | None = None
        self._is_open_transaction = False

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

    def is_ready_for(self, envelope: Envelope) -> bool:
        """Return whether a message can go out: no other one was announced."""
        return self._announced in (None, envelope)

    async def hand_over(self, envelope: Envelope, content: bytes, upcoming: Envelope | None = None) -> str:
        """Send one message (CRLF line ends) to one recipient; return the server's answer.

        Parameters
        ----------
        upcoming : the envelope of the message after this one, which may leave already; handing over another message
            than that one ends the connection.

        Raises
        ------
        SmtpRefused : a refusal; the connection stays usable unless the code is 421.
        SmtpLost : the connection broke.
        """
        self.handed_over += 1
        # Looked for up to the last dot: bodies in base64 have none.
        if content.find(b"\r\n.", 0, content.rfind(b".") + 1) >= 0 or content.startswith(b"."):
            content = (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:]
        await self._open_envelope(envelope)
        ending = b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n"
        if upcoming and self._may_pipeline():
            self._announced = upcoming
            ending += _commands(upcoming)
        self._write(content + ending)
        code, words = await self._reply(self._timeouts.content, in_doubt=True)
        self._is_open_transaction = False
        if not 200 <= code < 300:
            raise SmtpRefused(code, words, "content")
        return f"{code} {words}"

    async def quit(self) -> None:
        """Take leave without waiting for the answer."""
        if self._announced:
            self.drop()  # what we said now would be content
        elif self._lost is None:
            self._write(b"QUIT\r\n")
            self._open().close()
        if self._clock:
            self._clock.cancel()

    def _may_pipeline(self) -> bool:
        return "PIPELINING" in self._extensions

    async def _open_envelope(self, envelope: Envelope) -> None:
        """Make the server wait for the content. Raises SmtpRefused or SmtpLost."""
        announced, self._announced = self._announced, None
        if announced and announced != envelope:
            self.drop()
            raise SmtpLost("the message that was announced does not go out")
        if not announced and self._is_open_transaction:
            self._expect(await self._command("RSET"), 250)
        self._is_open_transaction = True
        if not self._may_pipeline():
            await self._open_step_by_step(envelope)
            return
        if not announced:
            self._write(_commands(envelope))
        try:
            await self._read_envelope()
        except SmtpLost as error:
            raise SmtpLost(str(error), was_early=announced is not None) from error

    async def _read_envelope(self) -> None:
        refused: SmtpRefused | None = None
        for stage, accepted in _STAGES:
            code, words = await self._reply(self._timeouts.command)
            if stage == "content" and code == 354 and refused:
                # Some servers want content though nobody is to get it; a single dot ends it (RFC 2920, section 3.1).
                self._write(b".\r\n")
                await self._reply(self._timeouts.command)
            elif refused is None and code not in accepted:
                refused = SmtpRefused(code, words, stage)
            if code == 421:
                break
        if refused:
            raise refused

    async def _open_step_by_step(self, envelope: Envelope) -> None:
        for command, (stage, accepted) in zip(_commands(envelope).splitlines(keepends=True), _STAGES, strict=True):
            self._write(command)
            code, words = await self._reply(self._timeouts.command)
            if code not in accepted:
                raise SmtpRefused(code, words, stage)

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


def _commands(envelope: Envelope) -> bytes:
    return f"MAIL FROM:<{envelope.sender}>\r\nRCPT TO:<{envelope.recipient}>\r\nDATA\r\n".encode("ascii")


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
