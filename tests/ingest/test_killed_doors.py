"""Mailbox, drop folder and police table, killed (SIGKILL) at each step: nothing lost or doubled, the reason shown.

Each step gets an input of its own, and must in the end have added exactly what an undisturbed one added.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from gis.database import SERVICE
from ingest.loading import load_files
from ingest.overview import list_sources
from ingest.processing import BULK_FROM, process_unparsed
from ingest.running import lose_dead_runs, run_source
from ingest.source import find_source
from ingest.sources.police_open_data import SOURCE as POLICE
from ingest.summary import RunSummary
from tests.ingest import victim
from tests.ingest.mail.imap_server import ImapServer
from tests.ingest.mail.letters import SENDER, mail
from tests.ingest.sources.police_tables import table, theft
from tests.ingest.test_bulk import quarters  # noqa: F401 (fixture)

COUNTED = {
    name: f"SELECT count(*) FROM {name}"
    for name in (
        "ingest.document", "ingest.dead_letter", "ingest.report", "ingest.report_private", "ingest.situation",
        "ingest.shown_place", "layers.incident", "history.incident",
    )
} | {
    job: f"SELECT count(*) FROM queue.procrastinate_jobs WHERE task_name = '{job}'"
    for job in ("alerts.consider", "ingest.match")
}  # fmt: skip

# Before it is stored, stored without a commit, committed, while it is parsed, folded without a commit, all committed.
WORKING = (
    "ingest.processing:store_document:after",
    "ingest.processing:process_document",
    "ingest.processing:_parse:after",
    "ingest.processing:store_reports:after",
    "ingest.processing:fold_event:after",
    "ingest.processing:process_document:after",
)


@pytest.fixture
def counts(rows):
    query = "SELECT " + ", ".join(f'({one}) AS "{name}"' for name, one in COUNTED.items())
    return lambda: rows(query)[0]


def _added(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: after[name] - before[name] for name in before}


def _letter(number: int) -> bytes:
    words = f"11月20日午後3時{number}分ころ、東松島市矢本字大町地内の路上で、女児が男に声をかけられました。"
    return mail("声かけ", words, "utf-8").replace(b"<1@", f"<{number}@".encode())


@dataclass
class Maildir:
    """A mailbox on the disk."""

    folder: Path
    steps = (
        "ingest.mail.mailbox:read_body", *WORKING, "pathlib:Path.rename", "pathlib:Path.rename:after",
        "ingest.mail.mailbox:record_success",
    )  # fmt: skip

    def __post_init__(self) -> None:
        for name in ("new", "cur", "tmp"):
            (self.folder / name).mkdir()
        self.table = f'type = "safety_mail"\nsenders = ["{SENDER}"]\nurl = "maildir:{self.folder}"'

    def put(self, number: int) -> None:
        (self.folder / "new" / f"{number:03}").write_bytes(_letter(number))

    def check(self, number: int) -> None:
        assert [path.name for path in (self.folder / "new").iterdir()] == []
        assert len(list((self.folder / "cur").glob(f"{number:03}:2,S"))) == 1


@dataclass
class Imap:
    """A mailbox on a server."""

    folder: Path
    server: ImapServer = field(default_factory=ImapServer)
    steps = (
        "ingest.mail.imap:Session.fetch:after", "ingest.processing:process_document", "ingest.mail.imap:Session.mark",
        "ingest.mail.imap:Session.mark:after", "ingest.mail.mailbox:record_progress:after",
    )  # fmt: skip

    def __post_init__(self) -> None:
        self.table = f'type = "safety_mail"\nsenders = ["{SENDER}"]\nurl = "{self.server.url}"\nsecret = "right"'

    def put(self, number: int) -> None:
        self.server.mails[number] = _letter(number)

    def check(self, number: int) -> None:
        assert number in self.server.marked


class Folder:
    """A drop folder, with a marker beside each file."""

    steps: tuple[str, ...] = (
        "ingest.folder:_read:after", "ingest.processing:process_document", "ingest.processing:fold_event:after",
        "pathlib:Path.unlink", "pathlib:Path.unlink:after", "pathlib:Path.rename:after",
        "ingest.folder:record_success:after",
    )  # fmt: skip
    goes_to = "taken"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.at = (datetime.now(UTC) + timedelta(hours=9, minutes=-20)).strftime("%Y/%m/%d %H:%M")
        self.table = f'type = "fire_csv"\nfolder = "{folder}"\ncomplete = "marker"'

    def content(self, number: int) -> bytes:
        rows = (f"8-{number}{side},建物火災,{self.at},東松島市矢本字大町1-{number}" for side in "12")
        return "\n".join(["出動番号,種別,覚知時刻,住所", *rows, ""]).encode("cp932")

    def put(self, number: int) -> None:
        (self.folder / f"{number:03}.csv").write_bytes(self.content(number))
        (self.folder / f"{number:03}.csv.done").touch()

    def check(self, number: int) -> None:
        assert not (self.folder / f"{number:03}.csv.done").exists(), "it would vouch for a half file of this name"
        lies = [path for path in self.folder.rglob(f"{number:03}*") if not path.name.endswith(".reason.txt")]
        assert len(lies) == 1 and lies[0].read_bytes() == self.content(number)


class RejectedFolder(Folder):
    """A drop folder with files that are no tables."""

    steps = (
        "ingest.processing:store_dead_letter:after",
        "pathlib:Path.write_text", "pathlib:Path.write_text:after", "pathlib:Path.rename:after",
    )  # fmt: skip
    goes_to = "rejected"

    def content(self, number: int) -> bytes:
        return bytes([0, number])

    def check(self, number: int) -> None:
        super().check(number)
        reasons = list((self.folder / "rejected").glob(f"{number:03}*.reason.txt"))
        assert len(reasons) == 1 and reasons[0].read_text(encoding="utf-8").strip()


@pytest.fixture(params=[Maildir, Imap, Folder, RejectedFolder])
def door(request, tmp_path) -> Iterator[Maildir | Imap | Folder]:
    (tmp_path / "door").mkdir()
    door = request.param(tmp_path / "door")
    yield door
    if isinstance(door, Imap):
        door.server.close()


def test_a_run_that_is_killed_at_any_step_loses_and_doubles_nothing(
    door, database, settings, counts, rows, tmp_path, monkeypatch
):
    (tmp_path / "sources.toml").write_text(f'[the_door]\ntitle = "県"\nevery_s = 60\n{door.table}\n', encoding="utf-8")
    monkeypatch.setenv("MACHIMORI_SOURCES", str(tmp_path / "sources.toml"))
    source = find_source("the_door")

    def run():
        return run_source(database, settings, source)

    def health():
        with database.begin(SERVICE) as connection:
            return next(found for found in list_sources(connection) if found.name == "the_door")

    before = counts()
    door.put(1)
    assert not run().failures
    door.check(1)
    undisturbed = _added(before, counts())
    assert undisturbed["ingest.document"] == 1
    assert undisturbed["ingest.dead_letter"] or undisturbed["ingest.situation"]
    for number, step in enumerate(door.steps, 2):
        before = counts()
        door.put(number)
        with monkeypatch.context() as patched:
            patched.setattr("ingest.child._fetch", partial(victim.fetch_and_die, step))
            (failure,) = run().failures
        assert "died (exit code -9)" in failure, step
        assert (health().health, health().last_error) == ("failing", failure), step
        assert rows("SELECT outcome, error FROM ingest.run ORDER BY id DESC LIMIT 1") == [
            {"outcome": "failed", "error": failure}
        ], step
        partly = _added(before, counts())
        assert partly in (dict.fromkeys(partly, 0), partly | {"ingest.document": 1}), step
        assert {name: n for name, n in partly.items() if n and name != "ingest.document"} in (
            {}, {name: n for name, n in undisturbed.items() if n and name != "ingest.document"}
        ), f"{step}: all that follows from it, or nothing"  # fmt: skip
        assert not run().failures, step
        process_unparsed(database, RunSummary())
        assert _added(before, counts()) == undisturbed, step
        assert health().health == "good", step
        door.check(number)
    stands = counts()
    assert not run().failures and counts() == stands


TABLE_STEPS = (
    "ingest.loading:read_body",
    "ingest.processing:store_document:after",
    "ingest.processing:process_document",
    "ingest.processing:load_new",
    *(f"ingest.bulk:copy_lines:after:{number}" for number in (1, 4)),
    *(f"ingest.bulk:_run:after:{number}" for number in (3, 5)),
    "ingest.processing:_store:after",
    "ingest.processing:process_document:after",
)


def _table(year: int) -> bytes:
    thefts = (theft(f"{year}/{1 + n % 12}/{1 + n // 12}", str(n % 24)) for n in range(BULK_FROM))
    return table(*thefts, theft(f"{year}/5/30", code=""))


@pytest.mark.usefixtures("quarters")
def test_a_police_table_whose_loading_is_killed_at_any_step_is_in_whole_or_not_at_all(
    database, settings, counts, rows, tmp_path
):
    processes = multiprocessing.get_context("forkserver")

    def health():
        lose_dead_runs(database)
        with database.begin(SERVICE) as connection:
            found = next(found for found in list_sources(connection) if found.name == POLICE.name)
        return found.health, found.last_error

    first = tmp_path / "2001.csv"
    first.write_bytes(_table(2001))
    before = counts()
    load_files(database, settings, POLICE, [first])
    undisturbed = _added(before, counts())
    assert (undisturbed["layers.incident"], undisturbed["ingest.dead_letter"]) == (BULK_FROM, 1)
    for number, step in enumerate(TABLE_STEPS):
        file = tmp_path / f"{2002 + number}.csv"
        file.write_bytes(_table(2002 + number))
        before = counts()
        process = processes.Process(target=victim.load_and_die, args=(step, settings, POLICE.name, file))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL, step
        # The server takes a moment to see that nobody is there any more.
        while rows("SELECT FROM pg_locks JOIN pg_database d ON d.oid = database"
                   " WHERE locktype = 'advisory' AND datname = current_database()"):  # fmt: skip
            time.sleep(0.02)
        assert health() == ("failing", "the worker died in the middle"), step
        assert rows("SELECT outcome FROM ingest.run ORDER BY id DESC LIMIT 1") == [{"outcome": "lost"}], step
        partly = _added(before, counts())
        nothing = dict.fromkeys(partly, 0)
        assert partly in (nothing, nothing | {"ingest.document": 1}, undisturbed), f"{step}: whole or not at all"
        if partly["ingest.document"] and number % 2:
            process_unparsed(database, RunSummary())
            assert _added(before, counts()) == undisturbed, f"{step}: taken up by itself"
        load_files(database, settings, POLICE, [file])
        assert _added(before, counts()) == undisturbed, step
        assert health() == ("good", None), step
    stands = counts()
    process_unparsed(database, RunSummary())
    assert counts() == stands
    assert stands["alerts.consider"] == 0, "what is long over warns nobody"
    assert rows("SELECT 1 FROM layers.incident GROUP BY event_key HAVING count(*) > 1") == []
