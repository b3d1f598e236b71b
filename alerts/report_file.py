"""The record of one message as a table for the file: CSV, UTF-8 with BOM, nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
from datetime import datetime
from io import StringIO

from sqlalchemy import Connection, text

from alerts.catalogue import JST
from alerts.progress import mask_addresses, read_progress
from alerts.report import report_alert

_MEANT_AS_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_TEXTS = text(
    "SELECT language, headline, description, instruction FROM alerts.alert_text WHERE alert_id = :id ORDER BY language"
)
_FACTS = [
    "identifier",
    "cap_status",
    "msg_type",
    "phase",
    "level",
    "category",
    "urgency",
    "severity",
    "certainty",
    "state",
    "event",
    "area_name",
    "references_id",
    "answer_id",
    "effective_at",
    "onset_at",
    "sent_at",
    "expires_at",
    "submitted_by",
    "approved_by",
    "standing_id",
    "area_confirmed_by",
]
_HEAD = ("part", "time", "name", "who", "number", "text")


def write_csv(connection: Connection, alert_id: int) -> str:
    """Return the course of an alert: facts, steps, words, states, domains, failures. Addresses are masked.

    The number beside the reason of who sent alone is how many addresses of approvers were told.

    Raises
    ------
    UsageError : there is no such alert.
    """
    course, progress = report_alert(connection, alert_id, most_failures=1000), read_progress(connection, alert_id)
    alert = course.alert
    rows: list[tuple[object, ...]] = [_HEAD]
    rows += [("fact", "", name, "", "", getattr(alert, name)) for name in _FACTS]
    # What people wrote may quote an address.
    rows.append(("fact", "", "override_reason", "", alert.told, mask_addresses(alert.override_reason)))
    # What was doubtful about the area, if anything: who confirmed it stands above.
    rows += [("fact", "", "area_doubt", alert.area_confirmed_by, "", doubt) for doubt in alert.area_doubts]
    rows += [
        ("step", step.created_at, step.state, step.account, step.messages, mask_addresses(step.note or ""))
        for step in course.steps
    ]
    for words in connection.execute(_TEXTS, {"id": alert_id}):
        whole = "\n".join(part for part in (words.headline, words.instruction, words.description) if part)
        rows.append(("words", "", words.language, "", "", whole))
    rows += [("state", row.last_at, row.state, "", row.messages, "") for row in course.states]
    rows += [
        ("domain", "", row.domain or "other domains", row.channel, row.messages, f"accepted {row.accepted}")
        for row in progress.domains
    ]
    rows += [("reason", "", name, "", number, "") for name, number in progress.reasons.items()]
    rows.append(("doubles", "", "may have arrived twice", "", progress.in_doubt, ""))
    rows += [
        ("failure", row.last_at, row.outcome, row.relay, row.messages, mask_addresses(row.reply))
        for row in course.failures
    ]
    out = StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([_cell(value) for value in row] for row in rows)
    return "\ufeff" + out.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(JST).isoformat(timespec="seconds")
    words = "" if value is None else str(value)
    return f"'{words}" if words.startswith(_MEANT_AS_FORMULA) else words
