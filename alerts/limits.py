"""How fast mail may go to which domains, and when an address is given up: `data/mail_limits.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from gis.errors import UsageError
from gis.settings import DATA_DIR


@dataclass(frozen=True)
class Pace:
    """The limit of a group of mail domains, over all workers together.

    Attributes
    ----------
    connections : messages on their way at the same time.
    per_second : messages a second, on average.
    """

    name: str
    domains: tuple[str, ...]
    connections: int
    per_second: float


@dataclass(frozen=True)
class Limits:
    """All limits.

    Attributes
    ----------
    hard_refusals : so many alerts in a row that an address refuses for good suspend it.
    """

    paces: tuple[Pace, ...]
    hard_refusals: int

    @property
    def pace_of(self) -> dict[str, str]:
        """Every paced domain and the name of its limit."""
        return {domain: pace.name for pace in self.paces for domain in pace.domains}


@cache
def load_limits() -> Limits:
    """Read the installation's limits.

    Raises
    ------
    UsageError : a limit is not positive, or a domain is named twice.
    """
    path = DATA_DIR / "mail_limits.toml"
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    paces = tuple(
        Pace(row["name"], tuple(domain.lower() for domain in row["domains"]), row["connections"], row["per_second"])
        for row in content["pace"]
    )
    limits = Limits(paces, content["suspend"]["hard_refusals"])
    if len(limits.pace_of) != sum(len(pace.domains) for pace in paces):
        raise UsageError("data/mail_limits.toml names a domain twice.", "Leave it in one [[pace]] only.")
    if any(pace.connections < 1 or pace.per_second <= 0 for pace in paces) or limits.hard_refusals < 1:
        raise UsageError("data/mail_limits.toml has a limit that lets nothing through.", "Write positive numbers.")
    return limits
