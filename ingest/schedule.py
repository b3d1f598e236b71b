"""How often a source is asked, how long after failures, and from when on its silence is a fault."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# So many failures in a row open the circuit: only trials at the longest wait, until one succeeds.
CIRCUIT_FAILURES = 5
_FIRST_WAIT_S = 60
_JST_S = 9 * 3600
_UNITS = {3600: "hours", 60: "minutes", 1: "seconds"}


@dataclass(frozen=True)
class Schedule:
    """The rhythm of one source.

    Attributes
    ----------
    every_s : seconds between two runs. at_s : of them, how many after the full period (20 = 20 s past every minute).
    jitter_s : up to so many seconds later, by chance, so that not all towns ask at once.
    silent_after_s : nothing new for so long is an alarm to staff; None: the source may be silent for ever.
    time_limit_s : a run that takes longer is ended.
    longest_wait_s : between two runs after failures; less for what the town cannot be without.
    """

    every_s: int
    at_s: int = 0
    jitter_s: int = 0
    silent_after_s: int | None = None
    time_limit_s: int = 300
    longest_wait_s: int = 3600

    @property
    def rhythm(self) -> tuple[str, dict[str, str]]:
        """The rhythm as a word and what it needs: `daily` (time of the day in Japan), `hourly` (minute), `every_minute`
        (second), or `hours`, `minutes`, `seconds` (number)."""
        late_s = self.at_s % self.every_s
        if self.every_s == 86_400:
            past_s = (late_s + _JST_S) % 86_400
            return "daily", {"time": f"{past_s // 3600:02d}:{past_s % 3600 // 60:02d}"}
        if self.every_s == 3600:
            return "hourly", {"minute": str(late_s // 60)}
        if self.every_s == 60:
            return "every_minute", {"second": str(late_s)}
        unit_s = next(unit_s for unit_s in _UNITS if self.every_s % unit_s == 0)
        return _UNITS[unit_s], {"number": str(self.every_s // unit_s)}

    def next_after(self, moment: datetime) -> datetime:
        """Return when it runs next after a run that was due at `moment`, with a new jitter."""
        periods = math.floor((moment.timestamp() - self.at_s) / self.every_s) + 1
        planned = datetime.fromtimestamp(periods * self.every_s + self.at_s, UTC)
        return planned + timedelta(seconds=random.uniform(0, self.jitter_s))  # noqa: S311 - spreads load, guards nothing

    def wait_after(self, failures: int) -> timedelta:
        """Return how long to wait after so many failures in a row: twice as long each time, up to the longest wait."""
        if failures >= CIRCUIT_FAILURES:
            return timedelta(seconds=self.longest_wait_s)
        wait_s = min(self.every_s, _FIRST_WAIT_S) * 2 ** (failures - 1)
        return timedelta(seconds=min(wait_s, self.longest_wait_s))
