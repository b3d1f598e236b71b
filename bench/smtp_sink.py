"""An SMTP server that accepts everything and keeps nothing: `python -m bench.smtp_sink` prints its port.

Answers without parsing addresses, so that it is not what a benchmark measures; a line is read per command, and
a message is counted at its closing dot. Postfix's `smtp-sink` does the same job where it is installed.
"""

from __future__ import annotations

import asyncio
import sys

_BYE = b"221 bye\r\n"
_EHLO = b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
_REPLIES = {b"EHLO": _EHLO, b"DATA": b"354 go on\r\n", b"QUIT": _BYE}


class Sink(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = b""
        self._is_content = False
        transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        replies: list[bytes] = []
        while self._take_one(replies):
            pass
        # One packet for all that came in one, as a real server answers a pipelining client.
        self._transport.write(b"".join(replies))
        if replies and replies[-1] == _BYE:
            self._transport.close()

    def _take_one(self, replies: list[bytes]) -> bool:
        end = b"\r\n.\r\n" if self._is_content else b"\r\n"
        head, found, rest = self._buffer.partition(end)
        if not found:
            return False
        self._buffer = rest
        if self._is_content:
            self._is_content = False
            replies.append(b"250 queued\r\n")
            return True
        verb = head[:4].upper()
        self._is_content = verb == b"DATA"
        replies.append(_REPLIES.get(verb, b"250 sink\r\n"))
        return verb != b"QUIT"


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1])
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
