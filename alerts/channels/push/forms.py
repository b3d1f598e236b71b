"""What a push says: a headline and what to do, short, in the device's language; the page says the rest."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Row

from alerts.catalogue import load_texts
from alerts.channels.push.devices import Device, read_alerts, read_devices
from alerts.channels.push.encryption import MOST_PLAIN_BYTES, to_base64url
from alerts.letter import Recipient
from alerts.outbox import Claimed
from alerts.place_naming import PUSH_LETTERS, distinct_names, join_names
from gis.database import SERVICE, Database
from gis.settings import Settings

# Phones show some 50 letters of a title and a few lines; three bytes for a letter must fit into one record.
_MOST_TITLE, _MOST_BODY = 120, 400


@dataclass(frozen=True)
class PushMessage:
    """One push before it is encrypted.

    Attributes
    ----------
    content : JSON for the page's service worker: title, body, url, tag, lang, level, renotify.
    ttl_s : how long a service keeps it for a device that is not connected (RFC 8030, section 5.2).
    urgency : section 5.3; `high` wakes a phone.
    topic : section 5.4: a newer message of the thread replaces one that waits at the service.
    """

    content: bytes
    ttl_s: float
    urgency: str
    topic: str


class PushForms:
    """Makes the pushes of a sender: the texts are read once per alert, a person's devices when it is their turn."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._alerts: dict[tuple[int, str], Row[tuple[object, ...]]] = {}
        self._read_at: dict[int, float] = {}

    def prepare(self, batch: Iterable[Claimed]) -> None:
        """Read the words that a batch needs; whom it reaches is asked at the moment of each message."""
        missing = {alert_id for claimed in batch for alert_id in _alert_ids(claimed)} - self._read_at.keys()
        if not missing:
            return
        with self._database.begin(SERVICE) as connection:
            for row in read_alerts(connection, sorted(missing)):
                self._alerts[row._mapping["id"], row._mapping["language"]] = row
        self._read_at.update(dict.fromkeys(missing, time.monotonic()))

    def render(self, claimed: Claimed) -> bytes:
        """Return nothing: each device's message is made in its own language when it is pushed."""
        return b""

    def devices(self, claimed: Claimed) -> Sequence[Device]:
        """Return the devices a delivery is still to reach by now: one removed since the claim gets nothing."""
        with self._database.begin(SERVICE) as connection:
            return read_devices(connection, [claimed.recipient.delivery_id])[claimed.recipient.delivery_id]

    def message(self, claimed: Claimed, language: str) -> PushMessage:
        """Return the push of a delivery in a device's language; a merged one shows the gravest message first."""
        rows = [self._alerts[alert_id, language]._mapping for alert_id in _alert_ids(claimed)]
        first = rows[0]
        lines = [_standing(claimed.recipient, first["msg_type"], language), _places(claimed.recipient, language)]
        lines.append(first["short"] or first["instruction"] or first["description"])
        lines += [f"■ {row['headline']}" for row in rows[1:]]
        elapsed_s = time.monotonic() - self._read_at[claimed.alert_id]
        topic = make_topic(self._settings.base_url, first["thread_id"])
        return PushMessage(
            content=write_content(
                title=first["headline"],
                body="\n".join(line for line in lines if line),
                url=f"{self._settings.base_url}/alerts/{claimed.alert_id}?lang={language}",
                tag=topic,
                language=language,
                level=first["level"],
            ),
            ttl_s=max(0.0, first["ttl_s"] - elapsed_s),
            urgency="high" if first["level"] >= 4 else "normal" if first["level"] == 3 else "low",
            topic=topic,
        )


def write_content(title: str, body: str, url: str, tag: str, language: str, level: int) -> bytes:
    """Return a push's JSON. `tag`: the message of a thread that is shown already is replaced, and rings again."""
    content = {
        "title": _cut(title, _MOST_TITLE),
        "body": _cut(body, _MOST_BODY),
        "url": url,
        "tag": tag,
        "lang": language,
        "level": level,
        "renotify": True,
    }
    written = orjson.dumps(content)
    if len(written) > MOST_PLAIN_BYTES:  # letters of four bytes and escapes; the page says it whole
        written = orjson.dumps({**content, "body": ""})
    return written


def make_topic(base_url: str, thread_id: int) -> str:
    """Return a thread's topic: 32 letters of base64url that say nothing to the service (RFC 8030, section 5.4)."""
    return to_base64url(hashlib.sha256(f"{base_url}/{thread_id}".encode()).digest()[:24])


def _alert_ids(claimed: Claimed) -> tuple[int, ...]:
    return claimed.alert_id, *claimed.carried


def _standing(recipient: Recipient, msg_type: str, language: str) -> str:
    """Return the line that says what an answer is for somebody who got a push of the thread before; "" for others."""
    if msg_type == "Alert" or not recipient.earlier:
        return ""
    return str(load_texts("common", language)["push"]["withdraws" if msg_type == "Cancel" else "follows"])


def _places(recipient: Recipient, language: str) -> str:
    frame = load_texts("common", language)["frame"]
    return join_names(distinct_names(recipient.place_names), PUSH_LETTERS, frame)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
