"""What a sender has claimed and not yet sent, kept filled while it works."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from alerts import outbox
from alerts.ledger import Ledger
from alerts.limits import load_limits
from alerts.outbox import Claimed
from gis.database import SERVICE, Database

if TYPE_CHECKING:
    from alerts.channels.outgoing import Forms
    from alerts.lane import Lane

# How long to wait for room in a paced domain, or for an older message of the thread that another sender has.
_PAUSE_S = 0.05


class Claims:
    """The claimed deliveries of one sender: filled from the database, emptied by its lanes.

    Attributes
    ----------
    down : (relay, its words) when no lane can hand anything over any more; else None.
    """

    def __init__(
        self,
        database: Database,
        sender_id: int,
        alert_id: int,
        lanes: int,
        counts: Counter[str],
        channel: str = "mail",
    ) -> None:
        self.down: tuple[str, str] | None = None
        self._database = database
        self._sender_id = sender_id
        self._alert_id = alert_id
        self._channel = channel
        self._low_water = 4 * lanes
        self._batch = max(outbox.BATCH_SIZE, 8 * lanes)
        self._counts = counts
        self._queue: deque[Claimed] = deque()
        self._busy = 0
        self._is_over = False
        self._changed = asyncio.Condition()
        self._needs_more = asyncio.Event()

    async def take(self) -> Claimed | None:
        """Return the next delivery to send, waiting for one; None when there will be no more."""
        async with self._changed:
            while not self._queue and not self._is_over:
                self._needs_more.set()
                await self._changed.wait()
            if not self._queue:
                return None
            self._busy += 1
            return self._pop()

    def take_now(self) -> Claimed | None:
        """Return the next delivery if there is one at once."""
        return self._pop() if self._queue else None

    def done(self) -> None:
        """Say that a lane has no message in hand any more."""
        self._busy -= 1
        self._needs_more.set()

    async def put_back(self, *claimed: Claimed | None) -> None:
        """Give deliveries back that could not be handed over here; other lanes may take them."""
        async with self._changed:
            self._queue.extendleft(delivery for delivery in reversed(claimed) if delivery)
            self._changed.notify_all()

    async def feed(self, ledger: Ledger, forms: Forms, lanes: Sequence[Lane]) -> None:
        """Run the lanes and claim for them until nothing is due, or no lane is left."""
        tasks = [asyncio.create_task(lane.run()) for lane in lanes]
        everything = asyncio.gather(*tasks)
        try:
            while not everything.done():
                if not await self._refill(ledger, forms):
                    self.down = None  # some lanes may have failed, but everything is out
                    break
            await self._end()
            await everything
        finally:
            everything.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _refill(self, ledger: Ledger, forms: Forms) -> bool:
        """Claim once if the queue is low; return False when there is nothing left to do."""
        if len(self._queue) > self._low_water:
            self._needs_more.clear()
            if len(self._queue) > self._low_water:
                await self._wait(1.0)
            return True
        # What is on its way when the claim is made may be what a newer message waits for: then it is no last word.
        was_busy = bool(self._queue or self._busy)
        batch, is_waiting = await asyncio.to_thread(self._claim, ledger, forms)
        if batch:
            async with self._changed:
                self._queue.extend(batch)
                self._changed.notify_all()
            return True
        if self._queue or self._busy:
            self._needs_more.clear()
            await self._wait(_PAUSE_S if is_waiting or not self._queue else 1.0)
            return True
        if is_waiting and not was_busy:
            await asyncio.sleep(_PAUSE_S)
        return is_waiting or was_busy

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._needs_more.wait()
        except TimeoutError:
            return

    def _claim(self, ledger: Ledger, forms: Forms) -> tuple[list[Claimed], bool]:
        """Claim from the thread's alerts, oldest first; return the batch, and whether paced ones wait for room."""
        is_waiting, batch = False, list[Claimed]()
        with self._database.begin(SERVICE) as connection:
            thread = outbox.thread_alerts(connection, self._alert_id)
            ledger.thread_ids = thread
            outbox.plan_claims(connection)
            for number, alert_id in enumerate(thread):
                older, room = thread[:number], self._batch - len(batch)
                batch += outbox.claim(connection, self._sender_id, alert_id, older, room, self._channel)
                # Paces are for mail domains; another channel has one service per device and hears "wait" from it.
                due = outbox.due_paces(connection, alert_id) if self._channel == "mail" else set[str]()
                for pace in load_limits().paces:
                    if pace.name in due:
                        is_waiting = True
                        batch += outbox.claim_paced(connection, self._sender_id, alert_id, older, pace)
                if len(batch) >= self._batch:
                    break
        forms.prepare(batch)
        return batch, is_waiting

    def _pop(self) -> Claimed:
        claimed = self._queue.popleft()
        if len(self._queue) == self._low_water:
            self._needs_more.set()
        return claimed

    async def _end(self) -> None:
        async with self._changed:
            self._is_over = True
            self._changed.notify_all()
