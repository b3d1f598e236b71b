"""The mailbox that bounces arrive in: a Maildir on this machine or an IMAP folder elsewhere."""

from __future__ import annotations

import imaplib
import mailbox
import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gis.errors import UsageError

_TIMEOUT_S = 30
_MOST_AT_ONCE = 500

Take = Callable[[bytes], object]


def read_mailbox(url: str, take: Take) -> int:
    """Give every unread message to `take` and mark it as read afterwards; return how many.

    A message whose `take` raises stays unread, and so do those behind it.

    Parameters
    ----------
    url : `maildir:///folder`, `imaps://user:password@host[:port][/folder]`, or `imap://…` (STARTTLS where offered).

    Raises
    ------
    UsageError : the URL is neither, or the folder is not there.
    imaplib.IMAP4.error, OSError : the server refuses or cannot be reached.
    """
    parts = urlsplit(url)
    if parts.scheme == "maildir":
        return _read_maildir(Path(unquote(parts.path)), take)
    if parts.scheme in ("imap", "imaps") and parts.hostname:
        return _read_imap(url, take)
    raise UsageError(
        "The bounce mailbox is not understood.",
        "Write maildir:///folder or imaps://user:password@host/INBOX in MACHIMORI_BOUNCE_MAILBOX.",
    )


def _read_maildir(folder: Path, take: Take) -> int:
    if not (folder / "new").is_dir():
        raise UsageError(
            f"{folder} is no Maildir.", "Set MACHIMORI_BOUNCE_MAILBOX to the folder that holds new/ and cur/."
        )
    box = mailbox.Maildir(folder, create=False)
    count = 0
    for key in sorted(box.keys())[:]:
        message = box.get_message(key)
        if "S" in message.get_flags():
            continue
        take(box.get_bytes(key))
        message.set_subdir("cur")
        message.add_flag("S")
        box[key] = message
        count += 1
        if count == _MOST_AT_ONCE:
            break
    box.close()
    return count


def _read_imap(url: str, take: Take) -> int:
    parts = urlsplit(url)
    host, context = parts.hostname or "", ssl.create_default_context()
    if parts.scheme == "imaps":
        server: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, parts.port or 993, ssl_context=context, timeout=_TIMEOUT_S)
    else:
        server = imaplib.IMAP4(host, parts.port or 143, timeout=_TIMEOUT_S)
        if "STARTTLS" in server.capabilities:
            server.starttls(context)
    with server:
        server.login(unquote(parts.username or ""), unquote(parts.password or ""))
        state, _ = server.select(unquote(parts.path.strip("/")) or "INBOX")
        if state != "OK":
            raise UsageError("The bounce mailbox has no such folder.", "Check MACHIMORI_BOUNCE_MAILBOX.")
        numbers = server.search(None, "UNSEEN")[1][0].split()[:_MOST_AT_ONCE]
        for number in numbers:
            fetched = server.fetch(number, "(BODY.PEEK[])")[1][0]
            if isinstance(fetched, tuple):
                take(fetched[1])
                server.store(number, "+FLAGS", "\\Seen")
    return len(numbers)
