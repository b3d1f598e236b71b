"""消防の出動指令, pushed as signed JSON to `POST /ingest/fire` (form: ingest/fire/message.py).

The source `fire` is always there; `./machimori ingest secret fire` opens it. A second fire service is a table of
its own:

[matsushima_fire]
type = "fire_push"
title = "…消防本部"
office = "…消防本部"              # as the public reads it; default: title
authority = "matsushima"        # whose dispatch numbers these are; default: the name
every_s = 3600                  # with the next: optional; it is not asked, but so long a silence is an alarm
silent_after_s = 604800
addresses = ["192.0.2.0/24"]    # optional: from where it may be pushed
per_minute = 1200               # optional: messages a minute that one web process takes
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from gis.town import Town
from ingest.configuration import SourceConfig
from ingest.fire.dispatch import Service, fold_dispatch
from ingest.fire.message import mark_exercise, read_messages
from ingest.pushing import check_push_options
from ingest.reports import Rejected, Report
from ingest.source import Source

FOLDS = dict.fromkeys(("fire", "other"), fold_dispatch)


def parse(body: bytes, town: Town, service: Service, source: str) -> Sequence[Report | Rejected]:
    """Read a pushed document; see `ingest.fire.message.read_messages`."""
    return read_messages(body, town, service, source)


def make_source(config: SourceConfig) -> Source:
    """Return the source of one more fire service.

    Raises
    ------
    UsageError : an option is wrong.
    """
    check_push_options(config.name, config.options)
    service = Service(
        str(config.options.get("office", config.title)), str(config.options.get("authority", config.name))
    )
    return _source(config.name, config.title, service, config)


def _source(name: str, title: str, service: Service, config: SourceConfig | None = None) -> Source:
    return Source(
        name=name,
        title=title,
        parse=partial(parse, service=service, source=name),
        folds=FOLDS,
        schedule=config.schedule if config else None,
        as_exercise=mark_exercise,
        is_private=True,
        trusts_clock=False,
        accepts=("application/json",),
        options=config.options if config else {},
    )


SOURCE = _source("fire", "消防（出動指令）", Service())
