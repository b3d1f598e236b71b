"""通報: one message from one source, as a typed record and as a row of `ingest.report`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal

import orjson
from sqlalchemy import Connection, RowMapping, bindparam
from sqlalchemy.dialects.postgresql import JSONB

from gis.queries import load_queries

Status = Literal["Actual", "Exercise", "Test"]
Action = Literal["issue", "correct", "withdraw"]

_QUERIES = load_queries(__file__)


class Unreadable(Exception):
    """A record that does not parse; the message says what is wrong and where, and becomes the dead letter's reason."""


@dataclass(frozen=True)
class Rejected:
    """One record of a document that did not parse, while others did.

    Attributes
    ----------
    record : which one, e.g. `line 17`. reason : what is wrong with it.
    event_key : of the event that it speaks of; "" = nobody knows.
    """

    record: str
    reason: str
    event_key: str = ""


@dataclass(frozen=True)
class Place:
    """Where something happened, as precisely as the source said it.

    Attributes
    ----------
    lon, lat : degrees, JGD2011. accuracy_m : radius around it within which it happened, metres.
    text : in the source's own words.
    """

    lon: float
    lat: float
    accuracy_m: float
    text: str = ""


@dataclass(frozen=True)
class Private:
    """What a report says that is for few eyes: kept apart, erased at the end of its retention.

    Attributes
    ----------
    place : None when the source names none that is known; place_text : in its own words in any case.
    original : its words before anything was taken out. details : features of persons, contacts and the like.
    """

    place: Place | None = None
    place_text: str = ""
    original: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Tell two contents apart without showing them; "" when there is none."""
        if self == Private():
            return ""
        return hashlib.sha256(orjson.dumps(self, option=orjson.OPT_SORT_KEYS)).hexdigest()


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
    headline, text, facts : what it says that matters to this town and may be read by everybody; facts are JSON
        values, times in ISO 8601 with +09:00.
    concerns_town : whether it says by itself something about this town.
    private : what it says that only moderators may read.
    seeks_event : it speaks of an event that it does not name by a key (a correction, 解決): `event_key` is only what
        it gets when no such event is found (ingest/seeking.py).
    follows : source_ids of earlier reports that it names; it belongs to the event of whichever of them is known.
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
    private: Private = Private()
    seeks_event: bool = False
    follows: tuple[str, ...] = ()

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


# The columns of ingest.report; what is private has a table of its own, and a search is over when the row is written.
REPORT_COLUMNS = tuple(
    column.name for column in fields(Report) if column.name not in ("private", "seeks_event", "follows")
)


def store_reports(
    connection: Connection, source: str, document_id: int, reports: Iterable[Report], may_go_back: bool = False
) -> list[Report]:
    """Insert or update by (source, source_id); return only those that are new or changed. Role: service.

    Parameters
    ----------
    may_go_back : a corrected report may be of an earlier time (a table of the past); else it is an older message.
    """
    statement = _QUERIES["store_report"].bindparams(bindparam("facts", type_=JSONB))
    changed = []
    for report in reports:
        values = {name: getattr(report, name) for name in REPORT_COLUMNS}
        values |= {"source": source, "document_id": document_id, "private_sha256": report.private.sha256}
        values["may_go_back"] = may_go_back
        row = connection.execute(statement, values).first()
        if row:
            changed.append(report)
            if report.private.sha256 or row.had_private:
                _store_private(connection, row.id, report.private)
        else:
            values = {"source": source, "source_id": report.source_id, "document_id": document_id}
            connection.execute(_QUERIES["follow_erased"], values)
    return changed


def _store_private(connection: Connection, report_id: int, private: Private) -> None:
    place = private.place
    connection.execute(
        _QUERIES["store_private"].bindparams(bindparam("details", type_=JSONB)),
        {
            "report_id": report_id,
            "lon": place and place.lon,
            "lat": place and place.lat,
            "accuracy_m": place and place.accuracy_m,
            "place_text": private.place_text,
            "original": private.original,
            "details": dict(private.details),
        },
    )


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
        row["source_id"]: StoredReport(
            row["id"],
            row["incident_fid"],
            Report(**{name: row[name] for name in REPORT_COLUMNS}, private=_private(row)),
        )
        for row in rows
    }


def _private(row: RowMapping) -> Private:
    if row["details"] is None:
        return Private()
    place = None if row["lon"] is None else Place(row["lon"], row["lat"], row["accuracy_m"], row["place_text"])
    return Private(place, row["place_text"], row["original"], row["details"])


def link_reports(connection: Connection, event_key: str, incident_fid: int) -> None:
    """Note on an event's reports which incident they belong to; a withdrawal of one concerns the town, too."""
    connection.execute(_QUERIES["link_reports"], {"event_key": event_key, "incident_fid": incident_fid})


def link_running(connection: Connection, event_key: str, source_ids: Iterable[str], incident_fid: int) -> None:
    """Note on some reports of a running series which incident they belong to."""
    values = {"event_key": event_key, "source_ids": list(source_ids), "incident_fid": incident_fid}
    connection.execute(_QUERIES["link_running"], values)
