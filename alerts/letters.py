"""The letters of a sender: the common part of each alert (or set of alerts in one mail) and language, made once."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from alerts import outbox
from alerts.headers import format_address
from alerts.letter import Letter, Recipient, build_letter
from alerts.morning import merge_texts
from alerts.outbox import Claimed
from alerts.return_path import find_addresses
from gis.database import SERVICE, Database
from gis.settings import Settings
from gis.town import load_town

# The alerts of one mail, the one that makes it first; and its language.
_Key = tuple[tuple[int, ...], str]


class Letters:
    """Makes each alert's letter per language on first need and keeps it."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.settings = settings
        self._database = database
        self._addresses = find_addresses(settings)
        self._sender = format_address(settings.mail_from)
        self._letters: dict[_Key, Letter] = {}

    def prepare(self, batch: Iterable[Claimed]) -> None:
        """Make the letters that a batch needs; reads the database."""
        missing = {_key(claimed) for claimed in batch} - self._letters.keys()
        if missing:
            with self._database.begin(SERVICE) as connection:
                for key in sorted(missing):
                    self._letters[key] = self._build(connection, *key)

    def find(self, claimed: Claimed) -> Letter:
        """Return the letter of a claimed delivery; `prepare` was called with it."""
        return self._letters[_key(claimed)]

    def return_path(self, recipient: Recipient) -> str:
        """Return the address that bounces of this delivery go to."""
        return self._addresses.write(recipient.delivery_id) if self._addresses else self._sender

    def _build(self, connection: Connection, alert_ids: tuple[int, ...], language: str) -> Letter:
        letters = [outbox.read_letter(connection, alert_id, language) for alert_id in alert_ids]
        words, sent_at, msg_type = letters[0]
        if len(letters) > 1:
            texts = [(alert_id, letter[0]) for alert_id, letter in zip(alert_ids, letters, strict=True)]
            # Several answers and first messages in one mail: each says in its own headline what it is.
            words, msg_type = merge_texts(texts, self.settings.base_url), "Alert"
        return build_letter(alert_ids[0], words, sent_at, self.settings, load_town(), msg_type)


def _key(claimed: Claimed) -> _Key:
    return (claimed.alert_id, *claimed.carried), claimed.language
