"""The benchmarks of editing in short: many at one layer lose and double nothing, and an edit shows in the next tile."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from bench import edit_visible, fifty_editors
from bench.history_cost import fill
from gis.database import Database
from tests.webmap.conftest import PASSWORD, app, staff  # noqa: F401 (fixtures)
from tests.webmap.test_browser import address  # noqa: F401 (fixture)


def test_many_editors_of_one_layer_lose_and_double_nothing(database: Database, owner: Engine) -> None:
    fill(database, owner, 60)
    report = fifty_editors.run_editors(database, owner, editors=8, seconds=3, hot=5)
    assert report.faults == []
    assert report.saves > 8
    assert min(report.events[name] for name in ("conflicts", "merged", "sent again")) > 0, report.events


def test_the_comparison_notices_what_was_lost_or_doubled(database: Database, owner: Engine) -> None:
    fill(database, owner, 3)
    told = [(1, 2, 1, "never written")]
    assert fifty_editors._find_faults(owner, told, before=2) == ["acknowledged, but not in the history: 1"]
    with database.begin("dept_disaster") as connection:
        connection.execute(text("UPDATE layers.evacuation_site SET note = 'beside the editors'"))
    assert fifty_editors._find_faults(owner, [], before=3) == ["3 versions for 0 acknowledged saves"]


def test_an_edit_shows_in_the_next_tile_that_a_browser_asks_for(
    address: str,  # noqa: F811
    staff: None,  # noqa: F811
    database: Database,
    owner: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(edit_visible, "TILE", (10, 913, 393))  # the whole town: these few features lie anywhere in it
    fill(database, owner, 30)
    desk = edit_visible.Desk.open(address, "hanako", PASSWORD)
    fid = edit_visible.feature_in_tile(owner, "evacuation_site")
    _, stale = edit_visible.time_edits(desk, fid, rounds=3)
    assert stale == 0
    assert desk.tile(desk.tile().headers["ETag"]).status_code == 304
