"""Whose mail is believed: an address on the list, and, where asked for, vouched for by our own mail server."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingest.mail.message import Mail
from ingest.reports import Unreadable


def check_sender(mail: Mail, allowed: Sequence[str], authserv: str) -> None:
    """Refuse a mail whose sender is not known.

    Parameters
    ----------
    allowed : addresses, or `@domain` for all of a domain; lower case.
    authserv : the name under which our mail server writes Authentication-Results (RFC 8601); "" = not asked for.

    Raises
    ------
    Unreadable : why it is not believed.
    """
    if len(mail.senders) != 1:
        raise Unreadable("the mail does not have exactly one sender")
    (sender,) = mail.senders
    domain = sender.rpartition("@")[2]
    if sender not in allowed and f"@{domain}" not in allowed:
        raise Unreadable("the mail's sender is not on the list of this source")
    if authserv and not _is_vouched_for(mail, domain, authserv):
        raise Unreadable(f"{authserv} does not vouch for the mail's sender (neither DMARC nor an aligned DKIM passed)")


def _is_vouched_for(mail: Mail, domain: str, authserv: str) -> bool:
    """Look at the newest result of our server alone: those below it may be the sender's own invention."""
    for value in mail.authentication:
        plain = re.sub(r"\([^()]*\)", "", value).lower()
        name, *results = (part.strip() for part in plain.split(";"))
        if name.split(" ")[0] == authserv.lower():
            return any(_passes(result, domain) for result in results)
    return False


def _passes(result: str, domain: str) -> bool:
    if match := re.match(r"dmarc\s*=\s*pass\b.*\bheader\.from\s*=\s*\"?([^\s\";]+)", result):
        return match[1].rpartition("@")[2] == domain
    if match := re.match(r"dkim\s*=\s*pass\b.*\bheader\.(?:d|i)\s*=\s*\"?([^\s\";]+)", result):
        signed = match[1].rpartition("@")[2]
        return domain == signed or domain.endswith(f".{signed}")
    return False
