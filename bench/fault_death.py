"""Where a worker kills itself with SIGKILL: before, during or after a step, counted from 1.

A step on the wire dies `before` a byte of it has left, `during` it with half of its bytes on the way, or `after` all of
them; `reply` likewise with the bytes of the relay's answer to a content. A step at the database dies before its
statement, with the statement done and not committed, or committed and nobody told.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from alerts import claims, ledger, outbox
from alerts.channels import mail
from alerts.channels.smtp import SmtpConnection
from alerts.channels.smtp_wire import Timeouts
from gis.relay import Relay

WHENS = ("before", "during", "after")
STEPS = ("claim", "connect", "MAIL", "RCPT", "DATA", "content", "dot", "reply", "commit")
_DOT = b"\r\n.\r\n"


@dataclass
class Death:
    """One death, told to the worker as `step:when:number`."""

    step: str
    when: str
    number: int
    reached: int = 0

    @classmethod
    def parse(cls, words: str) -> Death:
        step, when, number = words.split(":")
        return cls(step, when, int(number))

    def arrange(self) -> None:
        """Put the death where it belongs; it comes to this process only."""
        if self.step == "claim":
            self._in_claim()
        elif self.step == "connect":
            self._in_connect()
        elif self.step == "commit":
            self._in_commit()
        elif self.step == "reply":
            self._in_reply()
        else:
            self._in_write()

    def _is_now(self) -> bool:
        self.reached += 1
        return self.reached == self.number

    def _in_claim(self) -> None:
        claim, claim_batch = outbox.claim, claims.Claims._claim

        def claim_and_die(*args: Any) -> Any:
            if self.when == "before" and self._is_now():
                die()
            batch = claim(*args)
            if self.when == "during" and batch and self._is_now():
                die()  # the transaction is open
            return batch

        def claim_batch_and_die(*args: Any) -> Any:
            batch = claim_batch(*args)
            if self.when == "after" and batch[0] and self._is_now():
                die()
            return batch

        outbox.claim = claim_and_die
        claims.Claims._claim = claim_batch_and_die  # type: ignore[method-assign]

    def _in_connect(self) -> None:
        connect, made = mail.connect, SmtpConnection.connection_made

        async def connect_and_die(relay: Relay, name: str, timeouts: Timeouts | None = None) -> SmtpConnection:
            if self.when == "before" and self._is_now():
                die()
            connection = await connect(relay, name, timeouts)
            if self.when == "after" and self._is_now():
                die()
            return connection

        def made_and_die(connection: SmtpConnection, transport: asyncio.BaseTransport) -> None:
            made(connection, transport)
            if self.when == "during" and self._is_now():
                die()  # the wire stands, nothing is said on it

        mail.connect = connect_and_die
        SmtpConnection.connection_made = made_and_die  # type: ignore[method-assign]

    def _in_commit(self) -> None:
        settle = ledger.settle

        async def settle_and_die(connection: Any, beat: Any, outcomes: Sequence[Any], *rest: Any) -> Any:
            is_now = bool(outcomes) and self._is_now()
            if is_now and self.when == "before":
                die()
            if is_now and self.when == "during":
                await connection.execute("BEGIN")  # it commits by itself otherwise
            verdicts = await settle(connection, beat, outcomes, *rest)
            if is_now:
                die()
            return verdicts

        ledger.settle = settle_and_die

    def _in_reply(self) -> None:
        received, write = SmtpConnection.data_received, SmtpConnection._write
        waiting: set[SmtpConnection] = set()

        def note(connection: SmtpConnection, content: bytes) -> None:
            write(connection, content)
            if _DOT in content:  # an envelope may follow
                waiting.add(connection)

        def received_and_die(connection: SmtpConnection, reply: bytes) -> None:
            is_now = connection in waiting and self._is_now()
            waiting.discard(connection)
            self._pass(is_now, reply, len(reply) // 2, lambda piece: received(connection, piece))

        SmtpConnection._write = note  # type: ignore[method-assign]
        SmtpConnection.data_received = received_and_die  # type: ignore[method-assign]

    def _in_write(self) -> None:
        write = SmtpConnection._write

        def write_and_die(connection: SmtpConnection, content: bytes) -> None:
            is_content = _DOT in content
            is_step = is_content if self.step in ("content", "dot") else content.startswith(self.step.encode())
            if self.step == "dot" and is_step:
                dot = content.index(_DOT) + 2
                write(connection, content[:dot])
                content = content[dot:]
            middle = 1 if self.step == "dot" else len(content) // 2
            self._pass(is_step and self._is_now(), content, middle, lambda piece: write(connection, piece))

        SmtpConnection._write = write_and_die  # type: ignore[method-assign]

    def _pass(self, is_now: bool, content: bytes, middle: int, pass_on: Callable[[bytes], None]) -> None:
        if not is_now:
            pass_on(content)
            return
        if self.when != "before":
            pass_on(content if self.when == "after" else content[:middle])
        die()


def die() -> None:
    """End this process as the kernel's own killer would: no handler, no farewell."""
    os.kill(os.getpid(), signal.SIGKILL)
