"""What goes wrong while words about persons are worked on is told by its kind and place in our code, never by words."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from sqlalchemy.exc import OperationalError

from ingest.source import Source

_PACKAGE = Path(__file__).parent
_log = structlog.get_logger(__name__)


class VeiledError(Exception):
    """A bug in the work on a private document; its own message may hold what the document said."""


@contextmanager
def veiled(source: Source) -> Iterator[None]:
    """Let a bug out of the block without its message when the source speaks of persons.

    A parser's message quotes what it could not read, PostgreSQL's the row that it refused; logs, runs and jobs keep
    messages for longer, and for more eyes, than the document itself. A database that does not answer quotes nothing.

    Raises
    ------
    VeiledError : in place of whatever was raised; OperationalError comes as it is.
    """
    try:
        yield
    except OperationalError:
        raise
    except Exception as bug:
        if not source.is_private:
            raise
        log_veiled("work on a private document failed", source, bug)
        raise VeiledError(place_of(bug)) from None


def place_of(bug: Exception) -> str:
    """Return the kind of a bug and the last line of this package that it passed: `KeyError at ingest/paths.py:40`."""
    frames = traceback.extract_tb(bug.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    if not own:
        return type(bug).__name__
    return f"{type(bug).__name__} at {Path(own[-1].filename).relative_to(_PACKAGE.parent)}:{own[-1].lineno}"


def log_veiled(event: str, source: Source, bug: Exception, **values: object) -> None:
    """Log a bug by the lines of code that it passed."""
    frames = traceback.extract_tb(bug.__traceback__)
    trace = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    _log.error(event, source=source.name, bug=type(bug).__name__, trace=trace, **values)
