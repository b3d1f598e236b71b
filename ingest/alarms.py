"""Alarms to the staff: a source that fails, says nothing, or lives in another time."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, Row

from gis.database import SERVICE, Database
from gis.queries import load_queries
from gis.settings import DATA_DIR, Settings
from gis.staff_mail import StaffMailError, send_staff_mail
from ingest.clock import scheduled_sources
from ingest.fault_words import explain_fault, technical_words
from ingest.source import Source, load_sources, source_faults

_FAILING_AFTER = timedelta(minutes=10)
_CLOCK_TOLERANCE = timedelta(minutes=10)  # as in ingest.processing: further ahead, nothing goes out by itself
_TOWN_TIME = ZoneInfo("Asia/Tokyo")

_QUERIES = load_queries(__file__)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Alarm:
    """One reason for the staff to look at a source.

    Attributes
    ----------
    cause : failing, silent, future, past or configuration. reason : in the program's or the other side's words.
    """

    source: str
    cause: str
    since: datetime
    reason: str = ""


def watch_sources(database: Database, settings: Settings) -> None:
    """Look at all sources once: raise, keep and close alarms, and send the mails that are due."""
    with database.begin(SERVICE) as connection:
        for alarm in find_alarms(connection, settings, datetime.now(UTC)):
            connection.execute(
                _QUERIES["raise_alarm"],
                {"source": alarm.source, "cause": alarm.cause, "since": alarm.since, "reason": alarm.reason},
            )
        connection.execute(_QUERIES["close_alarms"])
    if settings.alarm_mail:
        _send_all(database, settings, "to_mail", "note_mail", is_back=False)
        _send_all(database, settings, "to_mail_back", "note_back", is_back=True)


def find_alarms(connection: Connection, settings: Settings, now: datetime) -> list[Alarm]:
    """Return what is wrong at this moment. A source that a person paused raises nothing. Role: service."""
    alarms = [
        Alarm(settings.sources_path.name, "configuration", now, f"{fault.message} {fault.hint}")
        for fault in source_faults()
    ][:1]
    sources, asked = load_sources(), scheduled_sources(settings)
    for signs in connection.execute(_QUERIES["source_signs"], {"names": list(sources)}):
        source = sources[signs.name]
        # Without a feed's address nothing comes, and that is as it was set up.
        if not signs.is_paused and (source.fetch is None or source.name in asked):
            alarms += _judge(source, signs, now)
    return alarms


def standing_alarms(connection: Connection) -> list[Row[Any]]:
    """Return the alarms that stand, the longest first. Role: service or `dept_disaster`."""
    return list(connection.execute(_QUERIES["standing"]))


def _judge(source: Source, signs: Row[Any], now: datetime) -> Iterable[Alarm]:
    if signs.failing_since and now - signs.failing_since > _FAILING_AFTER:
        yield Alarm(source.name, "failing", signs.failing_since, signs.last_error or "")
    silent_after_s = source.schedule.silent_after_s if source.schedule else None
    norm = timedelta(seconds=silent_after_s) if silent_after_s else None
    if norm and now - signs.heard_at > norm:
        yield Alarm(source.name, "silent", signs.heard_at)
    if signs.reported_at is None:
        return
    is_ahead = signs.reported_at - signs.newest_at > _CLOCK_TOLERANCE
    if is_ahead or (norm and signs.newest_at - signs.reported_at > norm):
        at = signs.reported_at.astimezone(_TOWN_TIME)
        yield Alarm(source.name, "future" if is_ahead else "past", signs.newest_at, f"{at:%Y-%m-%d %H:%M}")


def _send_all(database: Database, settings: Settings, due: str, note: str, is_back: bool) -> None:
    """Send what is due, each in a transaction of its own: noted when a relay has it, tried again when none does."""
    while True:
        with database.begin(SERVICE) as connection:
            alarm = connection.execute(_QUERIES[due]).first()
            if alarm is None:
                return
            try:
                send_staff_mail(settings, *write_mail(settings, alarm, is_back))
            except StaffMailError as error:
                _log.error("the alarm about a source could not be mailed", source=alarm.source, error=str(error))
                return
            connection.execute(_QUERIES[note], {"id": alarm.id})


def write_mail(settings: Settings, alarm: Any, is_back: bool) -> tuple[str, str]:
    """Return subject and body of the mail about an alarm, in Japanese and below it in English."""
    source = load_sources().get(alarm.source)
    values = {
        "name": alarm.source,
        "title": source.title if source else alarm.source,
        "since": f"{alarm.since.astimezone(_TOWN_TIME):%Y-%m-%d %H:%M}",
        "url": f"{settings.base_url}/staff/ingest",
    }
    bodies = []
    for language in ("ja", "en"):
        texts, values = _texts()[language], values | {"reason": _reason(alarm, language)}
        cause = texts["back"].format(**values) if is_back else texts["causes"][alarm.cause]
        bodies.append(texts["body"].strip().format(cause=cause, **values))
    subject = _texts()["ja"]["subject_back" if is_back else "subject_alarm"].format(**values)
    return subject, "\n\n--\n\n".join(bodies) + "\n"


def _reason(alarm: Any, language: str) -> str:
    """Return the reason in a language, with the original below it; of a wrong clock it is a time."""
    if not alarm.reason or alarm.cause in ("future", "past"):
        return alarm.reason or "-"
    words = explain_fault(alarm.reason, language)
    return words if words == alarm.reason else f"{words}\n{technical_words(language)}: {alarm.reason}"


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads((DATA_DIR / "alarm_mail.toml").read_text(encoding="utf-8"))
