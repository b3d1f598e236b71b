"""Web Push: one message to each device of a person; one that has it is not asked again for the others' sake."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass

import structlog

from alerts.channels import TransportError
from alerts.channels.push.devices import Device, has_receipt, note_gone, note_receipts
from alerts.channels.push.encryption import encrypt
from alerts.channels.push.forms import PushForms, PushMessage
from alerts.channels.push.post import Answer, Poster
from alerts.channels.push.vapid import Sender
from alerts.outbox import Claimed
from alerts.refusals import Refusal
from gis.database import SERVICE, Database

_log = structlog.get_logger(__name__)
_GONE = (404, 410)
# The service asks us to wait, or does not believe our key or clock: the device is not to blame, so it is tried again.
_LATER = (401, 403, 408, 425, 429)
# Services keep a message for four weeks at most; ours never hold for so long.
_LONGEST_TTL_S = 28 * 24 * 3600


class _NobodyLeft(TransportError):
    """The person has no device any more."""


@dataclass(frozen=True)
class _Result:
    device: Device
    answer: Answer | None
    error: TransportError | None

    @property
    def is_taken(self) -> bool:
        return self.answer is not None and 200 <= self.answer.status < 300

    @property
    def is_gone(self) -> bool:
        return self.answer is not None and self.answer.status in _GONE

    @property
    def is_later(self) -> bool:
        return self.answer is None or self.answer.status in _LATER or self.answer.status >= 500

    @property
    def words(self) -> str:
        return self.answer.words if self.answer else str(self.error)


class PushChannel:
    """Pushes on one connection per service. For one task only; the executor is shared.

    Attributes
    ----------
    relay : the name in the record of attempts.
    """

    relay = "push"

    def __init__(self, database: Database, forms: PushForms, sender: Sender, executor: Executor) -> None:
        self._database = database
        self._forms = forms
        self._sender = sender
        self._executor = executor
        self._poster = Poster()

    def announce(self, claimed: Claimed | None) -> None:
        """Do nothing: services answer each message by itself."""

    async def notify(self, claimed: Claimed, message: bytes) -> str:
        """Push one message to the devices that have not got it; return the services' words.

        Raises
        ------
        TransportError : a device is to be tried again; or none takes it, or none is left (`permanent`).
        """
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._push, claimed)

    def understand(self, error: TransportError) -> Refusal:
        """Say what a refusal means; it never speaks about the person's mail address."""
        if isinstance(error, _NobodyLeft):
            return Refusal("gone", "")
        return Refusal("refused" if error.permanent else "later", "", error.retry_in_s)

    async def close(self) -> None:
        """Close the connections."""
        self._poster.close()

    def _push(self, claimed: Claimed) -> str:
        devices = self._forms.devices(claimed)
        if not devices:
            return self._end(claimed, "no device is left", _NobodyLeft)
        results = [self._try(device, self._forms.message(claimed, device.language)) for device in devices]
        self._record(claimed.recipient.delivery_id, results)
        later = [result for result in results if result.is_later]
        words = "; ".join(dict.fromkeys(result.words for result in later or results))
        if later:
            waits = [result.answer.retry_after_s for result in later if result.answer]
            raise TransportError(
                words,
                maybe_delivered=any(result.error and result.error.maybe_delivered for result in later),
                retry_in_s=max((wait for wait in waits if wait), default=None),
            )
        if not any(result.is_taken for result in results):
            is_gone = all(result.is_gone for result in results)
            return self._end(claimed, words, _NobodyLeft if is_gone else TransportError)
        return words

    def _end(self, claimed: Claimed, words: str, kind: type[TransportError]) -> str:
        """Return the words when another device took the message earlier; else nothing is left to try."""
        with self._database.begin(SERVICE) as connection:
            if has_receipt(connection, claimed.recipient.delivery_id):
                return words
        raise kind(words, permanent=True)

    def _try(self, device: Device, message: PushMessage) -> _Result:
        headers = {
            "TTL": str(int(min(_LONGEST_TTL_S, message.ttl_s))),
            "Urgency": message.urgency,
            "Topic": message.topic,
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
        }
        try:
            body = encrypt(message.content, device.p256dh, device.auth)
        except ValueError as error:
            # A key that is no point of the curve: nothing can ever reach this device.
            return _Result(device, Answer(_GONE[0], str(error), None), None)
        try:
            headers["Authorization"] = self._sender.authorize(device.endpoint)
            return _Result(device, self._poster.post(device.endpoint, headers, body), None)
        except TransportError as error:
            return _Result(device, None, error)

    def _record(self, delivery_id: int, results: list[_Result]) -> None:
        taken = [result.device for result in results if result.is_taken]
        gone = [result for result in results if result.is_gone]
        if not gone and len(taken) in (0, len(results)):
            return  # the delivery's own state says it all
        with self._database.begin(SERVICE) as connection:
            note_receipts(connection, delivery_id, taken)
            for result in gone:
                note_gone(connection, result.device, result.words)
        if gone:
            _log.info("push devices are gone", count=len(gone))
