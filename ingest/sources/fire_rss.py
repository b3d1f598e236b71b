"""消防の出動 as a public feed of notices (RSS, Atom); what the words mean stands in data/fire_words.toml.

[fire_notices]
type = "fire_rss"
title = "…消防本部 災害案内"
url = "https://fire.example/saigai.rss"
every_s = 60
office = "…消防本部"              # as the public reads it; default: title
authority = "fire"              # whose dispatch numbers these are; default: fire, as of the push door
"""

from __future__ import annotations

from functools import partial
from urllib.parse import urlsplit

from gis.errors import UsageError
from ingest.configuration import SourceConfig
from ingest.fire.dispatch import Service, fold_dispatch
from ingest.fire.notices import read_notices
from ingest.polling import poll_document
from ingest.source import Source

_FOLDS = dict.fromkeys(("fire", "other"), fold_dispatch)


def make_source(config: SourceConfig) -> Source:
    """Return the source of one feed.

    Raises
    ------
    UsageError : an option is missing or wrong.
    """
    if urlsplit(config.option("url")).scheme not in ("http", "https"):
        raise UsageError(f"Source {config.name}: url is no web address.", 'Write url = "https://fire.example/x.rss".')
    service = Service(
        str(config.options.get("office", config.title)), str(config.options.get("authority", Service.authority))
    )
    return Source(
        name=config.name,
        title=config.title,
        parse=partial(read_notices, service=service, source=config.name),
        folds=_FOLDS,
        schedule=config.schedule,
        fetch=poll_document,
        is_private=True,
        seeks_events=True,
        trusts_clock=False,
        options=config.options,
    )


SOURCE = Source(
    "fire_rss",
    "消防（出動の案内）",
    partial(read_notices, service=Service(), source="fire_rss"),
    _FOLDS,
    is_private=True,
    seeks_events=True,
    trusts_clock=False,
)
