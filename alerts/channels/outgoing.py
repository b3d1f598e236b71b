"""What a channel is: a way to people, a way to other systems, or a document that others fetch.

A channel is a module or package in this folder with the name `CHANNEL`; it is found, not listed (docs/channels.md).
Mail is the first one and always there: a person's message exists as a mail, other channels to people repeat it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

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
    """A way to people beside mail: through the same outbox, so it may be cancelled, expire and be refused as mails.

    Attributes
    ----------
    name : in `alerts.delivery.channel`.
    titles : language → what people call it.
    freeze : writes the deliveries of an alert whose mails are written already, in the same transaction.
    has_due : whether anything of some alerts is due.
    open : opens what a sender needs.
    count : language → addresses among the subscribers that a query finds (its text, its values), before anything is
        sent. Role: `dept_disaster`, or its viewers.
    """

    name: str
    titles: Mapping[str, str]
    freeze: Callable[[Connection, int], int]
    has_due: Callable[[Connection, Sequence[int]], bool]
    open: Callable[[Database, Settings], AbstractContextManager[Outgoing]]
    count: Callable[[Connection, str, Mapping[str, object]], dict[str, int]]


@dataclass(frozen=True)
class Outlet:
    """A way to other systems, which are told of each message once.

    Attributes
    ----------
    name, titles : as a channel's.
    tell : tells what is to be told now and returns how many ended in each state; called every few seconds, by any
        worker, so it must bear to run twice at once.
    count : how many systems an alert would be told to if it went out now.
    """

    name: str
    titles: Mapping[str, str]
    tell: Callable[[Database, Settings], Counter[str]]
    count: Callable[[Connection, int], int]


@dataclass(frozen=True)
class Publication:
    """A document of every public message, which others fetch; the Atom feed links it.

    Attributes
    ----------
    name, titles : as a channel's.
    suffix : of its address, behind `/alerts/<number>`.
    content_type : its media type.
    render : alert id → the document. Role: `citizen`.
    """

    name: str
    titles: Mapping[str, str]
    suffix: str
    content_type: str
    render: Callable[[Connection, int, Settings], bytes]


@cache
def _found() -> tuple[Any, ...]:
    modules = [
        importlib.import_module(f"{alerts.channels.__name__}.{found.name}")
        for found in pkgutil.iter_modules(alerts.channels.__path__)
    ]
    found = [module.CHANNEL for module in modules if hasattr(module, "CHANNEL")]
    return tuple(sorted(found, key=lambda channel: channel.name))


def channels() -> tuple[Channel, ...]:
    """Return the ways to people beside mail, by name."""
    return tuple(found for found in _found() if isinstance(found, Channel))


def outlets() -> tuple[Outlet, ...]:
    """Return the ways to other systems, by name."""
    return tuple(found for found in _found() if isinstance(found, Outlet))


def publications() -> tuple[Publication, ...]:
    """Return the documents of each message, by name."""
    return tuple(found for found in _found() if isinstance(found, Publication))


def titles(name: str) -> Mapping[str, str]:
    """Return what people call a channel, per language; nothing for mail and for one that is no more."""
    return next((found.titles for found in _found() if found.name == name), {})
