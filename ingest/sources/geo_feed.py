"""GeoJSON and GeoRSS feeds of any kind, by configuration alone.

[road_closures]
type = "geo_feed"
title = "道路課"
url = "https://roads.example/closures.geojson"
every_s = 300
[road_closures.map]
id = "properties.id"
reported_at = "properties.updated"
headline = "properties.title"
kind = "traffic"
over_path = "properties.status"
over_values = ["開通"]
lists = "current"      # all that is current: what is gone from it is over; omit it for the latest fifty or so
"""

from __future__ import annotations

from collections import defaultdict

from ingest.configuration import SourceConfig
from ingest.geo.features import is_whole_list
from ingest.geo.mapping import parse_with, read_mapping
from ingest.latest_fold import fold_latest
from ingest.polling import poll_document
from ingest.source import Source


def make_source(config: SourceConfig) -> Source:
    """Make the source of one feed.

    Raises
    ------
    UsageError : the mapping is not understood.
    """
    mapping = read_mapping(config)
    return Source(
        name=config.name,
        title=config.title,
        parse=parse_with(config.name, mapping),
        folds=defaultdict(lambda: fold_latest),
        schedule=config.schedule,
        fetch=poll_document if "url" in config.options else None,
        is_private=mapping.is_private,
        lists_all=is_whole_list if mapping.lists == "current" else None,
        # What is gone or back is of when it was seen: a word from the future would stand above it.
        trusts_clock=mapping.lists != "current",
        accepts=() if "url" in config.options else ("application/json", "application/geo+json"),
        options=config.options,
    )
