"""通報: one message from one source, as a typed record and as a row of `ingest.report`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, bindparam
from sqlalchemy.dialects.postgresql import JSONB

from gis.queries import load_queries

Status = Literal["Actual", "Exercise", "Test"]
Action = Literal["issue", "correct", "withdraw"]

_QUERIES = load_queries(__file__)


class Unreadable(Exception):
    """A record that does not parse; the message says what is wrong and where, and becomes the dead letter's reason."""


@dataclass(frozen=True)
class Report:
    """What a source said at one time.

    Attributes
    ----------
    source_id : the source's own identity of the message; the same one again replaces the row.
    telegram : the source's type code, e.g. `VTSE41`.
    kind : code of `data/codes/incident_kind.toml`.
    action : 発表 issue, 訂正 correct, 取消 withdraw.
    event_key : reports of one key form one incident.
    reported_at, controlled_at : when it was said, and when it was sent (breaks ties); aware.
    facts : what it says that matters to this town, as JSON values; times in ISO 8601 with +09:00.
    concerns_town : whether it says by itself something about this town.
    """

    source_id: str
    telegram: str
    kind: str
    status: Status
    action: Action
    event_key: str
    serial: int | None
    reported_at: datetime
    controlled_at: datetime
    office: str
    headline: str
    text: str
    facts: dict[str, Any]
    concerns_town: bool

    @property
    def order(self) -> tuple[datetime, datetime, int, bool, str]:
        """Sort key of the fold; a withdrawal comes after what was said in the same second."""
        return (
            self.reported_at,
            self.controlled_at,
            self.serial if self.serial is not None else -1,
            self.action == "withdraw",
            self.source_id,
        )


_COLUMNS = tuple(field.name for field in fields(Report))


def store_reports(connection: Connection, source: str, document_id: int, reports: Iterable[Report]) -> list[Report]:
    """Insert or update by (source, source_id); return only those that are new or changed. Role: service."""
    statement = _QUERIES["store_report"].bindparams(bindparam("facts", type_=JSONB))
    changed = []
    for report in reports:
        values = {name: getattr(report, name) for name in _COLUMNS}
        values |= {"source": source, "document_id": document_id}
        row = connection.execute(statement, values).first()
        if row:
            changed.append(report)
    return changed


@dataclass(frozen=True)
class StoredReport:
    """A report with its row id and the incident it was found to belong to."""

    id: int
    incident_fid: int | None
    report: Report


def load_reports(connection: Connection, event_key: str) -> dict[str, StoredReport]:
    """Return all reports of an event by their source_id. Role: service."""
    return _load(connection, "load_reports", {"event_key": event_key})


def load_running(connection: Connection, event_key: str, reported_at: datetime) -> dict[str, StoredReport]:
    """Return a running series' reports from the incident before the one at `reported_at` on; none if there is none.

    Role: service.
    """
    return _load(connection, "load_running", {"event_key": event_key, "reported_at": reported_at})


def _load(connection: Connection, query: str, values: dict[str, Any]) -> dict[str, StoredReport]:
    rows = connection.execute(_QUERIES[query], values).mappings()
    return {
        row["source_id"]: StoredReport(row["id"], row["incident_fid"], Report(**{name: row[name] for name in _COLUMNS}))
        for row in rows
    }


def link_reports(connection: Connection, event_key: str, incident_fid: int) -> None:
    """Note on an event's reports which incident they belong to; a withdrawal of one concerns the town, too."""
    connection.execute(_QUERIES["link_reports"], {"event_key": event_key, "incident_fid": incident_fid})


def link_running(connection: Connection, event_key: str, source_ids: Iterable[str], incident_fid: int) -> None:
    """Note on some reports of a running series which incident they belong to."""
    values = {"event_key": event_key, "source_ids": list(source_ids), "incident_fid": incident_fid}
    connection.execute(_QUERIES["link_running"], values)
