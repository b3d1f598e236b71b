"""Files that somebody has at hand, as if the source had sent them: each stored exactly as it is, then worked on."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from gis.database import Database
from gis.errors import UsageError
from gis.settings import Settings
from ingest.documents import read_body
from ingest.processing import receive
from ingest.running import noted_by_hand
from ingest.source import Source
from ingest.summary import RunSummary

_CHUNK_BYTES = 1_048_576


def load_files(
    database: Database,
    settings: Settings,
    source: Source,
    paths: Sequence[Path],
    show: Callable[[Path, RunSummary], None] = lambda path, summary: None,
    asked_by: str = "console",
) -> RunSummary:
    """Receive files in the order given; a file that was here before changes nothing.

    Parameters
    ----------
    show : called after each file with what it did.
    asked_by : in whose name the run is noted that they are together.

    Raises
    ------
    UsageError : one of them is no file (then none is loaded), or the source runs already.
    """
    for path in paths:
        if not path.is_file():
            raise UsageError(f"{path} is no file.", "Name the files one by one, or with a pattern of the shell.")
    with noted_by_hand(database, source, asked_by) as whole:
        for path in paths:
            with path.open("rb") as file:
                body = read_body(iter(partial(file.read, _CHUNK_BYTES), b""), settings.max_document_bytes)
            summary = RunSummary()
            with _uncollected():
                receive(database, source, "push", path.name, body, summary)
            show(path, summary)
            whole += summary
    return whole


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let the collector of cycles rest: many records have no cycles, and it would look at all of them often."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
