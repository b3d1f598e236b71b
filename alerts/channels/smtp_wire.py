"""The wire of an SMTP connection: lines out, replies in (RFC 5321, section 4.2), with patience that ends."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import cast

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
    """The connection is gone.

    Attributes
    ----------
    in_doubt : the content was handed over and no answer came.
    was_early : the answer to an envelope did not come that had left together with the content before it.
    """

    def __init__(self, words: str, in_doubt: bool = False, was_early: bool = False) -> None:
        super().__init__(words)
        self.in_doubt = in_doubt
        self.was_early = was_early


class SmtpWire(asyncio.Protocol):
    """What goes over one connection. Not for several tasks at once."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._lines: list[str] = []
        self._reply_lines: list[str] = []
        self._replies: deque[tuple[int, str]] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._lost: str | None = None
        self._deadline: float | None = None
        self._clock: asyncio.TimerHandle | None = None

    def drop(self) -> None:
        """Hang up at once; a content without its closing dot is no message (RFC 5321, section 4.1.1.4)."""
        self._break("dropped")

    # asyncio.Protocol -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._take_line(line)
        if self._replies and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        if len(self._buffer) > _MOST_REPLY_BYTES or len(self._lines) > 1000:
            self._break("the server's reply has no end")

    def connection_lost(self, error: Exception | None) -> None:
        self._break(str(error) if error else "the server hung up")

    def _take_line(self, line: bytes) -> None:
        read = _read_line(line)
        if read is None:
            self._break(f"this is no SMTP reply: {line[:80].rstrip()!r}")
            return
        code, is_last, words = read
        self._lines.append(words)
        if is_last:
            self._replies.append((code, " ".join(filter(None, self._lines))))
            self._reply_lines, self._lines = self._lines, []

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

    # for who speaks -----------------------------------------------------------------------------------------------

    def _open(self) -> asyncio.Transport:
        if self._lost is not None or self._transport is None:
            raise SmtpLost(self._lost or "not connected")
        return self._transport

    def _write(self, content: bytes) -> None:
        self._open().write(content)

    async def _reply(self, patience_s: float, in_doubt: bool = False) -> tuple[int, str]:
        if self._replies:
            return self._replies.popleft()
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


@lru_cache(256)
def _read_line(line: bytes) -> tuple[int, bool, str] | None:
    """Return a reply line's code, whether it ends the reply, and its words; None when it is none.

    Kept, because a server says the same three or four lines around every message.
    """
    if not line[:3].isdigit():
        return None
    # Words go into the record, whatever they are; PostgreSQL takes any character but NUL.
    words = line[4:].decode("utf-8", "replace").replace("\0", "")
    return int(line[:3]), line[3:4] != b"-", " ".join(words.split())
