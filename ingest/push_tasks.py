"""Jobs of what is pushed."""

from __future__ import annotations

import structlog

from gis.database import SERVICE
from gis.jobs import context, task
from ingest.processing import process_document
from ingest.pushing import forget_pushes

_log = structlog.get_logger(__name__)


@task("ingest.take_pushed", queue="ingest")
def take_pushed(document_id: int) -> None:
    """Work on what the door had no time for; nothing when that is done already."""
    outcome = process_document(context().database, document_id)
    if outcome.reason is not None:
        # Why stands with the document: a reason may quote what was said of persons.
        _log.warning("a pushed document did not parse", document=document_id)


@task("ingest.forget_pushes", queue="ingest")
def forget_old_pushes() -> None:
    """Forget idempotency keys of more than a week ago."""
    with context().database.begin(SERVICE) as connection:
        forget_pushes(connection)
