"""What a test kills: a process of the real code that dies (SIGKILL) just before or after a function is called."""

from __future__ import annotations

import functools
import importlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gis.database import Database
from gis.settings import Settings


def arm(step: str) -> None:
    """Let this process die at a step: `module:function`, with `:after`, and with `:after:3` after the third call."""
    module, dotted, *rest = step.split(":")
    is_after, left = rest[:1] == ["after"], int(rest[1]) if len(rest) > 1 else 1
    *owners, name = dotted.split(".")
    owner: Any = functools.reduce(getattr, owners, importlib.import_module(module))
    real: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(real)
    def die(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        result = real(*args, **kwargs) if left > 0 or is_after else None
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, die)


def fetch_and_die(step: str, *args: Any) -> None:
    """Do what the process of a run does (`ingest.child`), up to a step."""
    from ingest import child

    arm(step)
    child._fetch(*args)


def load_and_die(step: str, settings: Settings, source: str, path: Path) -> None:
    """Do what `ingest load` does, up to a step."""
    from ingest.loading import load_files
    from ingest.source import find_source

    arm(step)
    load_files(Database(settings.app_url()), settings, find_source(source), [path])
