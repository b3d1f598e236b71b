"""Fires through three doors: a drop folder that loses nothing, a feed asked conditionally, and one event of all."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta

import pytest

from ingest.configuration import SourceConfig
from ingest.documents import read_body
from ingest.folder import _free
from ingest.processing import receive
from ingest.schedule import Schedule
from ingest.source import find_source
from ingest.sources import fire_csv, fire_rss
from ingest.summary import RunSummary

NOW = datetime.now(UTC).astimezone().replace(microsecond=0) - timedelta(minutes=20)
CLOCK = (NOW + timedelta(hours=9) - NOW.utcoffset()).strftime("%Y/%m/%d %H:%M")
TABLE = f"出動番号,種別,覚知時刻,住所\n8-1,建物火災,{CLOCK},東松島市矢本字大町1-2\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "drop").mkdir()
    return tmp_path / "drop"


@pytest.fixture
def drop(folder):
    def write(name, content=TABLE, age_s=10):
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("cp932"))
        os.utime(path, (time.time() - age_s, time.time() - age_s))
        return path

    return write


@pytest.fixture
def take(database, settings, folder, monkeypatch):
    def run(**options):
        config = SourceConfig("fire_csv", "fire_csv", "消防", Schedule(10), {"folder": str(folder)} | options)
        source = fire_csv.make_source(config)
        monkeypatch.setattr("ingest.processing.find_source", lambda name: source)
        return source.fetch(database, settings, source)

    return run


def test_files_are_taken_whole_once_and_never_lost(take, drop, folder, rows, tmp_path):
    drop("a.csv")
    drop("broken.csv", b"\x00\x01")
    drop("growing.csv", age_s=0)
    drop("b.csv.part")
    (folder / "link.csv").symlink_to("/etc/passwd")
    summary = take()
    assert (summary.documents, len(summary.dead_letters), summary.failures) == (2, 1, [])
    assert {path.name for path in (folder / "taken").iterdir()} == {"a.csv"}
    assert {path.name for path in (folder / "rejected").iterdir()} == {"broken.csv", "broken.csv.reason.txt"}
    assert {path.name for path in folder.iterdir() if path.is_file()} == {"growing.csv", "b.csv.part", "link.csv"}
    drop("a.csv", TABLE.replace("大町", "河戸"))
    drop("c.csv")
    assert (take().new, len(rows("SELECT 1 FROM ingest.document"))) == (1, 3), "c.csv is known by its content"
    assert {path.name for path in (folder / "taken").iterdir()} == {"a.csv", "a-1.csv", "c.csv"}
    assert len(rows("SELECT 1 FROM layers.incident")) == 1
    (said,) = rows("SELECT place_text FROM ingest.report_private")
    assert "河戸" in said["place_text"]


def test_with_a_marker_a_file_waits_for_it(take, drop, folder):
    drop("a.csv", age_s=100)
    assert take(complete="marker").documents == 0
    drop("a.csv.done", b"", age_s=0)
    assert take(complete="marker").documents == 1
    assert [path.name for path in folder.iterdir()] == ["taken"]


def test_what_is_written_while_it_is_taken_is_taken_again(take, drop, folder, monkeypatch, rows):
    path = drop("a.csv")

    def grow(*args):
        receive(*args)
        with path.open("ab") as file:
            file.write(TABLE.splitlines()[1].replace("8-1", "8-2").encode("cp932") + b"\n")

    with monkeypatch.context() as patched:
        patched.setattr("ingest.folder.receive", grow)
        take()
    assert path.exists() and not (folder / "taken" / "a.csv").exists()
    os.utime(path, (0, 0))
    take()
    assert {row["event_key"][-3:] for row in rows("SELECT event_key FROM layers.incident")} == {"8-1", "8-2"}


def test_what_grows_at_the_very_moment_it_is_moved_comes_back_with_its_marker(take, drop, folder, monkeypatch, rows):
    path = drop("a.csv")
    drop("a.csv.done", b"")

    def grow(path, to, find=_free):
        if to.name == "taken":
            with path.open("ab") as file:
                file.write(TABLE.splitlines()[1].replace("8-1", "8-2").encode("cp932") + b"\n")
        return find(path, to)

    with monkeypatch.context() as patched:
        patched.setattr("ingest.folder._free", grow)
        take(complete="marker")
    assert path.exists() and (folder / "a.csv.done").exists() and not list((folder / "taken").iterdir())
    take(complete="marker")
    assert {row["event_key"][-3:] for row in rows("SELECT event_key FROM layers.incident")} == {"8-1", "8-2"}
    assert [path.name for path in folder.iterdir()] == ["taken"]


def test_a_file_that_meets_a_bug_keeps_no_other_back(take, drop, folder, monkeypatch, rows):
    drop("a.csv", "出動番号,種別\nfirst,x\n", age_s=100)
    drop("b.csv")

    def fail(database, source, origin, name, body, summary):
        if name == "a.csv":
            raise ZeroDivisionError
        receive(database, source, origin, name, body, summary)

    monkeypatch.setattr("ingest.folder.receive", fail)
    with pytest.raises(ExceptionGroup):
        take()
    assert (folder / "a.csv").exists() and (folder / "taken" / "b.csv").exists()


def test_a_folder_that_is_not_there_is_a_failure_that_is_told(take, folder):
    folder.rmdir()
    assert "No such file" in take().failures[0]


def _feed(*titles):
    at = NOW.isoformat()
    entries = "".join(
        f"<entry><id>{title[:4]}</id><title>{title}</title><updated>{at}</updated>"
        "<summary>東松島市矢本字大町地内で発生</summary></entry>"
        for title in titles
    )
    return f"<feed xmlns='http://www.w3.org/2005/Atom'>{entries}</feed>".encode()


def test_a_feed_is_asked_conditionally_and_goes_on_where_it_was_edited(
    database, settings, feed_server, rows, monkeypatch
):
    url = f"{feed_server.base}/saigai.xml"
    source = fire_rss.make_source(SourceConfig("fire_rss", "fire_rss", "消防", Schedule(60), {"url": url}))
    monkeypatch.setattr("ingest.processing.find_source", lambda name: source)
    feed_server.pages["/saigai.xml"] = _feed("建物火災")
    assert source.fetch(database, settings, source).new == 1
    assert source.fetch(database, settings, source).documents == 0, "304"
    feed_server.pages["/saigai.xml"] = _feed("建物火災　鎮火")
    assert source.fetch(database, settings, source).new == 1
    feed_server.pages["/saigai.xml"] = _feed()
    source.fetch(database, settings, source)
    (incident,) = rows("SELECT state, headline, publication, is_personal FROM layers.incident")
    assert incident == {
        "state": "resolved", "headline": "建物火災（鎮火）", "publication": "published", "is_personal": True
    }  # fmt: skip


def test_one_number_through_three_doors_is_one_incident(database, rows):
    message = {"number": "8-1", "sent_at": NOW.isoformat(), "type": "建物火災", "stage": "出動"}
    bodies = {
        "fire": json.dumps(message | {"address": "東松島市矢本字大町1-2"}).encode(),
        "fire_csv": TABLE.encode("cp932"),
        "fire_rss": _feed("建物火災 出動番号：8-1"),
    }
    for turn in range(2):
        for name, body in bodies.items():
            receive(database, find_source(name), "push", name, read_body([body], 1_000_000), RunSummary())
        assert len(rows("SELECT 1 FROM ingest.report")) == 3, turn
        assert len(rows("SELECT 1 FROM layers.incident")) == 1, turn
