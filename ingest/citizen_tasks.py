"""Jobs of citizens' reports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog

from gis.database import SERVICE
from gis.jobs import context, task
from ingest.answers import BATCH, answer_citizens
from ingest.citizen_policy import load_citizen_policy
from ingest.citizens import forget_citizen_reports
from ingest.processing import process_document

_log = structlog.get_logger(__name__)


@task("ingest.take_citizen_report", queue="ingest")
def take_citizen_report(document_id: int) -> None:
    """Make a stored report an incident; nothing when that is done already."""
    outcome = process_document(context().database, document_id)
    if outcome.reason is not None:
        _log.error("a citizen's report did not parse", document=document_id, reason=outcome.reason)


@task("ingest.answer_citizens", queue="ingest")
def answer_due_citizens() -> None:
    """Tell those who wish it how it stands with their reports; batch after batch, after a storm there are many."""
    while answer_citizens(context().database, context().settings) >= BATCH:
        pass


@task("ingest.forget_citizens", queue="ingest")
def forget_old_citizen_reports() -> None:
    """Erase contacts, photos and whence reports came, at the end of the time that the form promises."""
    before = datetime.now(UTC) - timedelta(days=load_citizen_policy().days)
    reports, erased, photos_erased = 1, 0, 0
    while reports:
        with context().database.begin(SERVICE, account="clock", reason="the end of its retention") as connection:
            reports, photos = forget_citizen_reports(connection, before)
        erased, photos_erased = erased + reports, photos_erased + photos
    if erased:
        _log.info("citizens' reports forgotten", reports=erased, photos=photos_erased)
