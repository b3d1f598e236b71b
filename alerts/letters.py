"""The letters of a sender: the common part of each alert and language, made once."""

from __future__ import annotations

from collections.abc import Iterable

from alerts import outbox
from alerts.headers import format_address
from alerts.letter import Letter, Recipient, build_letter
from alerts.outbox import Claimed
from alerts.return_path import find_addresses
from gis.database import SERVICE, Database
from gis.settings import Settings
from gis.town import load_town


class Letters:
    """Makes each alert's letter per language on first need and keeps it."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.settings = settings
        self._database = database
        self._addresses = find_addresses(settings)
        self._sender = format_address(settings.mail_from)
        self._letters: dict[tuple[int, str], Letter] = {}

    def prepare(self, batch: Iterable[Claimed]) -> None:
        """Make the letters that a batch needs; reads the database."""
        missing = {(claimed.alert_id, claimed.language) for claimed in batch} - self._letters.keys()
        if missing:
            with self._database.begin(SERVICE) as connection:
                for alert_id, language in sorted(missing):
                    words, sent_at = outbox.read_letter(connection, alert_id, language)
                    self._letters[alert_id, language] = build_letter(
                        alert_id, words, sent_at, self.settings, load_town()
                    )

    def find(self, claimed: Claimed) -> Letter:
        """Return the letter of a claimed delivery; `prepare` was called with it."""
        return self._letters[claimed.alert_id, claimed.language]

    def return_path(self, recipient: Recipient) -> str:
        """Return the address that bounces of this delivery go to."""
        return self._addresses.write(recipient.delivery_id) if self._addresses else self._sender
