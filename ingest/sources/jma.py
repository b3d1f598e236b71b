"""気象庁: earthquakes, tsunamis, warnings, floods and notices, by 気象庁防災情報XML and its Atom feed."""

from __future__ import annotations

from ingest.jma.earthquake_fold import fold_earthquake
from ingest.jma.exercise import as_exercise
from ingest.jma.feed import fetch_feeds
from ingest.jma.record import parse_reports
from ingest.jma.running_fold import RUNNING_FOLDS
from ingest.jma.tsunami_fold import fold_tsunami
from ingest.schedule import Schedule
from ingest.source import Source

SOURCE = Source(
    name="jma",
    title="気象庁",
    parse=parse_reports,
    folds={"earthquake": fold_earthquake, "tsunami": fold_tsunami, **RUNNING_FOLDS},
    running=frozenset(RUNNING_FOLDS),
    # JMA writes its feeds on the minute and asks to come a little later; a day without any telegram has never been.
    # A tsunami does not wait for an hour until a feed is asked again: two minutes at most after failures. The first
    # run after days fetches hundreds of telegrams.
    schedule=Schedule(every_s=60, at_s=20, silent_after_s=86_400, time_limit_s=600, longest_wait_s=120),
    needs="jma_feed_url",
    fetch=fetch_feeds,
    as_exercise=as_exercise,
)
