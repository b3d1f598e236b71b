"""警察の防犯メール (不審者情報, as みやぎSecurityメール): from a mailbox of the town, notice by notice.

[miyagi_mail]
type = "safety_mail"
title = "宮城県警察 防犯メール"
every_s = 60                                     # a mail in a Maildir is taken at once, whatever this says
url = "imaps://bousai@mail.example/INBOX"        # or maildir:/var/mail/bousai
secret = "…"                                     # the mailbox's password
senders = ["news@police.example"]                # or "@police.example" for a whole domain
office = "宮城県警察"                             # as the public reads it; default: title
authserv = "mx.town.example"                     # optional: our server must vouch for the sender (RFC 8601)
neighbours = { "石巻市" = "04202" }               # optional: what happens there concerns us, too
deletes = false                                  # optional: take mails out of the box when they are stored

Nothing of a mail's words is public: what is comes from data/mail_words.toml (docs/decisions/2026-11-22-safety-mail.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from gis.errors import UsageError
from gis.town import Town
from ingest.configuration import SourceConfig
from ingest.latest_fold import fold_latest
from ingest.mail.mailbox import fetch_mail, has_new_mail, read_address
from ingest.mail.message import mark_exercise, read_mail
from ingest.mail.records import Office, read_notices
from ingest.mail.senders import check_sender
from ingest.reports import Rejected, Report
from ingest.source import Source

_FOLDS = dict.fromkeys(("suspicious_person", "crime", "traffic", "other"), fold_latest)


def parse(
    body: bytes, town: Town, office: Office, senders: Sequence[str] | None = None, authserv: str = ""
) -> list[Report | Rejected]:
    """Read a mail; each of its notices becomes a report or is rejected with its reason.

    Parameters
    ----------
    senders : see `check_sender`; None = whoever gives it to us is believed (a replay by hand).

    Raises
    ------
    Unreadable : it is no mail, says nothing, or comes from somebody else.
    """
    mail = read_mail(body)
    if senders is not None:
        check_sender(mail, senders, authserv)
    return read_notices(mail, town, office)


def make_source(config: SourceConfig) -> Source:
    """Return the source of one mailbox.

    Raises
    ------
    UsageError : an option is missing or wrong.
    """
    senders = config.option("senders", list)
    if not senders or not all(isinstance(sender, str) and "@" in sender for sender in senders):
        raise UsageError(
            f"Source {config.name}: senders are not all addresses.", 'Write senders = ["news@police.example"].'
        )
    office = Office(config.name, str(config.options.get("office", config.title)), _neighbours(config))
    allowed = [sender.lower() for sender in senders]
    return Source(
        name=config.name,
        title=config.title,
        parse=partial(parse, office=office, senders=allowed, authserv=str(config.options.get("authserv", ""))),
        folds=_FOLDS,
        schedule=config.schedule,
        fetch=fetch_mail if "url" in config.options else None,
        is_waiting=_look(config),
        as_exercise=mark_exercise,
        is_private=True,
        seeks_events=True,
        options=config.options,
    )


def _look(config: SourceConfig) -> Callable[[], bool] | None:
    """Return how to see that a mail lies in a Maildir; None for a mailbox on another machine, and without one."""
    address = read_address(config.name, config.options) if "url" in config.options else None
    return partial(has_new_mail, address) if isinstance(address, Path) else None


def _neighbours(config: SourceConfig) -> dict[str, str]:
    neighbours = config.options.get("neighbours", {})
    if not isinstance(neighbours, dict) or not all(
        isinstance(code, str) and code.isdigit() and len(code) == 5 for code in neighbours.values()
    ):
        raise UsageError(
            f"Source {config.name}: neighbours are not names with codes of five digits.",
            'Write neighbours = { "石巻市" = "04202" }.',
        )
    return neighbours


SOURCE = Source(
    "safety_mail",
    "警察（防犯メール）",
    partial(parse, office=Office("safety_mail", "警察")),
    _FOLDS,
    as_exercise=mark_exercise,
    is_private=True,
    seeks_events=True,
)
