"""The local mailbox: an SMTP server on the loopback that keeps every mail and sends none on.

It stands in for the relay while MACHIMORI_SMTP_URL is not set, so that a demonstration or a drill
shows real mails and reaches nobody outside.
"""

from __future__ import annotations

import asyncio
import os
import time
from itertools import count
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from gis.settings import Settings

_MAX_MAIL_BYTES = 10_000_000


class MaildirHandler:
    """Keeps each mail in a Maildir, as it came, under the envelope's addresses.

    The layout is Maildir's (https://cr.yp.to/proto/maildir.html): written to `tmp`, renamed into
    `new`, so that a reader never sees half a mail.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)
        for name in ("tmp", "new", "cur"):
            (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Write the mail; refuse it for now when the disk does."""
        name = f"{time.time_ns()}.P{os.getpid()}Q{next(self._numbers)}.machimori"
        head = f"X-MailFrom: {envelope.mail_from}\r\nX-RcptTo: {', '.join(envelope.rcpt_tos)}\r\n"
        path = self._folder / "tmp" / name
        try:
            path.write_bytes(head.encode() + (envelope.original_content or b""))
            path.rename(self._folder / "new" / name)
        except OSError as error:
            path.unlink(missing_ok=True)
            return f"452 4.3.1 the mailbox cannot keep it now: {error.strerror}"
        return "250 2.0.0 kept in the local mailbox"


class LenientSMTP(SMTP):
    """Takes addresses that RFC 5321 forbids and Japanese carriers once gave out, such as `a..b@docomo.ne.jp`."""

    def _getaddr(self, argument: str) -> tuple[str | None, str | None]:
        start, _, rest = argument.partition("<")
        address, bracket, parameters = rest.partition(">")
        if start.strip() or not bracket or (address and "@" not in address):
            return None, None
        return address, parameters.strip()


def port_file(settings: Settings) -> Path:
    """Return the file that names the mailbox's port while it runs; `gis.relay` reads it."""
    return settings.var_dir / "run" / "mailbox.port"


async def serve_mailbox(settings: Settings, stop: asyncio.Event) -> None:
    """Serve on a free loopback port, named in `port_file`, until `stop` is set."""
    loop = asyncio.get_running_loop()
    handler = MaildirHandler(settings.mailbox_dir)
    server = await loop.create_server(
        lambda: LenientSMTP(
            handler, hostname="localhost", ident="machimori", data_size_limit=_MAX_MAIL_BYTES, enable_SMTPUTF8=True,
            loop=loop,
        ),
        host="127.0.0.1", port=0,
    )  # fmt: skip
    _write_port(port_file(settings), server.sockets[0].getsockname()[1])
    try:
        await stop.wait()
    finally:
        port_file(settings).unlink(missing_ok=True)
        server.close()


def _write_port(path: Path, port: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.write_text(str(port))
    unfinished.replace(path)
