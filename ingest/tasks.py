"""Jobs of the queue `ingest`."""

from __future__ import annotations

import structlog

from gis.database import SERVICE
from gis.jobs import context, task
from ingest.processing import process_unparsed
from ingest.quiet import EARTHQUAKE_QUIET_HOURS, resolve_quiet
from ingest.source import find_source
from ingest.summary import RunSummary

_log = structlog.get_logger(__name__)


@task("ingest.poll", queue="ingest")
def poll(source: str) -> None:
    """Ask a source for what is new, after taking up what a crash left unparsed."""
    database, settings = context().database, context().settings
    found = find_source(source)
    leftovers = RunSummary()
    process_unparsed(database, leftovers)
    summary = found.fetch(database, settings, found) if found.fetch else RunSummary()
    for line in [*leftovers.lines()[1:], *summary.lines()[1:]]:
        _log.warning("ingest", source=source, trouble=line)
    if leftovers.new or summary.new:
        _log.info("ingest", source=source, new=leftovers.new + summary.new, changed=leftovers.changed + summary.changed)


@task("ingest.resolve_quiet", queue="ingest")
def close_quiet_incidents() -> None:
    """Resolve the incidents that nobody ends."""
    reason = f"no report for {EARTHQUAKE_QUIET_HOURS} hours, or the time of the notice is over"
    with context().database.begin(SERVICE, account="clock", reason=reason) as connection:
        closed = resolve_quiet(connection)
    if closed:
        _log.info("ingest", resolved=closed)
