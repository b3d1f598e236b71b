"""Answers to citizens who reported something: one mail per change, with nothing in it of what they wrote."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from gis.database import SERVICE, Database
from gis.errors import UsageError
from gis.queries import load_queries
from gis.relay import Relay, relays
from gis.settings import Settings
from gis.town import load_town
from ingest.citizen_forms import Keys
from ingest.citizen_words import load_citizen_words

KEY_NAME = "report_key"
_QUERIES = load_queries(__file__)
BATCH = 200
_TIMEOUT_S = 30
_TOKYO = ZoneInfo("Asia/Tokyo")
_log = structlog.get_logger(__name__)


def answer_citizens(database: Database, settings: Settings) -> int:
    """Send what is due, at most one batch; return how many mails went out.

    Each is noted in a transaction of its own right after it was handed over. A crash in between sends that one
    again, with the same Message-ID. A relay that cannot be reached leaves everything due; an address that is
    refused for good gets no more.

    Raises
    ------
    OSError, smtplib.SMTPException : no relay takes mails now.
    """
    with database.begin(SERVICE) as connection:
        due = connection.execute(_QUERIES["due"], {"most": BATCH}).all()
    if not due:
        return 0
    with _connect(settings) as smtp:
        return sum(_answer(database, settings, smtp, row) for row in due)


def write_answer(settings: Settings, row: Any) -> EmailMessage:
    """Write the mail about one change.

    Parameters
    ----------
    row : `reference`, `language`, `contact`, `created_at`, `answers` and `state` of a report.
    """
    words = load_citizen_words(row.language)
    address = f"{settings.base_url}/report/{Keys(settings.secret(KEY_NAME)).token(row.reference)}"
    mail = EmailMessage(policy=SMTP)
    mail["From"] = settings.mail_from
    mail["To"] = row.contact
    mail["Subject"] = words["mail_subject"].replace("{town}", load_town().name(row.language))
    mail["Date"] = datetime.now(_TOKYO)
    mail["Message-ID"] = f"<report.{row.id}.{row.answers + 1}@{settings.mail_from.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notice answers it
    mail["List-Unsubscribe"] = f"<{address}/stop>"  # RFC 8058
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["Content-Language"] = row.language
    date = f"{row.created_at.astimezone(_TOKYO):%Y-%m-%d %H:%M}"
    lines = [
        words["mail_greeting"].replace("{date}", date),
        "",
        words[f"state_{row.state}"],
        "",
        words["mail_link"],
        f"{address}?lang={row.language}",
        "",
        words["mail_stop"],
        "",
        load_town().name(row.language),
    ]
    mail.set_content("\n".join(lines), cte="base64")
    return mail


def _answer(database: Database, settings: Settings, smtp: smtplib.SMTP, row: Any) -> bool:
    with database.begin(SERVICE, account="answers", reason="an answer to a citizen") as connection:
        values = {name: getattr(row, name) for name in ("id", "contact", "answers", "state")}
        if connection.execute(_QUERIES["hold"], values).first() is None:
            return False
        try:
            smtp.send_message(write_answer(settings, row))
        except smtplib.SMTPRecipientsRefused as refusal:
            code = max(code for code, _ in refusal.recipients.values())
            _log.warning("answer refused", report=row.id, code=code)
            if code >= 500:
                connection.execute(_QUERIES["give_up"], {"id": row.id})
            return False
        connection.execute(_QUERIES["note"], {"id": row.id, "state": row.state})
    return True


@contextmanager
def _connect(settings: Settings) -> Iterator[smtplib.SMTP]:
    """Open a connection to the first relay that answers."""
    failure: Exception = UsageError("There is no relay.", "Set MACHIMORI_SMTP_URL.")
    for relay in relays(settings):
        try:
            smtp = _open(relay)
        except (OSError, smtplib.SMTPException) as error:
            _log.warning("relay does not answer", relay=str(relay), reason=str(error))
            failure = error
            continue
        with smtp:
            yield smtp
        return
    raise failure


def _open(relay: Relay) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=relay.ca or None)
    if relay.tls == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(relay.host, relay.port, timeout=_TIMEOUT_S, context=context)
    else:
        smtp = smtplib.SMTP(relay.host, relay.port, timeout=_TIMEOUT_S)
    try:
        if relay.tls == "starttls":
            smtp.starttls(context=context)
        if relay.user:
            smtp.login(relay.user, relay.password)
    except BaseException:
        smtp.close()
        raise
    return smtp
