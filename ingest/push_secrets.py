"""The secrets of those who push: one file per source, the newest first, the one before it valid until it is ended."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from gis.errors import UsageError
from gis.settings import Settings
from ingest.source import Source

_VALID = 2


def load_push_secrets(settings: Settings, source: Source) -> Sequence[str]:
    """Return the secrets that hold now: those of the sources file, else those that were made here; read each time."""
    named = source.options.get("secrets")
    if named:
        return [str(secret) for secret in named]
    try:
        return _path(settings, source.name).read_text(encoding="ascii").split()[:_VALID]
    except FileNotFoundError:
        return []


def make_push_secret(settings: Settings, source: Source) -> str:
    """Make a source's next secret and return it; the one before it holds on until `end_old_secret`.

    Raises
    ------
    UsageError : the sources file names its secrets, or the one before the last was not ended.
    """
    known = load_push_secrets(settings, source)
    if source.options.get("secrets"):
        raise UsageError(
            "The secrets of %(source)s stand in the sources file.",
            "Change them there, or take them out there.",
            source=source.name,
        )
    if len(known) >= _VALID:
        raise UsageError(
            "Two secrets of %(source)s hold already.",
            "When the sender uses the newer one: ./machimori ingest secret %(source)s --end-old",
            source=source.name,
        )
    made = secrets.token_urlsafe(32)
    _write(_path(settings, source.name), [made, *known])
    return made


def end_old_secret(settings: Settings, source: Source) -> None:
    """Let only the newest secret hold.

    Raises
    ------
    UsageError : there is only one, or none, or they stand in the sources file.
    """
    known = load_push_secrets(settings, source)
    if source.options.get("secrets") or len(known) < _VALID:
        raise UsageError("There is no older secret of %(source)s here.", "Nothing has to be done.", source=source.name)
    _write(_path(settings, source.name), known[:1])


def _path(settings: Settings, name: str) -> Path:
    return settings.var_dir / "secrets" / "push" / name


def _write(path: Path, lines: Sequence[str]) -> None:
    """Replace the file whole, readable for its owner alone; it belongs to whoever owns the folder above."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.touch(mode=0o600, exist_ok=False)
    unfinished.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    unfinished.replace(path)
