"""Which relay to use: the preferred one that works; one that failed is asked last until its pause is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from time import monotonic

from sqlalchemy import Connection

from gis.queries import load_queries
from gis.relay import Relay

_QUERIES = load_queries(__file__)
_FIRST_PAUSE_S = 15.0
_LONGEST_PAUSE_S = 300.0


@dataclass
class Health:
    """How a relay does.

    Attributes
    ----------
    failures : in a row.
    asked_last_until : on `monotonic()`'s clock; 0 = its circuit is closed.
    is_told : whether the database knows this state.
    """

    failures: int = 0
    reason: str = ""
    asked_last_until: float = 0.0
    is_told: bool = True

    @property
    def pause_s(self) -> float:
        """Seconds until it is asked first again."""
        return max(0.0, self.asked_last_until - monotonic())


@dataclass
class RelayPool:
    """The relays of one sender and its connections to them.

    An open circuit only changes the order: when no relay is left, a warning is worth one more try with each.

    Attributes
    ----------
    one_by_one : relays that did not answer an envelope which came with the content before it; they get none early.
    """

    relays: Sequence[Relay]
    live: Counter[Relay] = field(default_factory=Counter)
    health: dict[Relay, Health] = field(default_factory=dict)
    one_by_one: set[Relay] = field(default_factory=set)

    def __post_init__(self) -> None:
        for relay in self.relays:
            self.health.setdefault(relay, Health())

    def candidates(self, avoid: Collection[Relay] = ()) -> list[Relay]:
        """Return the relays to try, best first, without those to avoid and those that have all their connections."""
        free = [relay for relay in self.relays if relay not in avoid and self.live[relay] < relay.connections]
        return sorted(free, key=lambda relay: self.health[relay].pause_s > 0)

    def failed(self, relay: Relay, reason: str) -> None:
        """Note that a fresh connection came to nothing; the circuit opens when no other one works."""
        health = self.health[relay]
        health.reason = reason
        if self.live[relay] == 0:
            health.failures += 1
            pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(health.failures - 1, 10))
            health.asked_last_until, health.is_told = monotonic() + pause_s, False

    def worked(self, relay: Relay) -> None:
        """Note that a message was accepted."""
        health = self.health[relay]
        if health.failures:
            health.failures, health.asked_last_until, health.is_told = 0, 0.0, False


def read_health(connection: Connection, pool: RelayPool) -> None:
    """Take over what other workers found out about the relays."""
    rows = {row.relay: row for row in connection.execute(_QUERIES["read_health"])}
    for relay, health in pool.health.items():
        row = rows.get(str(relay))
        if row and row.is_open:
            health.failures, health.reason = row.failures, row.reason
            health.asked_last_until = monotonic() + min(_LONGEST_PAUSE_S, row.pause_s)


def write_health(connection: Connection, pool: RelayPool) -> None:
    """Tell the others what changed."""
    for relay, health in pool.health.items():
        if not health.is_told:
            values = {
                "relay": str(relay),
                "is_open": health.failures > 0,
                "failures": health.failures,
                "reason": health.reason,
                "pause_s": health.pause_s,
            }
            connection.execute(_QUERIES["write_health"], values)
            health.is_told = True
