"""Ways to reach people. A channel is one small file whose `notify()` raises `TransportError` when it did not work."""

from __future__ import annotations


class TransportError(Exception):
    """A message was not handed over.

    Parameters
    ----------
    reply : the other side's own words, for the record.
    permanent : trying again is useless: the address is refused for good (5xx, RFC 5321 section 4.2.1).
    relay_is_down : no message can be handed over now: no connection, no greeting, login refused.
    maybe_delivered : the connection broke after the message was handed over and before the answer; it may arrive twice.
    retry_in_s : when the other side wants to be asked again, if it said so.
    """

    def __init__(
        self,
        reply: str,
        *,
        permanent: bool = False,
        relay_is_down: bool = False,
        maybe_delivered: bool = False,
        retry_in_s: float | None = None,
    ) -> None:
        super().__init__(reply)
        self.reply = reply
        self.permanent = permanent
        self.relay_is_down = relay_is_down
        self.maybe_delivered = maybe_delivered
        self.retry_in_s = retry_in_s
