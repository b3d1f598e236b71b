"""Mail through one SMTP relay, over one connection that is kept for many messages."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from types import TracebackType

from alerts.channels import TransportError
from alerts.headers import format_address
from gis.relay import Relay

_TIMEOUT_S = 60
# After so many messages a new connection, which relays like and which spreads the load behind a balancer.
_MESSAGES_PER_CONNECTION = 500


class MailChannel:
    """A connection to the relay, opened on first use and reopened when it broke.

    Not thread-safe: one per thread.
    """

    def __init__(self, relay: Relay, sender: str, timeout_s: float = _TIMEOUT_S) -> None:
        self.relay = relay
        self._sender = format_address(sender)
        self._timeout_s = timeout_s
        self._smtp: smtplib.SMTP | None = None
        self._handed_over = 0

    def __enter__(self) -> MailChannel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def notify(self, address: str, message: bytes) -> str:
        """Hand one message (CRLF line ends) over; return the relay's answer.

        Raises
        ------
        TransportError : the relay refused it, or cannot be reached.
        ValueError : the address is none.
        """
        recipient = format_address(address)
        if self._handed_over >= _MESSAGES_PER_CONNECTION:
            self.close()
        smtp = self._smtp or self._connect()
        self._handed_over += 1
        # smtplib's own sendmail() parses addresses and mangles `a..b@…`; these commands take ours as they are.
        self._command(smtp, f"MAIL FROM:<{self._sender}>", sender=True)
        self._command(smtp, f"RCPT TO:<{recipient}>")
        return self._send_content(smtp, message)

    def close(self) -> None:
        """End the connection politely, if there is one."""
        smtp, self._smtp = self._smtp, None
        self._handed_over = 0
        if smtp is not None:
            # A relay that hung up already needs no farewell.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                smtp.quit()
            smtp.close()

    def _connect(self) -> smtplib.SMTP:
        relay = self.relay
        try:
            if relay.tls == "tls":
                context = ssl.create_default_context()
                smtp: smtplib.SMTP = smtplib.SMTP_SSL(relay.host, relay.port, timeout=self._timeout_s, context=context)
            else:
                smtp = smtplib.SMTP(relay.host, relay.port, timeout=self._timeout_s)
            if smtp.sock is not None:
                # Small commands one after another: waiting to fill packets (Nagle) would add 40 ms to each.
                smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            smtp.ehlo_or_helo_if_needed()
            if relay.tls == "starttls":
                smtp.starttls(context=ssl.create_default_context())
                smtp.ehlo()
            if relay.user:
                smtp.login(relay.user, relay.password)
        except (smtplib.SMTPException, OSError) as error:
            raise TransportError(f"no connection to {relay}: {_words(error)}", relay_is_down=True) from error
        self._smtp = smtp
        return smtp

    def _command(self, smtp: smtplib.SMTP, command: str, sender: bool = False) -> None:
        try:
            code, reply = smtp.docmd(command)
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise TransportError(f"connection lost: {_words(error)}", relay_is_down=sender) from error
        if code in (250, 251):
            return
        self._reset(smtp, code)
        # A relay that refuses our sender, or closes (421), refuses everybody now; that is no fault of the address.
        closes = code == 421 or sender
        raise TransportError(_answer(code, reply), permanent=code >= 500 and not closes, relay_is_down=closes)

    def _send_content(self, smtp: smtplib.SMTP, message: bytes) -> str:
        try:
            code, reply = smtp.data(message)
        except smtplib.SMTPDataError as error:  # the answer to DATA itself: nothing was handed over
            self._reset(smtp, error.smtp_code)
            raise TransportError(
                _answer(error.smtp_code, error.smtp_error), permanent=error.smtp_code >= 500
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            reply_text = f"connection lost after the message was handed over, it may arrive twice: {_words(error)}"
            raise TransportError(reply_text, maybe_delivered=True) from error
        if code != 250:
            self._reset(smtp, code)
            raise TransportError(_answer(code, reply), permanent=code >= 500)
        return _answer(code, reply)

    def _reset(self, smtp: smtplib.SMTP, code: int) -> None:
        if code == 421:
            self._drop()
            return
        try:
            smtp.rset()
        except (smtplib.SMTPException, OSError):
            self._drop()

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()


def _answer(code: int, reply: bytes | str) -> str:
    words = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return f"{code} {' '.join(words.split())}"


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
