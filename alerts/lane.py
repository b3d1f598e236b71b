"""One connection's work: take a message, ask whether it may go, hand it over, record it together with the next one."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from alerts import outbox
from alerts.catalogue import JST
from alerts.channels import TransportError
from alerts.channels.outgoing import Forms, Line
from alerts.claims import Claims
from alerts.handover import Outcome
from alerts.ledger import BEAT_S, Ledger
from alerts.outbox import Claimed


class Lane:
    """One connection of a sender."""

    def __init__(self, claims: Claims, ledger: Ledger, forms: Forms, line: Line, counts: Counter[str]) -> None:
        self._claims = claims
        self._ledger = ledger
        self._forms = forms
        self._line = line
        self._counts = counts

    async def run(self) -> None:
        """Work until there is nothing to send or no relay to send through."""
        try:
            while (claimed := await self._claims.take()) is not None:
                try:
                    if not await self._work(claimed):
                        return
                finally:
                    self._claims.done()
        finally:
            await self._line.close()

    async def _work(self, first: Claimed) -> bool:
        """Send one message after another; return False when no relay takes anything."""
        claimed: Claimed | None = first
        outcome: Outcome | None = None
        while claimed is not None:
            message = self._render(claimed)
            verdict = await self._settle(outcome, claimed)
            upcoming = self._claims.take_now()
            if verdict:
                self._counts[verdict] += verdict != "gone"
                outcome = None
            elif isinstance(message, Outcome):
                outcome = message
            else:
                self._line.announce(upcoming)
                try:
                    outcome = await self._attempt(claimed, message)
                except TransportError as error:  # no relay
                    await self._ledger.forget(claimed.recipient.delivery_id)
                    await self._claims.put_back(claimed, upcoming)
                    self._claims.down = (self._relay(), error.reply)
                    return False
            claimed = upcoming
        if outcome:
            await self._settle(outcome, None)
        return True

    async def _settle(self, outcome: Outcome | None, claimed: Claimed | None) -> str:
        verdict = await self._ledger.settle(outcome, claimed.recipient.delivery_id if claimed else None)
        if outcome:
            self._counts[outcome.state] += 1
        # The process may have been stopped in between for so long that others take it for dead: ask again.
        while claimed and not verdict and self._ledger.settled_s_ago > BEAT_S / 2:
            verdict = await self._ledger.settle(None, claimed.recipient.delivery_id)
        return verdict

    def _render(self, claimed: Claimed) -> bytes | Outcome:
        try:
            return self._forms.render(claimed)
        except ValueError as error:
            return Outcome(claimed.recipient.delivery_id, datetime.now(JST), "", "failed", str(error))

    async def _attempt(self, claimed: Claimed, message: bytes) -> Outcome:
        """Hand one message over. Raises TransportError only when no relay takes anything."""
        delivery_id, started_at = claimed.recipient.delivery_id, datetime.now(JST)
        try:
            reply = await self._line.notify(claimed, message)
        except ValueError as error:
            return Outcome(delivery_id, started_at, "", "failed", str(error))
        except TransportError as error:
            if error.relay_is_down:
                raise
            return self._refused(claimed, started_at, error)
        return Outcome(delivery_id, started_at, self._relay(), "accepted", reply)

    def _refused(self, claimed: Claimed, started_at: datetime, error: TransportError) -> Outcome:
        delivery_id, retry_s = claimed.recipient.delivery_id, outbox.retry_in_s(claimed.attempts)
        if error.maybe_delivered:
            return Outcome(delivery_id, started_at, self._relay(), "deferred", error.reply, retry_s, in_doubt=True)
        refusal = self._line.understand(error)
        if refusal.kind == "gone":
            return Outcome(delivery_id, started_at, self._relay(), "suppressed", error.reply, reason="no_device")
        if refusal.is_final:
            # What a device's service refuses says nothing against the person's mail address.
            kind = "" if refusal.kind == "refused" else refusal.kind
            return Outcome(
                delivery_id, started_at, self._relay(), "bounced", error.reply, kind=kind, status=refusal.status
            )
        return Outcome(delivery_id, started_at, self._relay(), "deferred", error.reply, refusal.retry_in_s or retry_s)

    def _relay(self) -> str:
        return str(self._line.relay or "")
