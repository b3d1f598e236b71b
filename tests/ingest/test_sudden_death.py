"""The worker is killed (SIGKILL) at each step of a document: nothing lost, nothing doubled."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from gis.settings import PROJECT_DIR
from ingest.processing import process_unparsed
from ingest.summary import RunSummary
from tests.ingest.telegrams import forecast, telegram

# Receives the file named by the second argument, and dies just before (or after) the function named by the third.
_VICTIM = """
import os, signal, sys
from pathlib import Path
from gis.database import Database
from ingest import processing
from ingest.documents import read_body
from ingest.source import find_source
from ingest.summary import RunSummary

url, file, step = sys.argv[1:]
name, _, when = step.partition(":")
real = getattr(processing, name)

def die(*args):
    if when == "after":
        real(*args)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(processing, name, die)
body = read_body([Path(file).read_bytes()], 1_000_000)
processing.receive(Database(url), find_source("jma"), "replay", "a.xml", body, RunSummary())
"""


@pytest.mark.parametrize(
    ("step", "was_done"),
    [
        ("process_document", False),  # stored, committed
        ("_parse", False),  # in the middle of parsing
        ("fold_event:after", False),  # everything written, nothing committed
        ("process_document:after", True),  # committed, not yet told
    ],
)
def test_a_worker_that_is_killed_loses_and_doubles_nothing(settings, database, rows, tmp_path, step, was_done):
    file = tmp_path / "a.xml"
    file.write_bytes(telegram("VTSE41", forecast("53")))
    victim = subprocess.run([sys.executable, "-c", _VICTIM, settings.app_url(), file, step], cwd=PROJECT_DIR)
    assert victim.returncode == -signal.SIGKILL
    assert len(rows("SELECT 1 FROM ingest.document")) == 1, "the body is there, whatever happens"
    assert len(rows("SELECT 1 FROM ingest.situation")) == was_done
    process_unparsed(database, RunSummary())
    process_unparsed(database, RunSummary())
    for table in ("ingest.document", "ingest.report", "ingest.situation", "layers.incident"):
        assert len(rows(f"SELECT 1 FROM {table}")) == 1, table
    assert len(rows("SELECT 1 FROM queue.procrastinate_jobs WHERE task_name = 'alerts.consider'")) == 1
