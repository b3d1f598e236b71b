"""A source: where reports come from, how they are read, how they fold into incidents."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import ingest.sources
from gis.database import Database
from gis.errors import UsageError
from gis.settings import Settings, load_settings
from gis.town import Town
from ingest.configuration import SourceConfig, read_configuration
from ingest.folding import Fold
from ingest.reports import Rejected, Report
from ingest.schedule import Schedule
from ingest.summary import RunSummary

Parse = Callable[[bytes, Town], Sequence[Report | Rejected]]
Fetch = Callable[[Database, Settings, "Source"], RunSummary]


@dataclass(frozen=True)
class Source:
    """One source: the `SOURCE` of a module of `ingest.sources`, or what its `make_source` made of a configuration.

    Attributes
    ----------
    name : as in `ingest.document.source`; also the module's name.
    title : for people.
    running : kinds whose event key names a series without end, so that one key has many incidents.
    schedule : when it is asked; None when it is only pushed or replayed.
    parse : pure; raises `Unreadable` for a document that does not parse, returns `Rejected` for a record.
    folds : incident kind → fold; a kind that is not named here cannot come from this source.
    fetch : asks the other side for what is new; None when there is nobody to ask.
    is_waiting : whether something new lies in a folder of this machine, so that nobody waits for the schedule
        (ingest/doorstep.py); cheap. None when only asking tells.
    as_exercise : turns a real body into a drill; None when this source has no drills.
    is_private : it speaks of persons: its documents and rejected records are for moderators only.
    is_past : it tells of what is long over, each report of an event of its own: nothing goes to the alert side, and
        large documents are loaded set by set (ingest/bulk.py).
    seeks_events : its later notices speak of an event without naming it (`Report.seeks_event`).
    trusts_clock : its times are believed; if not, what says that it was written after it came is of when it came.
    accepts : media types that are taken at the push door, once the source has a secret (ingest/pushing.py); none = it
        is not pushed.
    lists_all : whether a body lists all that is current, so that what is missing from it is over (ingest/listing.py);
        None = what is missing says nothing, e.g. a feed of the latest fifty.
    needs : the setting without which there is nobody to ask, e.g. `jma_feed_url`; "" = none.
    source_type : the type of a configured source; "" for a source of the system.
    options : what its configuration says beyond the common keys (addresses, mappings); never shown to anyone.
    """

    name: str
    title: str
    parse: Parse
    folds: Mapping[str, Fold]
    running: frozenset[str] = frozenset()
    schedule: Schedule | None = None
    fetch: Fetch | None = None
    is_waiting: Callable[[], bool] | None = None
    as_exercise: Callable[[bytes], bytes] | None = None
    is_private: bool = False
    is_past: bool = False
    seeks_events: bool = False
    trusts_clock: bool = True
    accepts: tuple[str, ...] = ()
    lists_all: Callable[[bytes], bool] | None = None
    needs: str = ""
    source_type: str = ""
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def can_be_asked(self, settings: Settings) -> bool:
        """Whether there is somebody to ask in this installation."""
        return self.fetch is not None and not (self.needs and not getattr(settings, self.needs))


def load_sources() -> Mapping[str, Source]:
    """Return all sources by name: those of the modules in `ingest.sources`, and those of the installation's file.

    A fault in the file stops nothing else: a faulty table is left out, and of a file that is no TOML (someone is just
    writing it) the last good reading stands. `source_faults` names them.
    """
    return _read_all()[0]


def source_faults() -> Sequence[UsageError]:
    """Return what is wrong with the installation's file, each with its cure."""
    return _read_all()[1]


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


def _read_all() -> tuple[Mapping[str, Source], Sequence[UsageError]]:
    path = load_settings().sources_path
    return _load(path, path.stat().st_mtime_ns if path.exists() else None)


@cache
def _load(path: Path, changed_ns: int | None) -> tuple[Mapping[str, Source], Sequence[UsageError]]:
    """Read modules and file once, and again when the file has changed."""
    names = sorted(module.name for module in pkgutil.iter_modules(ingest.sources.__path__))
    modules = {name: importlib.import_module(f"ingest.sources.{name}") for name in names}
    sources = [module.SOURCE for module in modules.values() if hasattr(module, "SOURCE")]
    found = {source.name: source for source in sources}
    makers: dict[str, Callable[[SourceConfig], Source]] = {
        name: module.make_source for name, module in modules.items() if hasattr(module, "make_source")
    }
    if changed_ns is None:
        return found, []
    try:
        configs, faults = read_configuration(path, sorted(makers))
    except UsageError as error:
        return found | _last_good.get(path, {}), [error]
    configured = {}
    for config in configs:
        try:
            if config.name in found:
                raise UsageError(f"{path.name}: {config.name} is a source of the system.", "Give it another name.")
            configured[config.name] = replace(makers[config.source_type](config), source_type=config.source_type)
        except UsageError as error:
            faults.append(error)
    _last_good[path] = configured
    return found | configured, faults


_last_good: dict[Path, dict[str, Source]] = {}
