"""Read the local mailbox: a Maildir that the local SMTP server fills and nobody else needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from itertools import islice
from pathlib import Path

from alerts.catalogue import JST

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=,+-]*")
_HEADERS = BytesHeaderParser(policy=policy.default)
_WHOLE = BytesParser(policy=policy.default)


@dataclass(frozen=True)
class MailSummary:
    """One line of the mailbox; `key` finds the mail again."""

    key: str
    recipient: str
    subject: str
    received_at: datetime


def list_mails(mailbox_dir: Path, wanted: str, first: int, most: int) -> list[MailSummary]:
    """Return up to `most` mails from number `first` on, newest first.

    Parameters
    ----------
    wanted : part of the recipient's address, the subject or the Message-ID, in any case; "" = all.
    """
    paths = sorted(
        (path for folder in ("new", "cur") for path in (mailbox_dir / folder).glob("[!.]*")), key=_age, reverse=True
    )
    fitting = (path for path in paths if not wanted or _fits(path, wanted.lower()))
    return [_summary(path) for path in islice(fitting, first, first + most)]


def read_mail(mailbox_dir: Path, key: str) -> EmailMessage | None:
    """Return one mail, or None when there is none of this key (a file name of the Maildir)."""
    if not _KEY.fullmatch(key):
        return None
    for folder in ("new", "cur"):
        for path in (mailbox_dir / folder).glob(f"{key}*"):
            if _key(path) == key:
                return _WHOLE.parsebytes(path.read_bytes())
    return None


def body_part(mail: EmailMessage, subtype: str) -> str:
    """Return the text of the part `plain` or `html`, "" when the mail has none."""
    part = mail.get_body(preferencelist=(subtype,))
    return part.get_content() if part is not None else ""


def _age(path: Path) -> tuple[float, str]:
    return path.stat().st_mtime, path.name


def _key(path: Path) -> str:
    """A Maildir name without its flags (`:2,S`)."""
    return path.name.partition(":")[0]


def _read_headers(path: Path) -> EmailMessage:
    with path.open("rb") as file:
        return _HEADERS.parse(file)


def _fits(path: Path, wanted: str) -> bool:
    mail = _read_headers(path)
    return any(wanted in str(mail.get(name, "")).lower() for name in ("To", "Subject", "Message-ID"))


def _summary(path: Path) -> MailSummary:
    mail = _read_headers(path)
    received_at = datetime.fromtimestamp(path.stat().st_mtime, JST)
    return MailSummary(_key(path), str(mail.get("To", "")), str(mail.get("Subject", "")), received_at)
