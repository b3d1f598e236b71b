"""What the tests of the moderators' desk share: a source of incidents about persons, and people with roles."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Engine, text

from gis.accounts import add_account
from gis.database import SERVICE, Database
from ingest.documents import read_body
from ingest.latest_fold import fold_latest
from ingest.matching import match_incident
from ingest.processing import receive
from ingest.reports import Place, Private, Report
from ingest.source import Source
from ingest.summary import RunSummary

JST = timezone(timedelta(hours=9))
SAID_AT = datetime(2026, 11, 20, 15, 0, tzinfo=JST)
PASSWORD = "a password of the tests"
Post = Callable[..., None]


def person_report(number: str, **changes: Any) -> Report:
    """Return a report of a 声かけ at a precise place; `place=(lon, lat)` and any field of `Report` may differ."""
    lon, lat = changes.pop("place", (141.2105, 38.4305))
    at = changes.pop("at", SAID_AT)
    facts = {"category": "声かけ", "place_name": "矢本", "occurred_at": at.isoformat()} | changes.pop("facts", {})
    values: dict[str, Any] = {
        "source_id": number, "telegram": "mail", "kind": "suspicious_person", "status": "Actual", "action": "issue",
        "event_key": f"event:{number}", "serial": None, "reported_at": at, "controlled_at": at, "office": "石巻署",
        "headline": "声かけ事案の発生", "text": "児童が男に声をかけられました。", "facts": facts, "concerns_town": True,
        "private": Private(Place(lon, lat, 50, "矢本字上河戸36-1"), "矢本字上河戸36-1", "田中さん宅前で声をかけられた"),
    }  # fmt: skip
    return Report(**(values | changes))


@pytest.fixture
def post(database: Database, monkeypatch: pytest.MonkeyPatch) -> Post:
    """Receive reports as a source by name, then do the jobs of matching as the worker does."""

    def send(*records: Report, source: str = "police") -> None:
        made = Source(
            source,
            {"police": "県警", "fire": "消防"}.get(source, source),
            lambda body, town: list(records),
            {"suspicious_person": fold_latest, "fire": fold_latest},
            is_private=True,
        )
        monkeypatch.setattr("ingest.processing.find_source", lambda name: made)
        body = repr(records).encode()
        receive(database, made, "push", "mail", read_body([body], 1_000_000), RunSummary())
        match_all(database)

    return send


def match_all(database: Database) -> None:
    """Do the waiting jobs of matching."""
    with database.begin(SERVICE) as connection:
        jobs = connection.execute(
            text("SELECT id, (args->>'incident_fid')::bigint AS fid FROM procrastinate_jobs"
                 " WHERE task_name = 'ingest.match' AND status = 'todo' ORDER BY id")
        ).all()  # fmt: skip
    for job in jobs:
        with database.begin(SERVICE, account="matching") as connection:
            match_incident(connection, job.fid)


@pytest.fixture
def people(owner: Engine) -> None:
    """Two moderators, an editor and a viewer of the disaster office, one of the sewerage section."""
    with owner.begin() as connection:
        for name, department, roles in (
            ("mod", "disaster", ("viewer", "moderator")),
            ("modtwo", "disaster", ("moderator",)),
            ("plain", "disaster", ("editor",)),
            ("looker", "disaster", ("viewer",)),
            ("sewerman", "sewer", ("editor", "moderator")),
        ):
            add_account(connection, name, f"{name}さん", department, PASSWORD, is_demo=True, roles=roles)
