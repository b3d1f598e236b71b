"""Group commit: the connections of a sender share one statement, and each waits only for its own result.

The rule it keeps: nothing leaves on a connection before the result of the message before is durable there, and before
the database says that the next one may still go out. So a worker that dies leaves at most one message per connection
in doubt, and those are named in `alerts.sender.in_hand`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, Self

import psycopg
import structlog

from alerts.handover import Beat, Outcome, settle, withhold
from gis.database import SERVICE, Database

_log = structlog.get_logger(__name__)
# A sender that has not beaten for so long is dead: its messages go to others.
BEAT_S = 8.0
# A living one beats at least so often, also while it waits for a relay.
BEAT_EVERY_S = 2.0
# The database may be away for so long before the sender gives up; what it held goes back into the queue then.
PATIENCE_S = 120.0

_ONE_PLAN = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off"


@dataclass
class _Entry:
    outcome: Outcome | None
    next_id: int | None
    answer: asyncio.Future[str]


class Ledger:
    """The records of one sender, kept by a task with a database connection of its own.

    Attributes
    ----------
    thread_ids : the alerts of the thread being sent; a newer one that a person has holds the older one back.

    Parameters
    ----------
    lanes : connections that share it. A group takes half of them at most: while it is being written, the other half
        is at the relay, so neither waits for the other.
    """

    def __init__(self, database: Database, sender_id: int, thread_ids: Sequence[int], lanes: int) -> None:
        self.thread_ids = list(thread_ids)
        self._most = max(1, lanes // 2)
        self._database = database
        self._sender_id = sender_id
        self._waiting: list[_Entry] = []
        self._in_hand: set[int] = set()
        self._wake = asyncio.Event()
        self._held = AsyncExitStack()
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._settled_at = monotonic()
        self._keeper: asyncio.Task[None] | None = None
        self._is_over = False

    async def __aenter__(self) -> Self:
        self._keeper = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *error: object) -> None:
        self._is_over = True
        self._wake.set()
        if self._keeper:
            # What is being written is written to its end: it may be results.
            await asyncio.gather(self._keeper, return_exceptions=True)
        await self._drop()

    @property
    def settled_s_ago(self) -> float:
        """Seconds since the database last confirmed that this sender lives."""
        return monotonic() - self._settled_at

    async def settle(self, outcome: Outcome | None, next_id: int | None) -> str:
        """Record an outcome and return the verdict on the next message ("" = it may go out); both durable.

        Raises
        ------
        psycopg.OperationalError : the database stayed away for longer than `PATIENCE_S`.
        """
        if self._keeper is None or self._keeper.done() or self._is_over:
            raise RuntimeError("the ledger is closed")
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Entry(outcome, next_id, answer))
        self._wake.set()
        return await answer

    async def forget(self, delivery_id: int) -> None:
        """Note that a message which had leave to go out did not leave, so that nobody takes it for doubtful."""
        self._in_hand.discard(delivery_id)
        await self.settle(None, None)

    async def _keep(self) -> None:
        while self._waiting or not self._is_over:
            if not self._waiting:
                self._wake.clear()
                with suppress(TimeoutError):  # nothing to record: only the beat
                    async with asyncio.timeout(BEAT_EVERY_S):
                        await self._wake.wait()
            await self._gather()
            entries, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            try:
                verdicts = await self._write(entries)
            except Exception as error:
                for entry in [*entries, *self._waiting]:
                    if not entry.answer.done():
                        entry.answer.set_exception(error)
                raise
            for entry in entries:
                if not entry.answer.done():
                    entry.answer.set_result(verdicts.get(entry.next_id, "") if entry.next_id else "")

    async def _gather(self) -> None:
        """Let results that are just coming in join the group: one of many costs little more than one of few."""
        known = 0
        while known < len(self._waiting) < self._most and not self._is_over:
            known = len(self._waiting)
            for _ in range(2):  # one turn of the loop to read a reply, one for its lane to bring it here
                await asyncio.sleep(0)

    async def _write(self, entries: Sequence[_Entry]) -> dict[int, str]:
        outcomes = [entry.outcome for entry in entries if entry.outcome]
        next_ids = [entry.next_id for entry in entries if entry.next_id]
        self._in_hand.difference_update(outcome.delivery_id for outcome in outcomes)
        self._in_hand.update(next_ids)
        ends_at, is_repeated = monotonic() + PATIENCE_S, False
        while True:
            try:
                return await self._write_once(outcomes, next_ids, is_repeated)
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                await self._drop()
                if monotonic() > ends_at:
                    raise
                _log.warning("the database is away; nothing more is handed over", reason=str(error).strip())
                is_repeated = True
                await asyncio.sleep(0.5)

    async def _drop(self) -> None:
        self._connection = None
        with suppress(psycopg.Error):  # when it is broken, closing it says so once more
            await self._held.aclose()

    async def _write_once(
        self, outcomes: Sequence[Outcome], next_ids: Sequence[int], is_repeated: bool
    ) -> dict[int, str]:
        if self._connection is None:
            self._connection = await self._held.enter_async_context(self._database.hold(SERVICE))
            # One plan for all: planning anew costs as much as the work, and the table's statistics are those of before.
            await self._connection.execute(_ONE_PLAN)
        beat = Beat(self._sender_id, BEAT_S, list(self._in_hand))
        verdicts = await settle(self._connection, beat, outcomes, next_ids, self.thread_ids, is_repeated)
        self._settled_at = monotonic()
        withheld = {delivery_id: verdict for delivery_id, verdict in verdicts.items() if verdict}
        if withheld:
            self._in_hand.difference_update(withheld)
            ended = {delivery_id: verdict for delivery_id, verdict in withheld.items() if verdict != "gone"}
            await withhold(self._connection, self._sender_id, ended)
        return verdicts
