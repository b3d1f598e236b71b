"""Sending: several connections to the relay, each working through leased batches of the outbox.

The result of each message is committed before the next one is handed over, so a worker that dies
leaves at most one message per connection whose fate is unknown; that one is sent again with the same Message-ID.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from sqlalchemy import Connection

from alerts import outbox
from alerts.catalogue import JST
from alerts.channels import TransportError
from alerts.channels.mail import MailChannel
from alerts.handover import Outcome, finish, verdict, withhold
from alerts.letter import Letter, build_letter
from alerts.outbox import Claimed
from gis.database import SERVICE, Database
from gis.errors import UsageError
from gis.relay import relay as find_relay
from gis.settings import Settings
from gis.town import load_town

CONNECTIONS = 4


def send_alert(database: Database, settings: Settings, alert_id: int, connections: int = CONNECTIONS) -> Counter[str]:
    """Send what is due of an alert and of the rest of its thread; return how many deliveries ended in each state.

    Any number of workers may do this at once, also for the same alert. Nothing is lost when the relay is down: what
    is due is deferred, with the reason, and `alerts.sweep` comes back to it.
    """
    with database.begin(SERVICE) as connection:
        thread = outbox.thread_alerts(connection, alert_id)
    try:
        relay = find_relay(settings)
    except UsageError as error:
        with database.begin(SERVICE) as connection:
            for due_id in thread:
                outbox.defer_all(connection, due_id, [], "", str(error))
        return Counter(relay_is_down=1)
    senders = [_Sender(database, settings, thread, MailChannel(relay, settings.mail_from)) for _ in range(connections)]
    with ThreadPoolExecutor(connections, thread_name_prefix="mail") as pool:
        counts = sum(pool.map(_Sender.run, senders), Counter[str]())
    with database.begin(SERVICE) as connection:
        for due_id in thread:
            outbox.close_alert(connection, due_id)
    return counts


@dataclass
class _Sender:
    """One thread with one connection to the relay."""

    database: Database
    settings: Settings
    thread: Sequence[int]
    channel: MailChannel
    letters: dict[tuple[int, str], Letter] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def run(self) -> Counter[str]:
        """Send batches, oldest alert first, until nothing is due or the relay takes nothing more."""
        with self.channel:
            for number, alert_id in enumerate(self.thread):
                older, newer = self.thread[:number], self.thread[number + 1 :]
                while batch := self._claim(alert_id, older):
                    if not self._send_batch(batch, newer):
                        return self.counts
        return self.counts

    def _claim(self, alert_id: int, older: Sequence[int]) -> list[Claimed]:
        with self.database.begin(SERVICE) as connection:
            batch = outbox.claim(connection, alert_id, older)
            for language in {claimed.language for claimed in batch}:
                self._make_letter(connection, alert_id, language)
        return batch

    def _send_batch(self, batch: Sequence[Claimed], newer: Sequence[int]) -> bool:
        """Send a batch; return False when the relay takes nothing more."""
        ends_at = monotonic() + outbox.SENDING_S
        with self.database.hold(SERVICE) as connection:
            for number, claimed in enumerate(batch):
                if monotonic() > ends_at:
                    self._release(batch[number:])
                    return True
                delivery_id = claimed.recipient.delivery_id
                withheld = verdict(connection, delivery_id, newer)
                if withheld:
                    withhold(connection, delivery_id, withheld)
                    self.counts[withheld] += 1
                    continue
                try:
                    outcome = self._attempt(claimed)
                except TransportError as error:
                    self._defer_rest(batch[number:], error)
                    return False
                finish(connection, outcome)
                self.counts[outcome.state] += 1
        return True

    def _attempt(self, claimed: Claimed) -> Outcome:
        """Hand one message over. Raises TransportError only when the relay is down."""
        recipient, letter = claimed.recipient, self.letters[claimed.alert_id, claimed.language]
        started_at, retry_s = datetime.now(JST), 0.0
        try:
            state, reply = "accepted", self.channel.notify(recipient.address, letter.render(recipient))
        except ValueError as error:
            state, reply = "failed", str(error)
        except TransportError as error:
            if error.relay_is_down:
                raise
            state, reply = "bounced" if error.permanent else "deferred", error.reply
            retry_s = 0.0 if error.permanent else outbox.retry_in_s(claimed.attempts)
        return Outcome(recipient.delivery_id, started_at, str(self.channel.relay), state, reply, retry_s)

    def _release(self, rest: Sequence[Claimed]) -> None:
        with self.database.begin(SERVICE) as connection:
            outbox.release(connection, [claimed.recipient.delivery_id for claimed in rest])

    def _defer_rest(self, rest: Sequence[Claimed], error: TransportError) -> None:
        ids = [claimed.recipient.delivery_id for claimed in rest]
        with self.database.begin(SERVICE) as connection:
            outbox.defer_all(connection, rest[0].alert_id, ids, str(self.channel.relay), error.reply)
        self.counts["relay_is_down"] += 1

    def _make_letter(self, connection: Connection, alert_id: int, language: str) -> None:
        if (alert_id, language) not in self.letters:
            words, sent_at = outbox.read_letter(connection, alert_id, language)
            self.letters[alert_id, language] = build_letter(alert_id, words, sent_at, self.settings, load_town())
