"""What comes back by mail: delivery reports (RFC 3461 to 3464), complaints (RFC 5965), unsubscriptions, and the free
prose of carriers that follow no standard."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage, Message
from typing import Literal

from alerts.refusals import Kind, read_refusal
from alerts.return_path import ReturnAddresses

_ENVELOPE = ("Delivered-To", "X-Original-To", "Envelope-To", "Apparently-To", "To")
_DAEMON = re.compile(r"^(mailer-daemon|mail-daemon|postmaster|maildelivery\w*|mail-delivery\w*)@?", re.IGNORECASE)
_MOST_TEXT = 200_000


@dataclass(frozen=True)
class Return:
    """One message that came back.

    Attributes
    ----------
    what : `bounce`, `complaint`, `unsubscribe`, `notice` (delayed, delivered: nothing to do) or `unknown`.
    delivery_id : ours, or None.
    is_genuine : the delivery's own marked address was in it; else the address must speak for it.
    address : the recipient that the report names, "" if none.
    kind, status, words, reporter : of a bounce.
    """

    what: Literal["bounce", "complaint", "unsubscribe", "notice", "unknown"]
    delivery_id: int | None
    is_genuine: bool
    address: str = ""
    kind: Kind = "policy"
    status: str = ""
    words: str = ""
    reporter: str = ""


def read_return(raw: bytes, addresses: ReturnAddresses, domain: str) -> Return:
    """Understand one message of the bounce mailbox.

    Parameters
    ----------
    domain : of our Message-IDs.
    """
    message = email.message_from_bytes(raw, policy=email.policy.default)
    envelope = " ".join(str(value) for name in _ENVELOPE for value in message.get_all(name, []))
    text = raw[:_MOST_TEXT].decode("utf-8", "replace")
    marked = addresses.read(envelope)
    if marked and marked[1] == "u":
        return Return("unsubscribe", marked[0], True)
    report = _report_type(message)
    # Inside a report stands our own message: its return path and its Message-ID. Folded lines are put together.
    unfolded = re.sub(r"\r?\n[ \t]", "", text)
    marked = marked or (addresses.read(unfolded) if report else None)
    delivery_id = marked[0] if marked and marked[1] == "b" else _message_id(unfolded, domain)
    is_genuine = bool(marked and marked[1] == "b")
    if report == "feedback-report":
        fields = _fields(message, "message/feedback-report")
        address = _address(_first(fields, "Original-Rcpt-To"))
        is_abuse = _first(fields, "Feedback-Type").lower() in ("abuse", "fraud", "opt-out", "")
        return Return("complaint" if is_abuse else "notice", delivery_id, is_genuine, address)
    if report == "delivery-status":
        return _read_status(message, delivery_id, is_genuine)
    return _read_prose(message, text, delivery_id, is_genuine)


def _read_status(message: EmailMessage, delivery_id: int | None, is_genuine: bool) -> Return:
    fields = _fields(message, "message/delivery-status")
    address = _address(_first(fields, "Original-Recipient") or _first(fields, "Final-Recipient"))
    action = _first(fields, "Action").split(";")[0].strip().lower()
    if action in ("delayed", "delivered", "relayed", "expanded"):
        return Return("notice", delivery_id, is_genuine, address)
    status = _first(fields, "Status").split(" ")[0]
    diagnostic = _first(fields, "Diagnostic-Code").partition(";")[2].strip()
    # The enhanced code decides; a vague one (5.0.0) leaves it to the words behind.
    words = " ".join(f"{status if not status.endswith('.0.0') else ''} {diagnostic}".split()) or status
    refusal = read_refusal(words)
    kind: Kind = refusal.kind if refusal.is_final else "soft"
    reporter = (_first(fields, "Remote-MTA") or _first(fields, "Reporting-MTA")).partition(";")[2].strip()
    return Return("bounce", delivery_id, is_genuine, address, kind, refusal.status or status, words, reporter)


def _read_prose(message: EmailMessage, text: str, delivery_id: int | None, is_genuine: bool) -> Return:
    """Read a bounce without a report: only from a mail system itself, never an answer of a person or a robot."""
    sender = str(message.get("From", ""))
    is_daemon = bool(_DAEMON.match(_address(sender))) or str(message.get("Return-Path", "")).strip() == "<>"
    if not is_daemon or str(message.get("Auto-Submitted", "")).lower().startswith("auto-replied"):
        return Return("unknown", delivery_id, is_genuine)
    body = message.get_body(("plain", "html"))
    prose = str(body.get_content())[:20_000] if body is not None else text[:20_000]
    address = str(message.get("X-Failed-Recipients", "")) or _first_address(prose)
    for line in prose.splitlines():
        refusal = read_refusal(line)
        if refusal.is_final and (refusal.kind == "hard" or refusal.status or re.search(r"\b5\d\d\b", line)):
            return Return(
                "bounce", delivery_id, is_genuine, address, refusal.kind, refusal.status, " ".join(line.split())[:500]
            )
        if refusal.kind == "soft":
            return Return(
                "bounce", delivery_id, is_genuine, address, "soft", refusal.status, " ".join(line.split())[:500]
            )
    return Return("unknown", delivery_id, is_genuine, address)


def _report_type(message: Message) -> str:
    if message.get_content_type() != "multipart/report":
        return ""
    return str(message.get_param("report-type", "")).lower()


def _fields(message: Message, content_type: str) -> list[Message]:
    """Return the field groups of a report's machine-readable part."""
    return [group for part in message.walk() if part.get_content_type() == content_type for group in _groups(part)]


def _groups(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (group for group in payload if isinstance(group, Message))
    elif isinstance(payload, str):
        yield from (email.message_from_string(block) for block in re.split(r"\r?\n\r?\n", payload) if block.strip())
    for group in payload if isinstance(payload, list) else []:
        inner = group.get_payload() if isinstance(group, Message) else None
        if isinstance(inner, str) and ":" in inner:
            yield email.message_from_string(inner)


def _first(groups: list[Message], name: str) -> str:
    return next((" ".join(str(group[name]).split()) for group in groups if group[name]), "")


def _address(value: str) -> str:
    """Return the bare address of `rfc822; a@b`, `Name <a@b>` or `<a@b>`, in small letters."""
    return value.rpartition(";")[2].rpartition("<")[2].strip(" >\t").strip('"').replace('"@', "@").lower()


def _first_address(prose: str) -> str:
    found = re.search(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\"-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}", prose)
    return _address(found[0]) if found else ""


def _message_id(text: str, domain: str) -> int | None:
    found = re.search(rf"<\d{{1,18}}\.(\d{{1,18}})@{re.escape(domain)}>", text, re.IGNORECASE)
    return int(found[1]) if found else None
