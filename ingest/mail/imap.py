"""An IMAP mailbox (RFC 3501): by UID and UIDVALIDITY, bounded in size and time whatever the server sends."""

from __future__ import annotations

import imaplib
import re
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ingest.documents import EVIDENCE_BYTES, Body, read_body

_SILENCE_TIMEOUT_S = 20.0
# For everything together: each single byte comes in time when a server drips.
_DEADLINE_S = 240.0
_MOST_LINE_BYTES = 1_000_000
_CHUNK_BYTES = 65_536


class MailboxError(Exception):
    """The mailbox did not give what was asked for; the message says what happened and holds no password."""


@dataclass(frozen=True)
class Account:
    """A mailbox and its key.

    Attributes
    ----------
    ca_file : certificates that are trusted besides the system's. deletes : take out what is stored.
    """

    host: str
    port: int
    user: str
    secret: str
    folder: str
    encryption: Literal["tls", "starttls", "none"]
    ca_file: str | None = None
    deletes: bool = False

    def __repr__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}/{self.folder}"


@dataclass(frozen=True)
class Position:
    """How far a mailbox was read; UIDs of another UIDVALIDITY mean nothing (RFC 3501, 2.3.1.1)."""

    uidvalidity: int = 0
    uid: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class _Bounded(imaplib.IMAP4):
    """imaplib, which waits for ever and takes all that a server announces, with both bounded."""

    limit_bytes = _MOST_LINE_BYTES
    ends_at = 0.0

    def read(self, size: int) -> bytes:
        if size > self.limit_bytes:
            raise MailboxError(f"the server announces {size} bytes where at most {self.limit_bytes} were asked for")
        parts = bytearray()
        while len(parts) < size:
            chunk = self._chunk(size - len(parts))
            if not chunk:
                raise self.abort("the connection ended inside a mail")
            parts += chunk
        return bytes(parts)

    def readline(self) -> bytes:
        line = bytearray()
        while not line.endswith(b"\n"):
            chunk = self._chunk(1)
            if not chunk:
                break
            line += chunk
            if len(line) > _MOST_LINE_BYTES:
                raise MailboxError("the server sent a line without end")
        return bytes(line)

    def _chunk(self, size: int) -> bytes:
        if self.ends_at and time.monotonic() > self.ends_at:
            raise MailboxError("the mailbox did not answer in time")
        # read1 returns what has come; read would wait until all is there.
        return bytes(
            self.file.read1(  # type: ignore[union-attr]
                min(size, _CHUNK_BYTES)
            )
        )


class _BoundedTls(_Bounded, imaplib.IMAP4_SSL):
    pass


class Session:
    """A login with a selected folder."""

    def __init__(self, client: _Bounded, account: Account) -> None:
        self.client, self.account = client, account

    def select(self, known: Position) -> Position:
        """Open the folder; return where to go on: from the beginning if the server has numbered anew.

        Raises
        ------
        MailboxError : there is no such folder.
        """
        self._ok(self.client.select(_quoted(self.account.folder)), f"the folder {self.account.folder} cannot be opened")
        values = self.client.response("UIDVALIDITY")[1]
        text = values[-1] if values else None
        if not isinstance(text, bytes) or not text.isdigit():
            raise MailboxError("the server gives no UIDVALIDITY")
        uidvalidity = int(text)
        return known if known.uidvalidity == uidvalidity else Position(uidvalidity)

    def new_uids(self, after: Position) -> list[int]:
        """Return the UIDs after a position, in their order; `*` is the last mail also when it is not new."""
        found = self._ok(self.client.uid("SEARCH", f"UID {after.uid + 1}:*"), "the search failed")
        numbers = {int(word) for line in found if isinstance(line, bytes) for word in line.split() if word.isdigit()}
        return sorted(uid for uid in numbers if uid > after.uid)

    def fetch(self, uid: int, limit_bytes: int) -> Body | None:
        """Return a mail without marking it, of one over the limit the beginning; None when it is gone meanwhile."""
        sizes = self._ok(self.client.uid("FETCH", str(uid), "(RFC822.SIZE)"), f"mail {uid} cannot be asked for")
        match = re.search(rb"RFC822\.SIZE (\d+)", b" ".join(line for line in sizes if isinstance(line, bytes)))
        if match is None:
            return None
        byte_size = int(match[1])
        wanted = EVIDENCE_BYTES if byte_size > limit_bytes else limit_bytes + 1
        self.client.limit_bytes = wanted
        answer = self._ok(self.client.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{wanted}>)"), f"mail {uid} did not come")
        content = next((part[1] for part in answer if isinstance(part, tuple)), None)
        if content is None:
            return None
        body = read_body([content], limit_bytes)
        if byte_size > limit_bytes:
            return Body(body.content, body.sha256, byte_size, is_truncated=True)
        return body

    def mark(self, uid: int) -> None:
        """Mark a stored mail as read; take it out if the installation wants that and the server can (RFC 4315)."""
        flags = r"(\Seen \Deleted)" if self.account.deletes else r"(\Seen)"
        self._ok(self.client.uid("STORE", str(uid), "+FLAGS.SILENT", flags), f"mail {uid} cannot be marked")
        if self.account.deletes and "UIDPLUS" in self.client.capabilities:
            self._ok(self.client.uid("EXPUNGE", str(uid)), f"mail {uid} cannot be taken out")

    def _ok(self, answer: tuple[str, list[Any]], what: str) -> list[Any]:
        if answer[0] != "OK":
            raise MailboxError(f"{self.account!r}: {what}")
        return answer[1]


@contextmanager
def login(account: Account, deadline_s: float = _DEADLINE_S) -> Iterator[Session]:
    """Log in for the length of a block.

    Raises
    ------
    MailboxError : whatever goes wrong with the server, inside the block, too.
    """
    client = None
    try:
        client = _connect(account, time.monotonic() + deadline_s)
        client.login(account.user, account.secret)
        yield Session(client, account)
    except MailboxError as error:
        raise MailboxError(str(error) if repr(account) in str(error) else f"{account!r}: {error}") from error
    except (imaplib.IMAP4.error, OSError, ValueError) as error:
        # The server's own words may repeat what was sent; a password must not get into a log.
        said = str(error).replace(account.secret, "…") if account.secret else str(error)
        raise MailboxError(f"{account!r}: {type(error).__name__}: {said}") from None
    finally:
        if client is not None:
            with suppress(imaplib.IMAP4.error, OSError, MailboxError):
                client.shutdown()


def _connect(account: Account, ends_at: float) -> _Bounded:
    context = ssl.create_default_context()
    if account.ca_file:
        context.load_verify_locations(account.ca_file)
    client: _Bounded
    # The greeting is read inside the constructor, so the end of time has to be on the class made for this session.
    bounds = {"ends_at": ends_at}
    if account.encryption == "tls":
        client = type("_Tls", (_BoundedTls,), bounds)(
            account.host, account.port, ssl_context=context, timeout=_SILENCE_TIMEOUT_S
        )
    else:
        client = type("_Plain", (_Bounded,), bounds)(account.host, account.port, timeout=_SILENCE_TIMEOUT_S)
        if account.encryption == "starttls":
            client.starttls(context)
    return client


def _quoted(folder: str) -> str:
    """Quote a folder's name; names outside ASCII are in modified UTF-7 (RFC 3501, 5.1.3), as the server lists them."""
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
