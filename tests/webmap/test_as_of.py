from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from gis.errors import UsageError
from webmap.as_of import calendar_day, parse_as_of


def test_a_date_means_the_end_of_that_day_in_japan() -> None:
    moment = parse_as_of("2026-03-11")
    assert moment is not None
    assert moment.astimezone(UTC) == datetime(2026, 3, 11, 14, 59, 59, 999999, tzinfo=UTC)
    assert calendar_day(moment) == date(2026, 3, 11)


def test_a_time_is_taken_with_its_offset() -> None:
    assert parse_as_of("2026-03-11T14:46:00+09:00") == datetime(2026, 3, 11, 5, 46, tzinfo=UTC)


@pytest.mark.parametrize("written", ["", None])
def test_nothing_means_the_present(written: str | None) -> None:
    assert parse_as_of(written) is None


@pytest.mark.parametrize("written", ["2026-02-30", "11.3.2026", "2026-03-11T14:46:00", "now"])
def test_what_is_no_moment_is_told(written: str) -> None:
    with pytest.raises(UsageError, match="is no date"):
        parse_as_of(written)


def test_the_day_is_that_of_japan() -> None:
    assert calendar_day(datetime(2026, 3, 11, 15, 0, tzinfo=UTC)) == date(2026, 3, 12)
