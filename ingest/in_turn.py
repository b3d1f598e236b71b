"""Let the server work on one part while the next is made ready: a thread for the one connection of a transaction."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

# Whoever waits for the server asks for the interpreter again this soon after its answer, seconds; Python's own 5 ms
# leave the server without work for a tenth of the time.
_SWITCH_S = 0.000_5


class InTurn:
    """Pieces of work on one connection, each done in a thread when the one before is done.

    Whoever wants to use the connection beside them calls `settle` first. Leaving the block waits for the last one, so
    that a transaction is never ended under it; what went wrong in a piece is raised by the next call, or on leaving.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._under_way: Future[None] | None = None

    def __enter__(self) -> InTurn:
        self._switch_s = sys.getswitchinterval()
        sys.setswitchinterval(min(self._switch_s, _SWITCH_S))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()
        sys.setswitchinterval(self._switch_s)
        if error is None:
            self.settle()

    def hand_over(self, work: Callable[[], None]) -> None:
        """Begin a piece of work, after the one before it."""
        self.settle()
        self._under_way = self._pool.submit(work)

    def settle(self) -> None:
        """Wait until nothing is under way."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()
