"""Group commit: even groups, every message its own verdict, nothing left behind at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from alerts.ledger import Ledger
from gis.database import Database


class _NotingLedger(Ledger):
    """Answers each message with its own number, a little later, and notes the groups."""

    groups: list[int]

    async def _write(self, entries: Sequence[Any]) -> dict[int, str]:
        self.groups.append(len(entries))
        await asyncio.sleep(0.001)
        return {entry.next_id: str(entry.next_id) for entry in entries if entry.next_id}


@pytest.mark.parametrize("lanes", [1, 2, 3, 8, 33])
def test_every_message_has_its_own_verdict_in_groups_of_half_the_lanes(database: Database, lanes: int) -> None:
    async def work() -> list[int]:
        async with _NotingLedger(database, 1, [1], lanes) as ledger:
            ledger.groups = []

            async def lane(number: int) -> None:
                for step in range(1, 21):
                    for _ in range(number % 4):  # replies do not come all in the same turn
                        await asyncio.sleep(0)
                    message = number * 1000 + step
                    assert await ledger.settle(None, message) == str(message)

            await asyncio.gather(*(lane(number) for number in range(lanes)))
            return ledger.groups

    groups = asyncio.run(work())
    assert sum(groups) == 20 * lanes
    assert max(groups) == max(1, lanes // 2)


def test_what_waits_for_the_second_group_is_written_when_the_ledger_closes(database: Database) -> None:
    async def work() -> tuple[list[str], list[int]]:
        async with _NotingLedger(database, 1, [1], 4) as ledger:
            ledger.groups = []
            waiting = [asyncio.create_task(ledger.settle(None, message)) for message in (1, 2, 3, 4, 5)]
            await asyncio.sleep(0)
        return await asyncio.gather(*waiting), ledger.groups

    assert asyncio.run(work()) == (["1", "2", "3", "4", "5"], [2, 2, 1])
