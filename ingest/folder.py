"""Take the files that somebody drops into a folder: each stored exactly as it is, then moved aside."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gis.database import Database
from gis.settings import Settings
from ingest.documents import read_body
from ingest.processing import receive
from ingest.runs import record_failure, record_success, running_alone
from ingest.summary import RunSummary

if TYPE_CHECKING:
    from ingest.source import Source

TAKEN = "taken"
# A file that changed more recently may still be growing.
_SETTLED_S = 2.0
_CHUNK_BYTES = 65_536


def take_folder(database: Database, settings: Settings, source: Source) -> RunSummary:
    """Receive what lies in `source.options["folder"]`, oldest first, and move each file into its `taken` folder.

    It is moved after it was stored: a run that dies in between finds it again, and knows it by its hash.
    """
    summary, folder = RunSummary(), Path(source.options["folder"])
    with running_alone(database, source.name) as state:
        if state is None:
            return summary
        try:
            for path in _settled(folder):
                with path.open("rb") as file:
                    body = read_body(iter(partial(file.read, _CHUNK_BYTES), b""), settings.max_document_bytes)
                receive(database, source, "feed", path.name, body, summary)
                _move(path, folder / TAKEN)
        except OSError as error:
            summary.failures.append(f"{folder}: {error}")
        if summary.failures:
            record_failure(database, source.name, "; ".join(summary.failures), state.validators)
        else:
            record_success(database, source.name, state.validators)
    return summary


def _settled(folder: Path) -> Iterator[Path]:
    now = time.time()
    files = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    for path in sorted(files, key=lambda path: (path.stat().st_mtime, path.name)):
        if now - path.stat().st_mtime >= _SETTLED_S:
            yield path


def _move(path: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    target, number = folder / path.name, 1
    while target.exists():
        target, number = folder / f"{path.stem}-{number}{path.suffix}", number + 1
    path.rename(target)
