"""Take the files that somebody drops into a folder: each stored exactly as it is, then moved aside, never removed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gis.database import Database
from gis.errors import UsageError
from gis.settings import Settings
from ingest.documents import Body, read_body
from ingest.processing import receive
from ingest.runs import record_failure, record_success, running_alone
from ingest.summary import RunSummary

if TYPE_CHECKING:
    from ingest.configuration import SourceConfig
    from ingest.source import Source

TAKEN = "taken"
REJECTED = "rejected"
# What a sender writes beside a file when it is whole, if the sources file says complete = "marker".
MARKER = ".done"
# A file that changed more recently may still be growing.
_SETTLED_S = 2.0
_CHUNK_BYTES = 65_536
# Names under which programs write what is not whole yet.
_UNFINISHED = (".part", ".tmp", ".temp", ".filepart", ".partial", ".crdownload", "~")


def check_folder_options(config: SourceConfig) -> None:
    """Check what the sources file says of a drop folder: `folder`, and `complete` (`settled` or `marker`).

    Raises
    ------
    UsageError : an option is missing or wrong.
    """
    if not Path(config.option("folder")).is_absolute():
        raise UsageError(f"Source {config.name}: folder is no absolute path.", 'Write e.g. folder = "/srv/fire".')
    if config.options.get("complete", "settled") not in ("settled", "marker"):
        raise UsageError(f"Source {config.name}: complete is neither settled nor marker.", "Mend the sources file.")


def take_folder(database: Database, settings: Settings, source: Source) -> RunSummary:
    """Receive what lies in `source.options["folder"]`, oldest first; move it to `taken`, or `rejected` with its reason.

    A file is whole when it has not changed for two seconds, or, with `complete = "marker"`, when its name with `.done`
    stands beside it. It is moved after it was stored: a run that dies in between finds it again, and knows it by its
    hash. The marker goes before the file: after a death between the two, the file lies there, stored, until somebody
    marks it again. One that changed while it was read stays for the next run. One that meets a bug stays, too, and does
    not keep the others back; the bug is raised at the end.
    """
    summary, folder = RunSummary(), Path(source.options["folder"])
    bugs: list[Exception] = []
    with running_alone(database, source.name) as state:
        if state is None:
            return summary
        try:
            for path in _whole(folder, source.options.get("complete") == "marker"):
                try:
                    _take(database, settings, source, path, summary)
                except OSError as error:
                    summary.failures.append(f"{path.name}: {error.strerror or error}")
                except Exception as bug:
                    bugs.append(bug)
        except OSError as error:
            summary.failures.append(f"{folder}: {error.strerror or error}")
        if bugs:
            raise ExceptionGroup(f"{len(bugs)} files could not be worked on", bugs)
        if summary.failures:
            record_failure(database, source.name, "; ".join(summary.failures), state.validators)
        else:
            record_success(database, source.name, state.validators)
    return summary


def has_whole_file(options: Mapping[str, Any]) -> bool:
    """Whether a file in a drop folder can be taken now; False when it cannot be looked at: the run says why."""
    try:
        return next(_whole(Path(options["folder"]), options.get("complete") == "marker"), None) is not None
    except OSError:
        return False


def _take(database: Database, settings: Settings, source: Source, path: Path, summary: RunSummary) -> None:
    read = _read(path, settings.max_document_bytes)
    if read is None:
        return
    body, was = read
    own = RunSummary()
    receive(database, source, "feed", path.name, body, own)
    summary += own
    if _shape(path) != was:
        return
    target = _free(path, path.parent / (REJECTED if own.dead_letters else TAKEN))
    reason = target.with_name(f"{target.name}.reason.txt")
    if own.dead_letters:
        # Before the file: a death in between finds both again, while a file already moved would stay without it.
        reason.write_text(f"{own.dead_letters[0][1]}\n", encoding="utf-8")
    # Before the file, too: left behind, it would vouch for the first half of a next file of this name.
    path.with_name(path.name + MARKER).unlink(missing_ok=True)
    path.rename(target)
    if _shape(target) != was:
        # Its writer was still at it: what came since is another content, and goes through all this again.
        _put_back(target, path, by_marker=source.options.get("complete") == "marker")
        reason.unlink(missing_ok=True)


def _read(path: Path, limit_bytes: int) -> tuple[Body, tuple[int, int]] | None:
    """Return content and shape, None when it changed meanwhile."""
    # No link: it may lead to what this service may read and the sender may not.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        before = _shape(path)
        body = read_body(iter(partial(file.read, _CHUNK_BYTES), b""), limit_bytes)
    return (body, before) if _shape(path) == before and body.byte_size == before[0] else None


def _shape(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _whole(folder: Path, by_marker: bool) -> Iterator[Path]:
    now = time.time()
    files = [path for path in folder.iterdir() if path.is_file() and not path.is_symlink() and not _is_no_file(path)]
    for path in sorted(files, key=lambda path: (path.stat().st_mtime, path.name)):
        if by_marker:
            if path.with_name(path.name + MARKER).exists():
                yield path
        elif abs(now - path.stat().st_mtime) >= _SETTLED_S:
            yield path


def _is_no_file(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower().endswith((*_UNFINISHED, MARKER))


def _free(path: Path, folder: Path) -> Path:
    """Return where a file may stand in a folder, under a name that is free there."""
    folder.mkdir(exist_ok=True)
    target, number = folder / path.name, 1
    while target.exists():
        target, number = folder / f"{path.stem}-{number}{path.suffix}", number + 1
    return target


def _put_back(target: Path, path: Path, *, by_marker: bool) -> None:
    back = target.rename(_free(path, path.parent))
    if by_marker:
        back.with_name(back.name + MARKER).touch()
