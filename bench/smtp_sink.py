"""An SMTP server that accepts everything and keeps nothing: `python -m bench.smtp_sink` prints its port.

Answers without parsing addresses, straight on the sockets, so that it is not what a benchmark measures; a line is read
per command, and a message ends with its closing dot. Postfix's `smtp-sink` does the same job where it is installed.
"""

from __future__ import annotations

import selectors
import socket

_BYE = b"221 bye\r\n"
_EHLO = b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
_REPLIES = {b"EHLO": _EHLO, b"DATA": b"354 go on\r\n", b"QUIT": _BYE}
_MOST_BYTES = 1 << 18


class Client:
    """One connection."""

    def __init__(self, peer: socket.socket) -> None:
        self._peer = peer
        self._buffer = b""
        self._is_content = False
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.sendall(b"220 sink ESMTP\r\n")

    def read(self) -> bool:
        """Answer what came, all that came in one packet with one, as a real server does; return whether it goes on."""
        try:
            data = self._peer.recv(_MOST_BYTES)
            if not data:
                return False
            self._buffer += data
            replies = self._take()
            # A few replies of a few bytes: a socket's buffer always has room for them.
            self._peer.sendall(b"".join(replies))
        except ConnectionError:
            return False
        return _BYE not in replies

    def _take(self) -> list[bytes]:
        replies: list[bytes] = []
        buffer, at = self._buffer, 0
        while True:
            end = buffer.find(b"\r\n.\r\n" if self._is_content else b"\r\n", at)
            if end < 0:
                break
            if self._is_content:
                self._is_content, at = False, end + 5
                replies.append(b"250 queued\r\n")
                continue
            verb, at = buffer[at : at + 4].upper(), end + 2
            self._is_content = verb == b"DATA"
            replies.append(_REPLIES.get(verb, b"250 sink\r\n"))
        self._buffer = buffer[at:]
        return replies


def main() -> None:
    server = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(server.getsockname()[1], flush=True)
    waiting = selectors.DefaultSelector()
    waiting.register(server, selectors.EVENT_READ)
    while True:
        for key, _ in waiting.select():
            if key.data is None:
                peer, _ = server.accept()
                waiting.register(peer, selectors.EVENT_READ, Client(peer))
            elif not key.data.read():
                waiting.unregister(key.fileobj)
                key.fileobj.close()  # type: ignore[union-attr]


if __name__ == "__main__":
    main()
