"""How often a source is asked, and from when on its silence is a fault."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """The rhythm of one source.

    Attributes
    ----------
    every_s : seconds between two runs. at_s : of them, how many after the full period (20 = 20 s past every minute).
    jitter_s : up to so many seconds later, by chance, so that not all towns ask at once.
    silent_after_s : nothing new for so long is an alarm to staff; None: the source may be silent for ever.
    """

    every_s: int
    at_s: int = 0
    jitter_s: int = 0
    silent_after_s: int | None = None

    def __str__(self) -> str:
        if self.every_s == 60:
            return f"{self.at_s} s past every minute"
        return f"every {self.every_s} s"
