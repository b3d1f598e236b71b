"""A plain mail to the staff who keep this installation, through the relays of the warnings."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from gis.errors import UsageError
from gis.relay import Relay, relays
from gis.settings import Settings

_TIMEOUT_S = 15.0


class StaffMailError(Exception):
    """No relay took the mail; the message says what each answered."""


def send_staff_mail(settings: Settings, subject: str, body: str, addresses: Sequence[str] = ()) -> None:
    """Send one mail to `addresses`, else to those of `settings.alarm_mail`; the first relay that takes it is enough.

    Raises
    ------
    StaffMailError : there is no relay, or none took it.
    """
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = settings.mail_from, ", ".join(addresses or settings.alarm_mail), subject
    mail["Date"] = formatdate(localtime=True)
    mail["Message-ID"] = make_msgid(domain=settings.mail_from.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence answers it
    mail.set_content(body)
    answers = []
    try:
        usable = relays(settings)
    except UsageError as error:
        raise StaffMailError(str(error)) from error
    for relay in usable:
        try:
            _hand_over(relay, mail)
        except (OSError, smtplib.SMTPException) as error:
            answers.append(f"{relay}: {error}")
        else:
            return
    raise StaffMailError("; ".join(answers))


def _hand_over(relay: Relay, mail: EmailMessage) -> None:
    context = ssl.create_default_context(cafile=relay.ca or None)
    if relay.tls == "tls":
        client: smtplib.SMTP = smtplib.SMTP_SSL(relay.host, relay.port, timeout=_TIMEOUT_S, context=context)
    else:
        client = smtplib.SMTP(relay.host, relay.port, timeout=_TIMEOUT_S)
    with client:
        if relay.tls == "starttls":
            client.starttls(context=context)
        if relay.user:
            client.login(relay.user, relay.password)
        client.send_message(mail)
