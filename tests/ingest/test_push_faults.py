"""Pushes in the worst moments: the web process is killed (SIGKILL), and three doors open at once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest

from gis.settings import PROJECT_DIR
from ingest.documents import read_body
from ingest.processing import process_unparsed, receive
from ingest.source import find_source
from ingest.summary import RunSummary

SAID_AT = datetime.now(UTC) - timedelta(minutes=5)
MESSAGE = {
    "number": "8-1",
    "sent_at": SAID_AT.isoformat(),
    "type": "建物火災",
    "stage": "出動",
    "address": "矢本字大町1",
}
# Pushes the file named by the second argument, and dies just before (or after) the function named by the third.
_VICTIM = """
import os, signal, sys
from pathlib import Path
from gis.database import SERVICE, Database
from ingest import processing, pushing
from ingest.documents import read_body
from ingest.source import find_source

url, file, step = sys.argv[1:]
name, _, when = step.partition(":")
module = processing if name == "fold_event" else pushing
real = getattr(module, name)

def die(*args):
    if when == "after":
        real(*args)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(module, name, die)
database, fire, body = Database(url), find_source("fire"), Path(file).read_bytes()
with database.begin(SERVICE) as connection:
    pushed = pushing.store_pushed(connection, fire, "k1", read_body([body], 1_000_000), False)
pushing.work_on(database, fire, pushed, body)
"""


@pytest.mark.parametrize(
    ("step", "documents", "reports"),
    [
        ("store_document:after", 0, 0),  # not committed and not answered: the sender sends it again
        ("process_document", 1, 0),
        ("fold_event:after", 1, 0),
        ("process_document:after", 1, 1),
    ],
)
def test_whatever_the_moment_the_sender_that_sends_again_gets_one_event(
    settings, database, rows, tmp_path, step, documents, reports
):
    from ingest.pushing import store_pushed, work_on

    file = tmp_path / "message.json"
    file.write_text(json.dumps(MESSAGE))
    victim = subprocess.run([sys.executable, "-c", _VICTIM, settings.app_url(), file, step], cwd=PROJECT_DIR)
    assert victim.returncode == -signal.SIGKILL
    assert (len(rows("SELECT FROM ingest.document")), len(rows("SELECT FROM ingest.report"))) == (documents, reports)
    process_unparsed(database, RunSummary())
    assert len(rows("SELECT FROM ingest.report")) == documents, "nobody has to send it again"
    fire, body = find_source("fire"), file.read_bytes()
    for _ in range(2):
        with database.begin("machimori_service") as connection:
            pushed = store_pushed(connection, fire, "k1", read_body([body], 1_000_000), False)
        status, answer = work_on(database, fire, pushed, body)
        assert status == 202 and len(answer["reports"]) == 1
    for table in ("ingest.document", "ingest.report", "ingest.situation", "layers.incident", "ingest.push"):
        assert len(rows(f"SELECT FROM {table}")) == 1, table


def test_the_same_dispatch_through_three_doors_at_once_is_one_incident(database, rows):
    table = f"出動番号,種別,覚知時刻\n8-1,建物火災,{SAID_AT + timedelta(hours=9):%Y/%m/%d %H:%M}\n"
    feed = (
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>1</id><title>建物火災 出動番号：8-1</title>"
        f"<updated>{SAID_AT.isoformat()}</updated></entry></feed>"
    )
    bodies = {"fire": json.dumps(MESSAGE), "fire_csv": table, "fire_rss": feed}
    begin, faults = threading.Barrier(6), []

    def send(name, body):
        begin.wait()
        try:
            receive(database, find_source(name), "push", name, read_body([body.encode()], 1_000_000), RunSummary())
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=send, args=item) for item in bodies.items() for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(rows("SELECT FROM ingest.report")) == 3
    (incident,) = rows("SELECT state, headline FROM layers.incident")
    assert incident == {"state": "updated", "headline": "建物火災"}
