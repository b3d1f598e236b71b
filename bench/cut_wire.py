"""A wire to the database that can be cut without a word: bytes stop, connections stay, as behind a dead switch."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType

_PIECE = 65536


class CutWire:
    """Listens like PostgreSQL in a folder of its own and passes everything on, until it is cut.

    Parameters
    ----------
    folder : where to listen; a client names it as its host.
    target : the socket of the real server, `…/.s.PGSQL.5432`.
    """

    def __init__(self, folder: Path, target: Path) -> None:
        self._whole = threading.Event()
        self._whole.set()
        self._target = target
        self._sockets: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / target.name))
        self._listener.listen(50)

    def __enter__(self) -> CutWire:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._whole.set()
        for opened in [self._listener, *self._sockets]:
            with suppress(OSError):  # closed by its other end already
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()

    def cut(self) -> None:
        """Pass nothing on any more."""
        self._whole.clear()

    def mend(self) -> None:
        """Pass on what waited, and all that follows."""
        self._whole.set()

    def _serve(self) -> None:
        with suppress(OSError):  # the listener was closed: the play is over
            while True:
                near, _ = self._listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(str(self._target))
                self._sockets += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):  # either end is gone
            while piece := one.recv(_PIECE):
                self._whole.wait()
                other.sendall(piece)
            other.shutdown(socket.SHUT_WR)
