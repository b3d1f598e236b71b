from datetime import UTC, datetime, timedelta

import pytest

from gis.town import load_town
from ingest.drill import drill_telegram, play_drill
from ingest.jma.exercise import as_exercise
from ingest.jma.telegram import parse_telegram
from tests.ingest.telegrams import forecast, telegram


def test_our_drill_is_a_telegram_of_status_exercise_for_our_coast():
    now = datetime(2031, 5, 1, 3, 4, 5, 678, tzinfo=UTC)
    parsed = parse_telegram(drill_telegram(now))
    assert (parsed.code, parsed.status) == ("VTSE41", "Exercise")
    assert parsed.reported_at == parsed.controlled_at == now.replace(microsecond=0)
    (coast,) = parsed.body.forecasts
    assert coast.code == load_town().jma_tsunami_area
    assert coast.tsunami_class == "major_warning"
    assert coast.arrival_at - parsed.reported_at <= timedelta(minutes=20)


def test_playing_the_drill_makes_a_fresh_exercise(database, settings, rows):
    summary = play_drill(database, settings)
    assert summary.dead_letters == []
    (line,) = rows("SELECT status, level, phase, is_fresh FROM ingest.situation")
    assert line == {"status": "Exercise", "level": 5, "phase": "issued", "is_fresh": True}


@pytest.mark.parametrize("status", ["通常", "訓練", "試験"])
def test_an_exercise_changes_the_status_only(status):
    body = telegram("VTSE41", forecast(), status=status)
    real = parse_telegram(body).status == "Actual"
    assert as_exercise(body) == (telegram("VTSE41", forecast(), status="訓練") if real else body)


def test_a_headline_that_says_real_stays():
    body = telegram("VTSE41", "<Text><Status>通常</Status></Text>", action="取消")
    assert as_exercise(body).count("通常".encode()) == 1
