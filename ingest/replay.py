"""Play saved documents in the order of their times, at once or as fast as it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gis.database import Database
from gis.errors import UsageError
from gis.settings import Settings
from gis.town import load_town
from ingest.documents import Body, read_body
from ingest.processing import process_unparsed, receive
from ingest.reports import Report, Unreadable
from ingest.source import Source
from ingest.summary import RunSummary

_CHUNK_BYTES = 1_048_576


@dataclass(frozen=True)
class Scene:
    """One file of a replay and when its telegram was sent; None for one that does not parse, which comes last."""

    path: Path
    sent_at: datetime | None


def plan_replay(settings: Settings, source: Source, folder: Path, pattern: str, is_drill: bool) -> list[Scene]:
    """Look through the files and put them in order.

    Raises
    ------
    UsageError : no such folder, no file matches, the source knows no drills, or a telegram is real and
        mails would leave the house.
    """
    if is_drill and source.as_exercise is None:
        raise UsageError(f"The source {source.name} has no drills.", "Replay it without --drill.")
    scenes = []
    for path in _files(folder, pattern):
        reports = _glance(source, load_body(path, settings, source, is_drill))
        if not settings.has_local_mailbox and any(report.status == "Actual" for report in reports):
            raise UsageError(
                f"{path.name} is a real warning (通常), and MACHIMORI_SMTP_URL is set: people outside would be warned.",
                "Replay it as a drill with --drill, or unset MACHIMORI_SMTP_URL to use the local mailbox.",
            )
        scenes.append(Scene(path, reports[0].controlled_at if reports else None))
    return sorted(scenes, key=lambda scene: (scene.sent_at is None, scene.sent_at and scene.sent_at.timestamp()))


def play(
    database: Database,
    settings: Settings,
    source: Source,
    scenes: Sequence[Scene],
    *,
    is_drill: bool = False,
    speed: float | None = None,
    show: Callable[[Scene], None] = lambda scene: None,
    sleep: Callable[[float], None] = time.sleep,
) -> RunSummary:
    """Play the scenes in order; what a crash left unparsed before is taken up first.

    Parameters
    ----------
    speed : times faster than it was (1 = real time); None plays at once.
    show : called before each scene.
    sleep : waits that many seconds.
    """
    summary = RunSummary()
    process_unparsed(database, summary)
    before: datetime | None = None
    for scene in scenes:
        if speed and before and scene.sent_at:
            sleep(max(0.0, (scene.sent_at - before).total_seconds() / speed))
        before = scene.sent_at or before
        show(scene)
        body = load_body(scene.path, settings, source, is_drill)
        receive(database, source, "drill" if is_drill else "replay", scene.path.name, body, summary)
    return summary


def load_body(path: Path, settings: Settings, source: Source, is_drill: bool) -> Body:
    """Read a file within the limit of size; as a drill its status becomes 訓練."""
    body = read_body(_chunks(path), settings.max_document_bytes)
    if not is_drill or body.is_truncated or source.as_exercise is None:
        return body
    return read_body([source.as_exercise(body.content)], settings.max_document_bytes)


def _files(folder: Path, pattern: str) -> list[Path]:
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder.", "Name the folder that holds the saved telegrams.")
    paths = sorted(path for path in folder.glob(pattern) if path.is_file())
    if not paths:
        raise UsageError(f"No file in {folder} matches {pattern!r}.", "Check --match, and quote it: --match '32-39_*'")
    return paths


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _glance(source: Source, body: Body) -> list[Report]:
    if body.is_truncated:
        return []
    try:
        return [record for record in source.parse(body.content, load_town()) if isinstance(record, Report)]
    except Unreadable:
        # It becomes a dead letter with its reason when its turn comes.
        return []
