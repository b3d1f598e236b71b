"""Jobs of the queue `ingest`."""

from __future__ import annotations

import structlog

from gis.jobs import context, task
from ingest.processing import process_unparsed
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
