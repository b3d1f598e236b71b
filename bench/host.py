"""How much processor time the host of a virtual machine gave to others while this machine wanted it."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

_STAT = Path("/proc/stat")


def _times() -> tuple[int, int]:
    """Return (ticks that some process of this machine wanted, those of them that the host took), all processors."""
    user, nice, system, _idle, _waiting, irq, soft_irq, steal = map(int, _STAT.read_text().split()[1:9])
    wanted = user + nice + system + irq + soft_irq + steal
    return wanted, steal


class Taken:
    """The time that a block lost to the host, from the kernel's count of it ("steal", proc_stat(5)).

    Attributes
    ----------
    share : what the host took of the processor time that this whole machine wanted, 0 to 1; set when the block ends.
        0 on a machine of its own.
    """

    share = 0.0

    def __enter__(self) -> Self:
        self._begun = _times()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        wanted, steal = (now - then for now, then in zip(_times(), self._begun, strict=True))
        self.share = steal / wanted if wanted else 0.0
