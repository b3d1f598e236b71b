"""Alarms to the staff: on the row, and by real mail."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from sqlalchemy import text

from gis.database import SERVICE
from ingest.alarms import watch_sources
from ingest.jma.xml import JST
from tests.ingest.telegrams import forecast, telegram


class _Inbox(Message):
    def __init__(self):
        super().__init__()
        self.mails = []

    def handle_message(self, message):
        self.mails.append(message)


@pytest.fixture
def inbox():
    handler = _Inbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        handler.port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=handler.port)
    controller.start()
    yield handler
    controller.stop()


@pytest.fixture
def watch(database, settings, inbox):
    told = replace(
        settings,
        jma_feed_url="http://127.0.0.1:9/feed",
        smtp_url=f"smtp://127.0.0.1:{inbox.port}",
        alarm_mail=("bosai@town.example", "denshi@town.example"),
    )
    return lambda: watch_sources(database, told)


@pytest.fixture
def change(database):
    def run(sql):
        with database.begin(SERVICE) as connection:
            connection.execute(text(sql))

    return run


FAIL = (
    "INSERT INTO ingest.source (name, failing_since, last_error)"
    " VALUES ('jma', now() - interval '11 minutes', 'http://x/a: HTTP 500')"
)


def test_a_failing_source_is_told_once_and_when_it_is_back(watch, change, rows, inbox):
    change(FAIL)
    watch()
    watch()
    (alarm,) = rows("SELECT * FROM ingest.alarm")
    assert (alarm["cause"], alarm["reason"], alarm["closed_at"]) == ("failing", "http://x/a: HTTP 500", None)
    (mail,) = inbox.mails
    assert mail["To"] == "bosai@town.example, denshi@town.example"
    words = mail.get_payload(decode=True).decode()
    assert "相手のサーバーが故障しています（HTTP 500）: http://x/a\n技術的な原文: http://x/a: HTTP 500\n" in words
    assert words.count("http://x/a: HTTP 500") == 2, "once as the original, once in English"
    change("UPDATE ingest.source SET failing_since = NULL")
    watch()
    watch()
    assert rows("SELECT 1 FROM ingest.alarm WHERE closed_at IS NULL") == []
    assert len(inbox.mails) == 2


def test_a_source_that_comes_and_goes_is_not_mailed_more_than_once_an_hour(watch, change, rows, inbox):
    change(FAIL)
    watch()
    for moment in ("NULL", "now() - interval '11 minutes'", "NULL", "now() - interval '11 minutes'"):
        change(f"UPDATE ingest.source SET failing_since = {moment}")
        watch()
    assert len(inbox.mails) == 2, "the alarm, and that it is back"
    change("UPDATE ingest.alarm SET mailed_at = mailed_at - interval '61 minutes' WHERE mailed_at IS NOT NULL")
    watch()
    assert len(inbox.mails) == 3, "it stands for longer than the hour"


def test_without_a_relay_the_mail_is_sent_later(watch, change, rows, inbox, database, settings):
    change(FAIL)
    watch_sources(database, replace(settings, jma_feed_url="x", smtp_url="smtp://127.0.0.1:9", alarm_mail=("a@b.c",)))
    assert rows("SELECT mailed_at FROM ingest.alarm") == [{"mailed_at": None}]
    watch()
    assert len(inbox.mails) == 1


def test_silence_beyond_the_norm_is_an_alarm_and_a_pause_is_not(watch, change, rows):
    change("INSERT INTO ingest.source (name, first_seen_at) VALUES ('jma', now() - interval '25 hours')")
    watch()
    assert rows("SELECT cause FROM ingest.alarm") == [{"cause": "silent"}]
    change("UPDATE ingest.source SET paused_at = now(), paused_by = 'hanako', pause_reason = 'x'")
    watch()
    assert rows("SELECT 1 FROM ingest.alarm WHERE closed_at IS NULL") == []


@pytest.mark.parametrize(("age", "cause"), [(timedelta(minutes=-30), "future"), (timedelta(days=3), "past")])
def test_a_report_of_another_time_is_an_alarm_and_sends_nothing(watch, change, rows, receive_jma, age, cause):
    change("INSERT INTO ingest.source (name) VALUES ('jma')")
    begin = (datetime.now(JST) - age).replace(microsecond=0)
    receive_jma(telegram("VTSE41", forecast("53"), begin=begin), origin="feed")
    watch()
    assert rows("SELECT cause FROM ingest.alarm") == [{"cause": cause}]
    assert rows("SELECT is_fresh FROM ingest.situation") == [{"is_fresh": False}]


def test_a_faulty_table_of_the_sources_file_is_an_alarm_and_stops_nothing_else(watch, rows, tmp_path, monkeypatch):
    path = tmp_path / "sources.toml"
    path.write_text('[pigeons]\ntype = "pigeon"\n')
    monkeypatch.setenv("MACHIMORI_SOURCES", str(path))
    watch()
    (alarm,) = rows("SELECT * FROM ingest.alarm")
    assert alarm["cause"] == "configuration"
    assert "pigeons" in alarm["reason"]
