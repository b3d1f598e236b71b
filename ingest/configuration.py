"""Sources that an installation adds by configuration alone: one table of a TOML file each.

[miyagi_mail]
type = "safety_mail"             # a module of ingest.sources that has make_source()
title = "みやぎSecurityメール"
every_s = 60                     # omit it for what is only pushed
silent_after_s = 1209600         # also at_s, jitter_s, time_limit_s, longest_wait_s: see ingest/schedule.py
url = "imaps://user@mail.example/INBOX"     # this and all further keys are the type's own
secret = "…"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gis.errors import UsageError
from ingest.schedule import Schedule

_RHYTHM = ("every_s", "at_s", "jitter_s", "silent_after_s", "time_limit_s", "longest_wait_s")
_AT_LEAST_ONE = ("every_s", "time_limit_s", "longest_wait_s")
_COMMON = ("type", "title", *_RHYTHM)


@dataclass(frozen=True)
class SourceConfig:
    """One table of the file.

    Attributes
    ----------
    source_type : the module of `ingest.sources` that makes it. options : the keys that only its type knows.
    """

    name: str
    source_type: str
    title: str
    schedule: Schedule | None
    options: Mapping[str, Any]

    def option(self, key: str, kind: type[Any] = str) -> Any:
        """Return an option that must be there.

        Raises
        ------
        UsageError : it is missing or of another type.
        """
        value = self.options.get(key)
        if not isinstance(value, kind):
            raise UsageError(f"Source {self.name}: {key} is missing or no {kind.__name__}.", "Mend the sources file.")
        return value


def read_configuration(path: Path, types: Sequence[str]) -> tuple[list[SourceConfig], list[UsageError]]:
    """Read the installation's sources; return those that are understood, and one fault for each that is not.

    Parameters
    ----------
    types : the modules that can make a source.

    Raises
    ------
    UsageError : the file is no TOML, so that nothing of it is known.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path.name} is no TOML in UTF-8: {error}.", "Mend the line that the message names."
        ) from error
    configs, faults = [], []
    for name, table in tables.items():
        try:
            configs.append(_read(path.name, name, table, types))
        except UsageError as fault:
            faults.append(fault)
    return configs, faults


def _read(file: str, name: str, table: Any, types: Sequence[str]) -> SourceConfig:
    if not isinstance(table, dict) or table.get("type") not in types:
        raise UsageError(f"{file}, [{name}]: no known type.", f"Types are: {', '.join(types)}.")
    try:
        schedule = _schedule(table)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{file}, [{name}]: {error}.", "every_s and its kin are whole seconds.") from error
    options = {key: value for key, value in table.items() if key not in _COMMON}
    return SourceConfig(name, table["type"], str(table.get("title", name)), schedule, options)


def _schedule(table: Mapping[str, Any]) -> Schedule | None:
    if "every_s" not in table:
        return None
    numbers = {key: table[key] for key in _RHYTHM if key in table}
    for key, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < (key in _AT_LEAST_ONE):
            raise ValueError(f"{key} is {value!r}")
    return Schedule(**numbers)
