import dataclasses
import threading

import pytest
from sqlalchemy import text

from gis import jobs
from gis.database import SERVICE
from gis.town import load_town
from ingest.jma.atom import Entry
from ingest.jma.feed import _may_concern, fetch_feeds
from ingest.runs import running_alone
from ingest.source import find_source
from ingest.tasks import poll
from tests.ingest import feed_server as other_side
from tests.ingest.telegrams import BEGIN, forecast, telegram
from tests.ingest.weather_telegrams import RAIN_WARNING, rain

JMA = find_source("jma")
TITLE = "津波警報・注意報・予報a"


@pytest.fixture
def server(feed_server):
    for name in ("eqvol.xml", "extra.xml", "eqvol_l.xml", "extra_l.xml"):
        feed_server.put_feed(name)
    for name in ("eqvol.xml", "eqvol_l.xml"):
        feed_server.put_feed(name, (TITLE, "b.xml"), ("府県天気予報（Ｒ１）", "forecast.xml"), (TITLE, "a.xml"))
    feed_server.put_telegram("a.xml", telegram("VTSE41", forecast("62")))
    feed_server.put_telegram("b.xml", telegram("VTSE41", forecast("52"), minute=5))
    return feed_server


@pytest.fixture
def settings_of_feed(settings, server):
    return dataclasses.replace(settings, jma_feed_url=f"{server.base}/feed")


@pytest.fixture
def run(database, settings_of_feed):
    return lambda: fetch_feeds(database, settings_of_feed, JMA)


@pytest.fixture
def source_row(rows):
    return lambda: rows("SELECT * FROM ingest.source WHERE name = 'jma'")[0]


def test_the_first_run_asks_for_the_long_feeds(server, run):
    summary = run()
    assert (summary.new, summary.skipped, summary.failures) == (2, 1, [])
    assert server.asked("/feed/eqvol_l.xml") == [200]
    assert server.asked("/feed/eqvol.xml") == []


def test_telegrams_are_taken_oldest_first_and_other_kinds_not_at_all(server, run):
    run()
    assert [path for path, _ in server.requests if path.startswith("/data/")] == ["/data/a.xml", "/data/b.xml"]


def test_the_next_run_asks_for_the_short_feeds_and_no_telegram_twice(server, run, source_row):
    run()
    summary = run()
    assert (summary.documents, summary.failures) == (0, [])
    assert server.asked("/feed/eqvol.xml") == [200]
    assert server.asked("/data/a.xml") == [200]
    assert source_row()["consecutive_failures"] == 0


def test_what_has_not_changed_is_answered_304(server, run):
    for _ in range(3):
        run()
    assert server.asked("/feed/eqvol.xml") == [200, 304]


def test_a_new_telegram_is_found(server, run):
    run()
    server.put_telegram("c.xml", telegram("VTSE41", forecast("60", last="62"), minute=90))
    server.put_feed("eqvol.xml", (TITLE, "c.xml"))
    assert run().changed == 1


def test_after_a_gap_the_long_feeds_are_asked_again(server, run, database):
    run()
    with database.begin(SERVICE) as connection:
        connection.execute(text("UPDATE ingest.source SET last_success_at = now() - interval '11 minutes'"))
    run()
    assert server.asked("/feed/eqvol_l.xml") == [200, 304]


def test_a_telegram_that_cannot_be_had_is_asked_for_again(server, run, source_row):
    del server.pages["/data/a.xml"]
    summary = run()
    assert summary.new == 1
    assert "a.xml: HTTP 404" in summary.failures[0]
    assert source_row()["consecutive_failures"] == 1
    assert "HTTP 404" in source_row()["last_error"]
    server.put_telegram("a.xml", telegram("VTSE41", forecast("62")))
    assert run().new == 1
    assert source_row()["consecutive_failures"] == 0
    assert source_row()["last_error"] is None


def test_a_feed_that_is_down_does_not_keep_the_other_back(server, run):
    del server.pages["/feed/extra_l.xml"]
    summary = run()
    assert summary.new == 2
    assert len(summary.failures) == 1


def test_an_error_page_in_place_of_a_feed_is_a_failed_run_and_kept(server, run, rows):
    server.pages["/feed/eqvol_l.xml"] = b"<html><body>Service Unavailable</body></html>"
    assert "no Atom feed" in run().failures[0]
    assert len(rows("SELECT 1 FROM ingest.dead_letter WHERE reason LIKE '%no Atom feed%'")) == 1


def test_an_error_page_in_place_of_a_telegram_is_asked_for_again(server, run, rows):
    server.put_telegram("a.xml", b"<html>busy</html>")
    assert len(run().dead_letters) == 1
    server.put_telegram("a.xml", telegram("VTSE41", forecast("62")))
    assert run().changed == 1


def test_an_entry_of_another_host_is_not_followed(server, run):
    server.put_feed("eqvol_l.xml", (TITLE, "a.xml"), host="http://127.0.0.1:1")
    assert "another host" in run().failures[0]


def test_a_telegram_over_the_limit_is_a_dead_letter(server, database, settings_of_feed):
    server.misbehaviour["/data/a.xml"] = other_side.flood
    summary = fetch_feeds(database, dataclasses.replace(settings_of_feed, max_document_bytes=300_000), JMA)
    assert summary.new == 2
    assert "over the limit" in summary.dead_letters[0][1]


def test_only_one_run_at_a_time(server, database, run):
    with running_alone(database, "jma") as state:
        assert state is not None
        assert run().documents == 0
    assert server.requests == []
    assert run().new == 2


def test_two_runs_at_once_take_each_telegram_once(server, run, rows):
    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.asked("/data/a.xml") == [200]
    assert len(rows("SELECT 1 FROM ingest.report")) == 2


def test_a_run_that_breaks_is_noted_and_gives_the_lock_back(server, run, source_row, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("ingest.jma.feed.parse_feed", lambda body, url: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            run()
    assert "ZeroDivisionError" in source_row()["last_error"]
    assert run().new == 2


def test_without_an_address_nobody_is_asked(server, database, settings):
    assert fetch_feeds(database, settings, JMA).documents == 0


def test_the_job_polls_and_takes_up_what_was_left(server, database, settings_of_feed, rows):
    jobs.set_context(database, settings_of_feed)
    poll(source="jma")
    assert len(rows("SELECT 1 FROM ingest.report")) == 2


def test_the_saved_telegrams_of_2011_come_through_the_feed(server, run, samples, rows):
    titles = {"VXSE51": "震度速報", "VXSE53": "震源・震度に関する情報", "VTSE41": TITLE, "VTSE51": "津波情報a"}
    paths = sorted((samples / "jma").glob("32-39_11_*"), reverse=True)
    for path in paths:
        server.put_telegram(path.name, path.read_bytes())
    server.gzips = True
    server.put_feed("eqvol_l.xml", *((titles[path.stem[-6:]], path.name) for path in paths))
    assert run().changed == 10
    assert len(rows("SELECT 1 FROM layers.incident")) == 2
    assert rows("SELECT DISTINCT is_fresh FROM ingest.situation") == [{"is_fresh": False}]


def test_warnings_of_another_prefecture_are_not_fetched(server, run):
    title = "気象警報・注意報（Ｒ０６）（大雨）"
    entries = [("福島県", "there.xml"), ("宮城県", "here.xml")]
    server.put_feed("extra_l.xml", *((title, file) for _, file in entries))
    page = server.pages["/feed/extra_l.xml"].decode()
    for prefecture, file in entries:
        link = f'{file}"/></entry>'
        page = page.replace(link, f'{file}"/><content type="text">【{prefecture}大雨警報・注意報】…</content></entry>')
    server.pages["/feed/extra_l.xml"] = page.encode()
    server.put_telegram("here.xml", rain(RAIN_WARNING))
    assert run().failures == []
    assert server.asked("/data/here.xml") == [200]
    assert server.asked("/data/there.xml") == []


def test_a_warning_without_a_summary_is_fetched(server, run):
    server.put_feed("extra_l.xml", ("気象警報・注意報（Ｒ０６）（大雨）", "here.xml"))
    server.put_telegram("here.xml", rain(RAIN_WARNING))
    run()
    assert server.asked("/data/here.xml") == [200]


def test_a_river_flood_is_fetched_whoever_wrote_it():
    entry = Entry("指定河川洪水予報", "http://x", BEGIN, "【北上川下流氾濫警戒情報】…")
    assert _may_concern(entry, load_town())
