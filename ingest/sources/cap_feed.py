"""CAP messages of another office: one URL, or a feed (Atom, RSS) of them; by configuration alone.

[prefecture_cap]
type = "cap_feed"
title = "宮城県"
url = "https://alerts.example/cap.atom"
every_s = 60
kind = "weather"                          # of what `kinds` does not name
kinds = { "津波" = "tsunami", "Flood" = "flood" }
geocodes = { "JIS" = ["04214"] }          # what means our town where no area is drawn
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from gis.errors import UsageError
from ingest.cap.record import CapRules, parse_with
from ingest.configuration import SourceConfig
from ingest.latest_fold import fold_latest
from ingest.polling import poll_feed
from ingest.source import Source


def make_source(config: SourceConfig) -> Source:
    """Make the source of one sender.

    Raises
    ------
    UsageError : an option is missing or of another type.
    """
    options = config.options
    rules = CapRules(
        config.name,
        str(options.get("kind", "other")),
        _words(config, "kinds", str),
        {name: tuple(map(str, values)) for name, values in _words(config, "geocodes", list).items()},
    )
    return Source(
        name=config.name,
        title=config.title,
        parse=parse_with(rules),
        folds=defaultdict(lambda: fold_latest),
        schedule=config.schedule,
        fetch=poll_feed if "url" in options else None,
        options=options,
    )


def _words(config: SourceConfig, key: str, kind: type[Any]) -> Mapping[str, Any]:
    table = config.options.get(key, {})
    if not isinstance(table, dict) or not all(isinstance(value, kind) for value in table.values()):
        raise UsageError(f"Source {config.name}: {key} is no table of {kind.__name__}s.", "Mend the sources file.")
    return table
