"""Ask a mailbox for what is new: store each mail, and only then note and mark it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from gis.database import Database
from gis.errors import UsageError
from gis.settings import Settings
from ingest.documents import Body, read_body
from ingest.mail.imap import Account, MailboxError, Position, login
from ingest.processing import receive
from ingest.runs import RunState, load_progress, record_failure, record_progress, record_success, running_alone
from ingest.summary import RunSummary

if TYPE_CHECKING:
    from ingest.source import Source

# What one run takes; the rest follows in the next.
_MOST_MAILS = 200
_CHUNK_BYTES = 65_536
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class _Run:
    database: Database
    source: Source
    limit_bytes: int
    summary: RunSummary

    def take(self, name: str, body: Body) -> None:
        receive(self.database, self.source, "feed", name, body, self.summary)


def fetch_mail(database: Database, settings: Settings, source: Source) -> RunSummary:
    """Take what is new from the mailbox of `source.options`, oldest first; one run at a time.

    A mail is stored (committed) before its position is noted and it is marked as read, so that a crash in between asks
    for it again; the same bytes are not stored twice.
    """
    summary, address = RunSummary(), read_address(source.name, source.options)
    with running_alone(database, source.name) as state:
        if state is None:
            return summary
        run = _Run(database, source, settings.max_document_bytes, summary)
        try:
            validators = _take_maildir(run, address) if isinstance(address, Path) else _take_imap(run, address, state)
        except MailboxError as error:
            summary.failures.append(str(error))
            # As far as it came stands in the database already.
            record_failure(database, source.name, str(error), load_progress(database, source.name))
        else:
            record_success(database, source.name, validators)
    return summary


def has_new_mail(folder: Path) -> bool:
    """Whether a mail lies in `new/` of a Maildir; False when it cannot be looked at: the run says why."""
    try:
        return next(_delivered(folder / "new"), None) is not None
    except OSError:
        return False


def read_address(name: str, options: Mapping[str, Any]) -> Account | Path:
    """Return the mailbox that a source's options name: an account, or the folder of a Maildir.

    Raises
    ------
    UsageError : it is not understood, or the password would go over the network in the clear.
    """
    url = str(options.get("url", ""))
    parts = urlsplit(url)
    if parts.scheme == "maildir" and parts.path:
        return Path(unquote(parts.path))
    if parts.scheme not in ("imap", "imaps") or not parts.hostname or not parts.username:
        raise UsageError(
            f"Source {name}: the url is no mailbox.", "Write imaps://user@host/INBOX or maildir:/path/to/Maildir."
        )
    if parts.password:
        raise UsageError(f"Source {name}: the password stands in the url.", 'Write it as secret = "…".')
    if not isinstance(options.get("secret"), str):
        raise UsageError(f"Source {name}: secret is missing.", "It is the password of the mailbox.")
    return Account(
        host=parts.hostname,
        port=parts.port or (993 if parts.scheme == "imaps" else 143),
        user=unquote(parts.username),
        secret=options["secret"],
        folder=unquote(parts.path.strip("/")) or "INBOX",
        encryption="tls" if parts.scheme == "imaps" else "none" if parts.hostname in _LOOPBACK else "starttls",
        ca_file=options.get("ca_file"),
        deletes=bool(options.get("deletes", False)),
    )


def _take_imap(run: _Run, account: Account, state: RunState) -> dict[str, Any]:
    with login(account) as session:
        position = session.select(Position(**state.validators) if state.validators else Position())
        for uid in session.new_uids(position)[:_MOST_MAILS]:
            body = session.fetch(uid, run.limit_bytes)
            if body is not None:
                run.take(f"mail:{position.uidvalidity}:{uid}", body)
                session.mark(uid)
            position = Position(position.uidvalidity, uid)
            record_progress(run.database, run.source.name, position.as_json())
        return position.as_json()


def _take_maildir(run: _Run, folder: Path) -> dict[str, Any]:
    """Take `new/` of a Maildir (https://cr.yp.to/proto/maildir.html); what is stored goes to `cur/` as seen."""
    new, current = folder / "new", folder / "cur"
    if not new.is_dir() or not current.is_dir():
        raise MailboxError(f"{folder} is no Maildir: new/ or cur/ is missing")
    try:
        for path in sorted(_delivered(new))[:_MOST_MAILS]:
            with path.open("rb") as file:
                body = read_body(iter(lambda file=file: file.read(_CHUNK_BYTES), b""), run.limit_bytes)  # type: ignore[misc]
            run.take(f"mail:{path.name}", body)
            path.rename(current / f"{path.name.partition(':')[0]}:2,S")
    except OSError as error:
        raise MailboxError(f"{folder}: {error.strerror or error}") from error
    return {}


def _delivered(new: Path) -> Iterator[Path]:
    return (path for path in new.iterdir() if path.is_file() and not path.is_symlink())
