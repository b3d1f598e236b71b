"""Mail as the outbox sees it: letters as its form, a connection to a relay as its line."""

from __future__ import annotations

from alerts.channels import TransportError
from alerts.channels.mail import MailChannel
from alerts.channels.smtp import Envelope
from alerts.headers import format_address
from alerts.letters import Letters
from alerts.outbox import Claimed
from alerts.refusals import Refusal, read_refusal
from gis.relay import Relay


class MailForms(Letters):
    """Letters, made once per alert and language, with the recipient's own lines."""

    def render(self, claimed: Claimed) -> bytes:
        """Return the mail of a claimed delivery; `prepare` was called with it."""
        return self.find(claimed).render(claimed.recipient)


class MailLine:
    """One connection to the relays."""

    def __init__(self, letters: Letters, channel: MailChannel) -> None:
        self._letters = letters
        self._channel = channel
        self._upcoming: Claimed | None = None
        self._next: tuple[Claimed, Envelope] | None = None

    @property
    def relay(self) -> Relay | None:
        """The relay in use."""
        return self._channel.relay

    def announce(self, claimed: Claimed | None) -> None:
        """Say which mail follows the next one: its envelope may leave together with the next one's content."""
        self._upcoming = claimed

    async def notify(self, claimed: Claimed, message: bytes) -> str:
        """Hand one mail over; see `MailChannel.notify`. Raises ValueError when the address is none."""
        # The one that was announced is written already.
        envelope = self._next[1] if self._next and self._next[0] is claimed else self._envelope(claimed)
        self._next = self._read_upcoming()
        return await self._channel.notify(envelope, message, self._next[1] if self._next else None)

    def _read_upcoming(self) -> tuple[Claimed, Envelope] | None:
        try:
            return (self._upcoming, self._envelope(self._upcoming)) if self._upcoming else None
        except ValueError:
            return None  # said when it is this mail's turn

    def _envelope(self, claimed: Claimed) -> Envelope:
        recipient = claimed.recipient
        return Envelope(self._letters.return_path(recipient), format_address(recipient.address))

    def understand(self, error: TransportError) -> Refusal:
        """Read the relay's words."""
        return read_refusal(error.reply)

    async def close(self) -> None:
        """End the connection politely."""
        await self._channel.close()
