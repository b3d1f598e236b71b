"""What the approvers are told by mail: that somebody sent a message alone, or that something waits for them."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

import structlog
from sqlalchemy import Connection, Row

from alerts.catalogue import write_moment
from gis.database import SERVICE, Database
from gis.jobs import enqueue
from gis.queries import load_queries
from gis.settings import DATA_DIR, Settings
from gis.staff_mail import send_staff_mail

_QUERIES = load_queries(__file__)
_log = structlog.get_logger(__name__)
_LANGUAGES = ("ja", "en")


def note_waiting(connection: Connection, alert_id: int) -> None:
    """Write down that a message waits for people, and the job that mails it. Role: `machimori_service`."""
    if connection.execute(_QUERIES["note_waiting"], {"alert_id": alert_id}).rowcount:
        enqueue(connection, "alerts.mail_notices", once="alerts.mail_notices")


def mail_notices(database: Database, settings: Settings) -> int:
    """Mail what is still to be told, each in a transaction of its own; return how many notices went out.

    They go to every approver's address and to those of `MACHIMORI_ALARM_MAIL`. A worker that dies between the relay's
    yes and the note of it tells the same notice again, never none.

    Raises
    ------
    StaffMailError : no relay took it; the job is tried again.
    """
    count = 0
    with database.begin(SERVICE) as connection:
        connection.execute(_QUERIES["drop_overtaken"])
    while True:
        with database.begin(SERVICE) as connection:
            notice = connection.execute(_QUERIES["next_notice"]).first()
            if notice is None:
                return count
            addresses = tuple(dict.fromkeys([*notice.addresses, *settings.alarm_mail]))
            if addresses:
                send_staff_mail(settings, *write_notice(settings, notice), addresses)
            else:
                _log.error("no approver has an address, so nobody is told", alert_id=notice.alert_id, kind=notice.kind)
            connection.execute(_QUERIES["note_mailed"], {"id": notice.id, "addresses": len(addresses)})
            count += 1


def has_unmailed(connection: Connection) -> bool:
    """Whether a notice still waits: its job was lost, or nobody wrote one. Role: `machimori_service`."""
    return bool(connection.execute(_QUERIES["has_unmailed"]).scalar_one())


def write_notice(settings: Settings, notice: Row[Any]) -> tuple[str, str]:
    """Return subject and body, in Japanese and below it in English. A drill says so first."""
    subjects, bodies = [], []
    for language in _LANGUAGES:
        words = _load_words()[language]
        values = _proposal(settings, notice, language) if notice.standing_id else _message(settings, notice, language)
        drill = words["drill"] if notice.cap_status != "Actual" else ""
        subjects.append(drill + words[notice.kind]["subject"].format(**values))
        bodies.append(drill + words[notice.kind]["body"].strip().format(**values))
    return " ".join(subjects[0].split()), "\n\n----\n\n".join(bodies) + "\n"


def _message(settings: Settings, notice: Row[Any], language: str) -> dict[str, object]:
    return {
        "number": notice.alert_id,
        "headline": notice.headline or "-",
        "level": notice.level,
        "area": notice.area_name,
        "account": notice.approved_by or notice.submitted_by or notice.created_by,
        "reason": notice.override_reason or "-",
        "time": write_moment(notice.sent_at or notice.created_at, language),
        "url": f"{settings.base_url}/staff/alerts/{notice.alert_id}",
    }


def _proposal(settings: Settings, notice: Row[Any], language: str) -> dict[str, object]:
    return {
        "account": notice.proposed_by,
        "telegram": notice.telegram,
        "occasion": _load_words()[language][notice.occasion],
        "levels": ", ".join(map(str, notice.levels)),
        "reason": notice.reason,
        "begin": write_moment(notice.valid_from, language),
        "end": write_moment(notice.valid_until, language),
        "url": f"{settings.base_url}/staff/alerts/standing",
    }


@cache
def _load_words() -> dict[str, Any]:
    return tomllib.loads((DATA_DIR / "approver_mail.toml").read_text(encoding="utf-8"))
