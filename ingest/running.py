"""One run of a source from beginning to end: alone, within its time, noted, and with the next one planned."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from gis.database import SERVICE, Database
from gis.errors import UsageError
from gis.queries import load_queries
from gis.settings import Settings
from ingest.child import Ended, fetch_apart
from ingest.schedule import CIRCUIT_FAILURES, Schedule
from ingest.source import Source
from ingest.summary import RunSummary
from ingest.veil import place_of

CLOCK = "clock"
_KEPT_DAYS = 31
# For a source without a schedule, asked by hand only.
_BY_HAND = Schedule(every_s=3600)

_QUERIES = load_queries(__file__)
_log = structlog.get_logger(__name__)


def run_source(
    database: Database, settings: Settings, source: Source, asked_by: str = CLOCK, time_limit_s: float | None = None
) -> RunSummary | None:
    """Ask a source for what is new and note how it went.

    Parameters
    ----------
    asked_by : `clock`, or the account that wants it now: that goes even while the source is paused or its circuit open.
    time_limit_s : default: the schedule's.

    Returns
    -------
    None when it did not run: it runs already, on whatever machine, or is paused.
    """
    schedule = source.schedule or _BY_HAND
    with _alone(database, source.name) as is_ours:
        if not is_ours:
            return None
        begun = _begin(database, source, asked_by)
        if begun is None:
            return None
        run_id, failures = begun
        started_at = datetime.now(UTC)
        ended = fetch_apart(settings, source.name, time_limit_s or schedule.time_limit_s)
        if ended.trace:
            _log.error("a source failed by a bug", source=source.name, trace=ended.trace)
        summary = ended.summary or RunSummary(failures=[ended.error])
        _note(database, source, schedule, run_id, started_at, failures, ended, summary)
    return summary


@contextmanager
def noted_by_hand(database: Database, source: Source, asked_by: str) -> Iterator[RunSummary]:
    """Note what somebody does with a source at a console as a run of it; the block counts in the summary it is given.

    An error in the block is noted as the run's and goes on; of a process that dies in the block, `lose_dead_runs` says
    so. The schedule of a source that has one, and its circuit, are not touched: who loads a file has not asked it.

    Raises
    ------
    UsageError : the source runs already, on whatever machine.
    """
    with _alone(database, source.name) as is_ours:
        begun = _begin(database, source, asked_by) if is_ours else None
        if begun is None:
            raise UsageError(
                "%(source)s runs already, on this machine or another.",
                "Try again when that is done.",
                source=source.name,
            )
        started_at, summary = datetime.now(UTC), RunSummary()
        try:
            yield summary
        except BaseException as error:  # Ctrl-C, too
            # A bug by its place: its own words may quote what was said of persons.
            summary.failures.append(place_of(error) if isinstance(error, Exception) else type(error).__name__)
            raise
        finally:
            _note_by_hand(database, source, begun[0], started_at, summary)


def lose_dead_runs(database: Database) -> None:
    """Say of runs whose process is gone that it died, also when nobody runs the source again (a load by hand)."""
    with database.begin(SERVICE) as connection:
        open_runs = connection.execute(_QUERIES["open_runs"]).scalars().all()
    for name in open_runs:
        with _alone(database, name) as is_ours:
            if is_ours:
                with database.begin(SERVICE) as connection:
                    connection.execute(_QUERIES["lose_open_runs"], {"source": name})
                    connection.execute(_QUERIES["note_lost"], {"source": name})


def prune_runs(database: Database) -> None:
    """Forget the runs of more than a month ago."""
    with database.begin(SERVICE) as connection:
        connection.execute(_QUERIES["prune_runs"], {"days": _KEPT_DAYS})


def _begin(database: Database, source: Source, asked_by: str) -> tuple[int, int] | None:
    """Note that a run begins, and that open ones are lost; return its number and the failures before; None: paused."""
    with database.begin(SERVICE) as connection:
        failures, is_paused = connection.execute(_QUERIES["source_state"], {"source": source.name}).one()
        connection.execute(_QUERIES["lose_open_runs"], {"source": source.name})
        if is_paused and asked_by == CLOCK:
            return None
        values = {"source": source.name, "asked_by": asked_by}
        return connection.execute(_QUERIES["begin_run"], values).scalar_one(), failures


def _end(connection: Connection, run_id: int, outcome: str, summary: RunSummary) -> None:
    values = {
        "id": run_id,
        "outcome": outcome,
        "documents": summary.documents,
        "added": summary.new,
        "changed": summary.changed,
        "rejected": summary.rejected + len(summary.dead_letters),
        "error": "; ".join(summary.failures),
    }
    connection.execute(_QUERIES["end_run"], values)


def _note_by_hand(database: Database, source: Source, run_id: int, started_at: datetime, summary: RunSummary) -> None:
    with database.begin(SERVICE) as connection:
        _end(connection, run_id, "failed" if summary.failures else "good", summary)
        if source.schedule is None:
            values = {"source": source.name, "started_at": started_at, "error": "; ".join(summary.failures)}
            connection.execute(_QUERIES["note_failed" if summary.failures else "note_good"], values)


def _note(
    database: Database,
    source: Source,
    schedule: Schedule,
    run_id: int,
    started_at: datetime,
    failures: int,
    ended: Ended,
    summary: RunSummary,
) -> None:
    error = "; ".join(summary.failures)
    outcome = "too_long" if ended.is_too_long else "failed" if error else "good"
    failures = failures + 1 if error else 0
    with database.begin(SERVICE) as connection:
        _end(connection, run_id, outcome, summary)
        if not error:
            connection.execute(_QUERIES["note_good"], {"source": source.name, "started_at": started_at})
            return
        next_run_at = datetime.now(UTC) + schedule.wait_after(failures) if source.schedule else None
        connection.execute(
            _QUERIES["note_bad"],
            {
                "source": source.name,
                "started_at": started_at,
                "error": error,
                "failures": failures,
                "is_open": failures >= CIRCUIT_FAILURES,
                "next_run_at": next_run_at,
            },
        )
    if failures == CIRCUIT_FAILURES:
        _log.error("the circuit of a source is open; it is tried now and then", source=source.name, error=error)


@contextmanager
def _alone(database: Database, source: str) -> Iterator[bool]:
    """Hold the lock of the whole run, from its first note to its last; False when somebody else has it.

    Not the lock that the source's own fetch takes (`ingest.runs`): that one lives in the other process, and stays
    there for as long as an orphan of a dead worker still fetches.
    """
    key = {"key": f"ingest.noted_run:{source}"}
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(text("SELECT pg_try_advisory_lock(hashtextextended(:key, 0))"), key).scalar_one():
            yield False
            return
        try:
            yield True
        finally:
            try:
                connection.execute(text("SELECT pg_advisory_unlock(hashtextextended(:key, 0))"), key)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                # PostgreSQL was restarted meanwhile, and took the lock with it.
