"""気象庁: earthquakes, tsunamis, warnings, floods and notices, by 気象庁防災情報XML and its Atom feed."""

from __future__ import annotations

from ingest.jma.earthquake_fold import fold_earthquake
from ingest.jma.exercise import as_exercise
from ingest.jma.feed import fetch_feeds
from ingest.jma.record import parse_reports
from ingest.jma.running_fold import RUNNING_FOLDS
from ingest.jma.tsunami_fold import fold_tsunami
from ingest.source import Source

SOURCE = Source(
    name="jma",
    title="気象庁",
    parse=parse_reports,
    folds={"earthquake": fold_earthquake, "tsunami": fold_tsunami, **RUNNING_FOLDS},
    running=frozenset(RUNNING_FOLDS),
    schedule="20 s past every minute",
    fetch=fetch_feeds,
    as_exercise=as_exercise,
    publication="published",
)
