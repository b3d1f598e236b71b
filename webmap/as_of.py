"""The moment a page looks at: `?at=` a date of Japan's calendar, or a time with its offset."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from gis.errors import UsageError

_TOKYO = ZoneInfo("Asia/Tokyo")


def parse_as_of(written: str | None) -> datetime | None:
    """Return the moment meant, None for the present; a bare date means the end of that day.

    Raises
    ------
    UsageError : neither an ISO 8601 date nor a time with offset.
    """
    if not written:
        return None
    try:
        if len(written) == len("2026-03-11"):
            return datetime.combine(date.fromisoformat(written), time.max, _TOKYO)
        moment = datetime.fromisoformat(written)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UsageError(
            "“%(text)s” is no date.", "Write it as 2026-03-11, or as 2026-03-11T14:46:00+09:00.", text=written
        )
    return moment


def calendar_day(moment: datetime) -> date:
    """Return the day of Japan's calendar on which a moment falls."""
    return moment.astimezone(_TOKYO).date()
