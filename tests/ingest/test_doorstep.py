"""What lies in a folder of this machine is asked for at once, and never by two jobs."""

from __future__ import annotations

import os
import time

import pytest
from sqlalchemy import text

from gis.database import SERVICE
from ingest.actions import pause
from ingest.clock import enqueue_due
from ingest.doorstep import enqueue_waiting, waiting_sources
from ingest.source import load_sources
from tests.ingest.mail.letters import SENDER


@pytest.fixture
def doors(tmp_path, monkeypatch, database, settings):
    """A Maildir, a drop folder, and a drop folder without a rhythm, in the sources file; planned by the clock."""
    for name in ("box/new", "box/cur", "box/tmp", "fires", "idle"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "sources.toml").write_text(
        f'[box]\ntype = "safety_mail"\nevery_s = 3600\nsenders = ["{SENDER}"]\nurl = "maildir:{tmp_path / "box"}"\n'
        f'[fires]\ntype = "fire_csv"\nevery_s = 3600\nfolder = "{tmp_path / "fires"}"\n'
        f'[idle]\ntype = "fire_csv"\nfolder = "{tmp_path / "idle"}"\n'
        f'[far]\ntype = "safety_mail"\nevery_s = 3600\nsenders = ["{SENDER}"]\nurl = "imap://me@localhost/INBOX"\n'
        'secret = "right"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("MACHIMORI_SOURCES", str(tmp_path / "sources.toml"))
    with database.begin(SERVICE) as connection:
        enqueue_due(connection, settings)
    return tmp_path


def _ring(database, settings):
    with database.begin(SERVICE) as connection:
        enqueue_waiting(connection, waiting_sources(settings))
        jobs = text("SELECT args->>'source' FROM queue.procrastinate_jobs WHERE task_name = 'ingest.poll' ORDER BY id")
        return list(connection.execute(jobs).scalars())


def test_what_lies_at_a_local_door_is_asked_for_at_once_and_once(doors, database, settings):
    assert _ring(database, settings) == []
    (doors / "box" / "tmp" / "1").write_bytes(b"half a mail")
    (doors / "fires" / "1.csv").write_bytes(b"still written")
    (doors / "idle" / "1.csv").write_bytes(b"nobody asks for it")
    (doors / "box" / "new" / "link").symlink_to(doors / "fires" / "1.csv")
    assert _ring(database, settings) == [], "not whole, not scheduled, and no link"
    (doors / "box" / "tmp" / "1").rename(doors / "box" / "new" / "1")
    past = time.time() - 60
    os.utime(doors / "fires" / "1.csv", (past, past))
    assert sorted(_ring(database, settings)) == ["box", "fires"]
    assert len(_ring(database, settings)) == 2, "while a job waits, no second one is written"


def test_who_is_paused_or_fails_waits_for_the_schedule(doors, database, settings):
    for name in ("box", "fires"):
        folder = doors / "box" / "new" if name == "box" else doors / name
        (folder / "1.csv").write_bytes(b"x")
        os.utime(folder / "1.csv", (0, 0))
    with database.begin(SERVICE) as connection:
        pause(connection, "box", "maintenance")
        connection.execute(text("UPDATE ingest.source SET consecutive_failures = 1 WHERE name = 'fires'"))
    assert _ring(database, settings) == []


def test_a_folder_that_is_gone_is_told_by_the_run_and_stops_no_clock(doors, settings):
    (doors / "box" / "new").rmdir()
    (doors / "fires").rename(doors / "elsewhere")
    assert waiting_sources(settings) == []
    assert load_sources()["far"].is_waiting is None, "a mailbox on another machine tells only who asks"
