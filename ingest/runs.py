"""Runs of a source: one at a time across all machines, and how the last ones went (`ingest.source`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from gis.database import SERVICE, Database
from gis.queries import load_queries

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class RunState:
    """Where a source stands: its last success, and per URL the validators for conditional requests."""

    last_success_at: datetime | None
    validators: Mapping[str, Any]


@contextmanager
def running_alone(database: Database, source: str) -> Iterator[RunState | None]:
    """Hold the source's lock for the length of a run; yields None when another run has it.

    The lock belongs to a connection of its own: when the process dies, PostgreSQL gives it back.
    An exception in the block is noted as a failed run and goes on.
    """
    key = {"key": f"ingest.run:{source}"}
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(text("SELECT pg_try_advisory_lock(hashtextextended(:key, 0))"), key).scalar_one():
            yield None
            return
        try:
            with database.begin(SERVICE) as work:
                state = _begin_run(work, source)
            try:
                yield state
            except Exception as bug:
                record_failure(database, source, f"{type(bug).__name__}: {bug}", state.validators)
                raise
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(hashtextextended(:key, 0))"), key)


def record_success(database: Database, source: str, validators: Mapping[str, Any]) -> None:
    """Note that a run did everything it had to."""
    with database.begin(SERVICE) as connection:
        _end_run(connection, "record_success", {"source": source, "validators": dict(validators)})


def record_failure(database: Database, source: str, error: str, validators: Mapping[str, Any]) -> None:
    """Note that a run could not do everything, and why."""
    with database.begin(SERVICE) as connection:
        _end_run(connection, "record_failure", {"source": source, "error": error, "validators": dict(validators)})


def record_progress(database: Database, source: str, validators: Mapping[str, Any]) -> None:
    """Keep how far a run has come, so that a crash asks for no more than the last thing again."""
    with database.begin(SERVICE) as connection:
        _end_run(connection, "record_progress", {"source": source, "validators": dict(validators)})


def load_progress(database: Database, source: str) -> Mapping[str, Any]:
    """Return how far the runs of a source have come."""
    with database.begin(SERVICE) as connection:
        found: Mapping[str, Any] = connection.execute(_QUERIES["progress"], {"source": source}).scalar_one()
        return found


def _begin_run(connection: Connection, source: str) -> RunState:
    row = connection.execute(_QUERIES["begin_run"], {"source": source}).one()
    return RunState(row.last_success_at, row.etags)


def _end_run(connection: Connection, query: str, values: Mapping[str, Any]) -> None:
    connection.execute(_QUERIES[query].bindparams(bindparam("validators", type_=JSONB)), values)
