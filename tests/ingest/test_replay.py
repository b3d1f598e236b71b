import dataclasses
import json
from pathlib import Path

import pytest

from gis.errors import UsageError
from ingest.replay import plan_replay, play
from ingest.source import find_source
from tests.ingest.telegrams import forecast, telegram

JMA = find_source("jma")


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "a_later.xml").write_bytes(telegram("VTSE41", forecast("52"), minute=10))
    (tmp_path / "b_broken.xml").write_bytes(b"<broken")
    (tmp_path / "c_earlier.xml").write_bytes(telegram("VTSE41", forecast("62"), minute=1))
    return tmp_path


def snapshot(rows):
    tables = ("layers.incident", "history.incident", "ingest.report", "ingest.situation", "queue.procrastinate_jobs")
    return {table: rows(f"SELECT * FROM {table} ORDER BY 1") for table in tables}


def test_scenes_play_in_the_order_of_their_times(settings, folder):
    names = [scene.path.name for scene in plan_replay(settings, JMA, folder, "*", False)]
    assert names == ["c_earlier.xml", "a_later.xml", "b_broken.xml"]


def test_a_pattern_chooses_the_files(settings, folder):
    assert len(plan_replay(settings, JMA, folder, "c_*", False)) == 1


def test_a_missing_folder_and_an_empty_match_are_said(settings, folder):
    with pytest.raises(UsageError, match="is no folder"):
        plan_replay(settings, JMA, folder / "nowhere", "*", False)
    with pytest.raises(UsageError, match="matches 'z_"):
        plan_replay(settings, JMA, folder, "z_*", False)


def test_the_summary_counts_what_was_played(database, settings, folder):
    summary = play(database, settings, JMA, plan_replay(settings, JMA, folder, "*", False))
    assert (summary.documents, summary.new, summary.changed, len(summary.incidents)) == (3, 3, 2, 1)
    assert summary.dead_letters[0][0] == "b_broken.xml"
    assert summary.lines()[0].startswith("3 documents: 3 new, 0 unchanged; 2 reports changed; 1 incidents")


@pytest.mark.parametrize(("speed", "waits"), [(None, []), (1.0, [0.0, 540.0]), (60.0, [0.0, 9.0])])
def test_speed_is_times_faster_than_it_was(database, settings, folder, speed, waits):
    waited = []
    (folder / "b_broken.xml").unlink()
    (folder / "c_twin.xml").write_bytes(telegram("VTSE41", forecast("62"), minute=1, serial="2"))
    scenes = plan_replay(settings, JMA, folder, "*", False)
    play(database, settings, JMA, scenes, speed=speed, sleep=waited.append)
    assert waited == waits


def test_real_warnings_are_not_replayed_to_people_outside(settings, folder):
    outside = dataclasses.replace(settings, smtp_url="smtp://relay.example:25")
    with pytest.raises(UsageError, match="real warning") as refused:
        plan_replay(outside, JMA, folder, "*", False)
    assert "--drill" in refused.value.hint


def test_drills_may_be_replayed_to_the_drill_list_outside(settings, folder):
    outside = dataclasses.replace(settings, smtp_url="smtp://relay.example:25")
    (folder / "a_later.xml").unlink()
    (folder / "c_earlier.xml").write_bytes(telegram("VTSE41", forecast("62"), status="訓練"))
    assert len(plan_replay(outside, JMA, folder, "*", False)) == 2


def test_as_a_drill_every_telegram_becomes_an_exercise(database, settings, folder, rows):
    outside = dataclasses.replace(settings, smtp_url="smtp://relay.example:25")
    play(database, outside, JMA, plan_replay(outside, JMA, folder, "*", True), is_drill=True)
    assert rows("SELECT DISTINCT status FROM ingest.report") == [{"status": "Exercise"}]
    assert rows("SELECT DISTINCT status FROM layers.incident") == [{"status": "Exercise"}]
    assert rows("SELECT DISTINCT status FROM ingest.situation") == [{"status": "Exercise"}]


def test_a_drill_does_not_hold_back_the_real_telegram(database, settings, folder, rows):
    play(database, settings, JMA, plan_replay(settings, JMA, folder, "*.xml", True), is_drill=True)
    summary = play(database, settings, JMA, plan_replay(settings, JMA, folder, "*.xml", False))
    assert summary.changed == 2
    assert {row["status"] for row in rows("SELECT status FROM layers.incident")} == {"Actual", "Exercise"}


def test_a_drill_that_stays_real_in_disguise_is_refused(database, settings, folder, rows):
    disguised = telegram("VTSE41", forecast("52")).replace("<Status>通常<".encode(), "<Status >通常<".encode())
    for path in folder.iterdir():
        path.unlink()
    (folder / "x.xml").write_bytes(disguised)
    summary = play(database, settings, JMA, plan_replay(settings, JMA, folder, "*", True), is_drill=True)
    assert len(summary.dead_letters) == 1
    assert rows("SELECT 1 FROM layers.incident") == []


def test_the_day_of_2011_replayed(database, settings, samples, rows):
    scenes = plan_replay(settings, JMA, samples / "jma", "32-39_11_*", False)
    assert [scene.path.name[:8] + scene.path.name[-10:-4] for scene in scenes[:3]] == [
        "32-39_11VXSE51", "32-39_11VTSE41", "32-39_11VTSE51",
    ]  # fmt: skip
    summary = play(database, settings, JMA, scenes)
    assert (summary.new, summary.dead_letters) == (10, [])
    quake, tsunami = rows("SELECT * FROM layers.incident ORDER BY kind")
    assert (quake["city_intensity"], quake["max_intensity"], quake["level"]) == ("6+", "7", 5)
    assert quake["magnitude"] is None
    assert quake["magnitude_text"] == "Ｍ８を超える巨大地震"
    assert (tsunami["state"], tsunami["level"], tsunami["observed_station"]) == ("resolved", 1, "石巻市鮎川")
    assert len(rows("SELECT 1 FROM ingest.situation WHERE kind = 'earthquake'")) == 2
    assert len(rows("SELECT 1 FROM ingest.situation WHERE kind = 'tsunami'")) == 8


def test_everything_replayed_twice_changes_nothing_the_second_time(database, settings, samples, rows):
    scenes = plan_replay(settings, JMA, samples / "jma", "*", False)
    first = play(database, settings, JMA, scenes)
    assert first.new == 71
    assert first.dead_letters == []
    before = snapshot(rows)
    second = play(database, settings, JMA, scenes)
    assert (second.new, second.changed, second.dead_letters) == (0, 0, first.dead_letters)
    assert snapshot(rows) == before


def test_played_backwards_the_incidents_are_the_same(database, settings, samples, rows):
    scenes = plan_replay(settings, JMA, samples / "jma", "32-39_11_*", False)
    play(database, settings, JMA, list(reversed(scenes)))
    backwards = _without_row_numbers(rows)
    assert json.dumps(backwards, default=str).count("resolved") == 1
    assert [row["city_intensity"] for row in backwards] == ["6+", None]
    assert [row["tsunami_height_text"] for row in backwards] == [None, None]


def _without_row_numbers(rows):
    columns = "kind, state, level, city_intensity, tsunami_height_text, observed_station, reported_at"
    return rows(f"SELECT {columns} FROM layers.incident ORDER BY kind")
