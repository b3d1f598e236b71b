"""A source: where reports come from, how they are read, how they fold into incidents."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

import ingest.sources
from gis.database import Database
from gis.errors import UsageError
from gis.settings import Settings
from gis.town import Town
from ingest.folding import Fold
from ingest.reports import Report
from ingest.summary import RunSummary

Parse = Callable[[bytes, Town], list[Report]]
Fetch = Callable[[Database, Settings, "Source"], RunSummary]


@dataclass(frozen=True)
class Source:
    """One source, defined by one module of `ingest.sources`.

    Attributes
    ----------
    name : as in `ingest.document.source`; also the module's name.
    title : for people.
    running : kinds whose event key names a series without end, so that one key has many incidents.
    schedule : when it runs, in words; "" when it is only pushed or replayed.
    parse : pure; raises `Unreadable` for what does not parse.
    folds : incident kind → fold; a kind that is not named here cannot come from this source.
    fetch : asks the other side for what is new; None when there is nobody to ask.
    as_exercise : turns a real body into a drill; None when this source has no drills.
    publication : what a new incident begins as: `published`, or `pending` to wait for a moderator.
    """

    name: str
    title: str
    parse: Parse
    folds: Mapping[str, Fold]
    running: frozenset[str] = frozenset()
    schedule: str = ""
    fetch: Fetch | None = None
    as_exercise: Callable[[bytes], bytes] | None = None
    publication: Literal["published", "pending"] = "pending"


@cache
def load_sources() -> Mapping[str, Source]:
    """Return all sources by name: the `SOURCE` of every module in `ingest.sources`."""
    names = sorted(module.name for module in pkgutil.iter_modules(ingest.sources.__path__))
    sources = [importlib.import_module(f"ingest.sources.{name}").SOURCE for name in names]
    return {source.name: source for source in sources}


def find_source(name: str) -> Source:
    """Return a source by name.

    Raises
    ------
    UsageError : there is none; the hint names those there are.
    """
    sources = load_sources()
    if name not in sources:
        raise UsageError(f"There is no source {name!r}.", f"Known are: {', '.join(sources)}.")
    return sources[name]
