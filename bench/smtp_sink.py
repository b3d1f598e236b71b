"""An SMTP server that accepts everything and keeps nothing: `python -m bench.smtp_sink` prints its port.

Answers without parsing addresses, so that it is not what a benchmark measures; a line is read per command, and
a message is counted at its closing dot. Postfix's `smtp-sink` does the same job where it is installed.
"""

from __future__ import annotations

import asyncio
import sys

_REPLIES = {b"MAIL": b"250 OK\r\n", b"RCPT": b"250 OK\r\n", b"RSET": b"250 OK\r\n", b"NOOP": b"250 OK\r\n"}


class Sink(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = b""
        self._is_content = False
        transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._take_one():
            pass

    def _take_one(self) -> bool:
        end = b"\r\n.\r\n" if self._is_content else b"\r\n"
        head, found, rest = self._buffer.partition(end)
        if not found:
            return False
        self._buffer = rest
        if self._is_content:
            self._is_content = False
            self._transport.write(b"250 queued\r\n")
            return True
        verb = head[:4].upper()
        if verb == b"DATA":
            self._is_content = True
            self._transport.write(b"354 go on\r\n")
        elif verb == b"QUIT":
            self._transport.write(b"221 bye\r\n")
            self._transport.close()
            return False
        else:
            self._transport.write(_REPLIES.get(verb, b"250 sink\r\n"))
        return True


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1])
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
