"""Mail through the first relay that works, over a connection that is kept for many messages."""

from __future__ import annotations

import ssl

from alerts.channels import TransportError
from alerts.channels.smtp import Envelope, SmtpConnection, SmtpRefused, connect
from alerts.channels.smtp_wire import TIMEOUTS, SmtpLost, Timeouts
from alerts.relays import RelayPool
from gis.relay import Relay

# After so many messages a new connection, which relays like and which spreads the load behind a balancer.
_MESSAGES_PER_CONNECTION = 500


class MailChannel:
    """A connection to one of the relays, opened on first use and reopened elsewhere when it broke.

    For one task only; the pool is shared by all tasks of a sender.

    Attributes
    ----------
    relay : the relay in use, or None.
    """

    def __init__(self, pool: RelayPool, name: str, timeouts: Timeouts | None = None) -> None:
        self.relay: Relay | None = None
        self._pool = pool
        self._name = name
        self._timeouts = timeouts or TIMEOUTS
        self._connection: SmtpConnection | None = None
        self._avoid: set[Relay] = set()
        self._accepted = 0  # on this connection
        self._doubts = 0  # messages in a row that were handed over without an answer

    async def notify(self, envelope: Envelope, message: bytes, upcoming: Envelope | None = None) -> str:
        """Hand one message (CRLF line ends) over; return the relay's answer.

        Parameters
        ----------
        upcoming : whom the message after this one is for, if that is known; see `SmtpConnection.hand_over`.

        Raises
        ------
        TransportError : a relay refused it, or none can be reached (`relay_is_down`).
        """
        while True:
            connection = await self._ready(envelope)
            if connection.handed_over + 1 >= _MESSAGES_PER_CONNECTION or self._used() in self._pool.one_by_one:
                upcoming = None
            try:
                reply = await connection.hand_over(envelope, message, upcoming)
            except SmtpLost as error:
                self._doubts += error.in_doubt
                if error.was_early:
                    # It may throw away what comes behind a content, whatever it promised: not to be waited for twice.
                    self._pool.one_by_one.add(self._used())
                self._lose(str(error), is_fault=not (error.in_doubt or error.was_early) or self._doubts > 1)
                if error.in_doubt:
                    words = f"connection lost after the message was handed over, it may arrive twice: {error}"
                    raise TransportError(words, maybe_delivered=True) from error
                continue
            except SmtpRefused as error:
                self._refused(error)
                continue
            self._pool.worked(self._used())
            self._accepted, self._doubts = self._accepted + 1, 0
            return reply

    async def close(self) -> None:
        """End the connection politely, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.live[self._used()] -= 1
            await connection.quit()

    def _refused(self, error: SmtpRefused) -> None:
        """Raise what a refusal means for the message; return when another relay is to be asked."""
        if error.code == 421 or error.stage in ("sender", "connection"):
            # Who closes (421) or refuses our sender refuses everybody now; that is no fault of the address.
            self._lose(str(error))
            return
        raise TransportError(str(error), permanent=error.code >= 500) from error

    async def _ready(self, envelope: Envelope) -> SmtpConnection:
        used = self._connection
        if used and (used.handed_over >= _MESSAGES_PER_CONNECTION or not used.is_ready_for(envelope)):
            await self.close()
        reasons: list[str] = []
        while self._connection is None:
            candidates = self._pool.candidates(self._avoid)
            if not candidates:
                known = [str(health.reason) for health in self._pool.health.values() if health.reason]
                raise TransportError("; ".join(reasons or known) or "no relay", relay_is_down=True)
            try:
                await self._connect(candidates[0])
            except (SmtpLost, SmtpRefused, OSError, ssl.SSLError, TimeoutError) as error:
                reasons.append(f"no connection to {candidates[0]}: {_words(error)}")
                self._avoid.add(candidates[0])
                self._pool.failed(candidates[0], reasons[-1])
        return self._connection

    async def _connect(self, relay: Relay) -> None:
        self._pool.live[relay] += 1  # before waiting, so that the limit holds for connections being made, too
        try:
            self._connection = await connect(relay, self._name, self._timeouts)
        except BaseException:
            self._pool.live[relay] -= 1
            raise
        self.relay, self._accepted = relay, 0

    def _lose(self, reason: str, is_fault: bool = True) -> None:
        relay, connection = self._used(), self._connection
        self._connection = None
        self._pool.live[relay] -= 1
        if connection is not None:
            connection.drop()
        # A relay that ends a connection after some messages is asked again; one that took none on it is not.
        if self._accepted == 0 and is_fault:
            self._avoid.add(relay)
            self._pool.failed(relay, f"{relay}: {reason}")

    def _used(self) -> Relay:
        if self.relay is None:
            raise RuntimeError("no relay is in use")
        return self.relay


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
