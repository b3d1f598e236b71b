"""What a channel of the outbox is: who gets its messages beside the mails, how they look, and connections to hand over.

A channel is a module or package in this folder with the name `CHANNEL`; it is found, not listed. Mail is the first
one and always there: a person's message exists as a mail, other channels repeat it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection

import alerts.channels
from gis.database import Database
from gis.settings import Settings

if TYPE_CHECKING:
    from alerts.channels import TransportError
    from alerts.outbox import Claimed
    from alerts.refusals import Refusal


class Forms(Protocol):
    """The form that messages have on a channel."""

    def prepare(self, batch: Iterable[Claimed]) -> None:
        """Read what a batch of claimed deliveries needs."""

    def render(self, claimed: Claimed) -> bytes:
        """Return the message of one delivery. Raises ValueError when it cannot be made."""


class Line(Protocol):
    """One connection, used by one task."""

    @property
    def relay(self) -> object:
        """Who takes the messages, for the record; its `str()` counts."""

    def announce(self, claimed: Claimed | None) -> None:
        """Say which message probably follows the next one; a line may get ready for it, or do nothing."""

    async def notify(self, claimed: Claimed, message: bytes) -> str:
        """Hand one message over and return the other side's words. Raises TransportError."""

    def understand(self, error: TransportError) -> Refusal:
        """Say what a refusal means."""

    async def close(self) -> None:
        """End the connection."""


@dataclass(frozen=True)
class Outgoing:
    """What a sender works with: the forms, and a line for each of its connections."""

    forms: Forms
    lines: Sequence[Line]


@dataclass(frozen=True)
class Channel:
    """A way beside mail.

    Attributes
    ----------
    name : in `alerts.delivery.channel`.
    freeze : writes the deliveries of an alert whose mails are written already, in the same transaction.
    has_due : whether anything of some alerts is due.
    open : opens what a sender needs.
    """

    name: str
    freeze: Callable[[Connection, int], int]
    has_due: Callable[[Connection, Sequence[int]], bool]
    open: Callable[[Database, Settings], AbstractContextManager[Outgoing]]


@cache
def channels() -> tuple[Channel, ...]:
    """Return the channels beside mail that lie in this folder, by name."""
    modules = [
        importlib.import_module(f"{alerts.channels.__name__}.{found.name}")
        for found in pkgutil.iter_modules(alerts.channels.__path__)
    ]
    found = [module.CHANNEL for module in modules if hasattr(module, "CHANNEL")]
    return tuple(sorted(found, key=lambda channel: channel.name))
