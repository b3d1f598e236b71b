"""Jobs of the queue `ingest`."""

from __future__ import annotations

import time

import structlog

from gis.database import SERVICE
from gis.jobs import context, enqueue, task
from ingest.alarms import watch_sources
from ingest.citizen_storm import rest_in_storm
from ingest.matching import match_incident
from ingest.processing import process_unparsed, retry_document
from ingest.quiet import EARTHQUAKE_QUIET_HOURS, resolve_quiet
from ingest.retention import forget
from ingest.running import CLOCK, lose_dead_runs, prune_runs, run_source
from ingest.source import find_source
from ingest.statistics import refresh_statistics
from ingest.summary import RunSummary

# Well under the time that a worker has for its jobs when it is to stop (webmap/worker.py).
SLICE_S = 8.0

_log = structlog.get_logger(__name__)


@task("ingest.poll", queue="ingest")
def poll(source: str, asked_by: str = CLOCK) -> None:
    """Ask a source for what is new; how it went stands in `ingest.run`, and the schedule tries again by itself."""
    _tell(source, run_source(context().database, context().settings, find_source(source), asked_by) or RunSummary())


@task("ingest.take_up", queue="ingest")
def take_up() -> None:
    """Take up what a crash or a storm left between storing and parsing, of whatever source; the next job has the rest.

    So a worker that is to stop has done with it in time, and ends between two documents.
    """
    database, summary, ends_at = context().database, RunSummary(), time.monotonic() + SLICE_S
    is_rest = process_unparsed(database, summary, rest_in_storm(database), lambda: time.monotonic() > ends_at)
    _tell("", summary)
    if is_rest:
        with database.begin(SERVICE) as connection:
            # As the clock writes it (webmap/scheduler.py): one waits, one is at work.
            enqueue(connection, "ingest.take_up", lock="ingest.take_up", once="ingest.take_up")


@task("ingest.retry", queue="ingest")
def retry(document_id: int) -> None:
    """Parse a document once more, because someone mended what rejected it."""
    retry_document(context().database, document_id)


@task("ingest.match", queue="ingest")
def match(incident_fid: int) -> None:
    """Look for what an incident may be one with; run one at a time by the lock of its name."""
    with context().database.begin(SERVICE, account="matching", reason="likeness") as connection:
        match_incident(connection, incident_fid)


@task("ingest.watch", queue="ingest")
def watch() -> None:
    """Raise and close the alarms about sources, and tell the staff by mail."""
    lose_dead_runs(context().database)
    watch_sources(context().database, context().settings)


@task("ingest.prune_runs", queue="ingest")
def forget_old_runs() -> None:
    """Run `prune_runs` as a job."""
    prune_runs(context().database)


@task("ingest.forget", queue="ingest")
def forget_what_is_due() -> None:
    """Forget what has been kept long enough; what a stop left undone follows the next time."""
    for act in forget(context().database):
        _log.info("retention", forgotten=act.what, rule=act.rule, count=len(act.ids))


@task("ingest.resolve_quiet", queue="ingest")
def close_quiet_incidents() -> None:
    """Resolve the incidents that nobody ends."""
    reason = f"no report for {EARTHQUAKE_QUIET_HOURS} hours, or the time of the notice is over"
    with context().database.begin(SERVICE, account="clock", reason=reason) as connection:
        closed = resolve_quiet(connection)
    if closed:
        _log.info("ingest", resolved=closed)


def _tell(source: str, summary: RunSummary) -> None:
    for failure in summary.failures:
        _log.warning("ingest", source=source, trouble=failure)
    if summary.dead_letters:
        # Which and why stands at the desk: the name of a mail may be its subject, and a reason may quote its words.
        _log.warning("ingest", source=source, dead_letters=len(summary.dead_letters))
    if summary.new:
        _log.info("ingest", source=source, new=summary.new, changed=summary.changed)


@task("ingest.count_statistics", queue="ingest")
def count_statistics() -> None:
    """Count again the years in which incidents changed."""
    with context().database.begin(SERVICE) as connection:
        refresh_statistics(connection)
