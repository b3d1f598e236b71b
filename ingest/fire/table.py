"""Tables of dispatches (CSV, cp932 or UTF-8): a row is a dispatch, and each time in it a stage of its life. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from gis.errors import UsageError
from gis.town import Town
from ingest.configuration import SourceConfig
from ingest.fire.dispatch import JST, Dispatch, Service, read_number, report_of
from ingest.fire.position import read_place
from ingest.fire.words import Stage, find_stage, find_type, plain, stage_of, type_of
from ingest.mail.words import find_status
from ingest.reports import Place, Rejected, Report, Unreadable

_STAGES = ("called", "dispatched", "contained", "extinguished")
_MOST_ROWS = 20_000
_ROWS_ABOVE = 10
# The column of each thing, unless the sources file says otherwise.
COLUMNS = {
    "number": "出動番号",
    "type": "種別",
    "called": "覚知時刻",
    "dispatched": "出動時刻",
    "contained": "鎮圧時刻",
    "extinguished": "鎮火時刻",
    "result": "結果",
    "date": "発生日",
    "address": "住所",
    "landmark": "目標物",
    "lon": "経度",
    "lat": "緯度",
}
_TIME = re.compile(
    r"(?:(?:(?:令和|R)\s?(?P<era>元|\d{1,2})|(?P<year>\d{4}))\s?[年./-]\s?(?P<month>\d{1,2})\s?[月./-]\s?(?P<day>\d{1,2})\s?日?)?"
    r"[T\s]*(?:(?P<hour>\d{1,2})\s?[:時]\s?(?P<minute>\d{1,2})?分?(?::?(?P<second>\d{1,2})秒?)?)?(?:\+09:?00)?"
)


class RowError(ValueError):
    """A row that cannot be a dispatch; the message says why."""


@dataclass(frozen=True)
class TableForm:
    """How a service writes its tables.

    Attributes
    ----------
    columns : thing (as in `COLUMNS`) → header. datum : of its coordinates, "" = they are not read.
    """

    columns: Mapping[str, str] = field(default_factory=lambda: COLUMNS)
    datum: str = ""


def read_form(config: SourceConfig) -> TableForm:
    """Read `columns` and `datum` of a source.

    Raises
    ------
    UsageError : a thing that is not known, or coordinates without a datum.
    """
    columns = config.options.get("columns", {})
    unknown = set(columns) - set(COLUMNS) if isinstance(columns, dict) else {"columns"}
    if unknown or not all(isinstance(header, str) and header for header in columns.values()):
        raise UsageError(
            f"Source {config.name}: columns: {', '.join(sorted(unknown)) or 'a header'} is not understood.",
            f"Known are: {', '.join(COLUMNS)}.",
        )
    datum = str(config.options.get("datum", ""))
    if ("lon" in columns or "lat" in columns) and not datum:
        raise UsageError(f"Source {config.name}: its coordinates have no datum.", 'Write datum = "JGD2011".')
    if datum:
        try:
            read_place(*TOKYO_STATION, datum)
        except ValueError as error:
            raise UsageError(f"Source {config.name}: {error}.", 'Write datum = "JGD2011".') from error
    return TableForm({**COLUMNS, **columns}, datum)


TOKYO_STATION = (139.767, 35.681)


def read_table(body: bytes, town: Town, service: Service, source: str, form: TableForm) -> list[Report | Rejected]:
    """Return a report for each stage of each row; a row that is none is rejected by its line.

    Raises
    ------
    Unreadable : neither UTF-8 nor cp932, no header, or too long.
    """
    lines = _lines(body)
    above, header = _find_header(lines, form)
    reports: dict[str, Report] = {}
    rejected: list[Report | Rejected] = []
    for number, cells in enumerate(lines[above + 1 :], start=above + 2):
        if not any(cell.strip() for cell in cells):
            continue
        try:
            if len(cells) != len(header):
                raise RowError(f"{len(cells)} cells, and the header has {len(header)}")
            dispatches = _read(dict(zip(header, map(plain, cells), strict=True)), form)
        except RowError as error:
            rejected.append(Rejected(f"line {number}", str(error)))
            continue
        for dispatch in dispatches:
            report = report_of(dispatch, town, service, source)
            if reports.get(report.source_id, report) != report:
                rejected.append(Rejected(f"line {number}", f"{dispatch.number} stands twice and says two things"))
                break
            reports[report.source_id] = report
    return [*reports.values(), *rejected]


def _lines(body: bytes) -> list[list[str]]:
    if b"\x00" in body:
        raise Unreadable("the document holds NUL bytes: no table in UTF-8 or cp932")
    for encoding in ("utf-8-sig", "cp932"):
        try:
            text = body.decode(encoding)
            break
        except UnicodeDecodeError as error:
            reason = error
    else:
        raise Unreadable(f"the document is neither UTF-8 nor cp932: {reason}") from reason
    first = text.partition("\n")[0]
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in first else ",", strict=True))
    except csv.Error as error:
        raise Unreadable(f"the document is no table: {error}") from error
    if len(lines) > _MOST_ROWS:
        raise Unreadable(f"the document has more than {_MOST_ROWS} lines")
    return lines


def _find_header(lines: Sequence[Sequence[str]], form: TableForm) -> tuple[int, list[str]]:
    """Return the header's place and its names; a title may stand above it."""
    wanted = {form.columns["number"], form.columns["type"]}
    for place, cells in enumerate(lines[:_ROWS_ABOVE]):
        header = [plain(cell) for cell in cells]
        if wanted <= set(header):
            if len(set(header)) < len(header):
                raise Unreadable("two columns have the same name")
            return place, header
    raise Unreadable(f"no line of the first {_ROWS_ABOVE} has the columns {' and '.join(sorted(wanted))}")


def _read(row: Mapping[str, str], form: TableForm) -> list[Dispatch]:
    said = {thing: row.get(header, "") for thing, header in form.columns.items()}
    number = read_number(said["number"])
    if number is None:
        raise RowError("no dispatch number")
    times = _times(said)
    if not times:
        raise RowError("no time of any stage")
    address, landmark = said["address"], said["landmark"]
    status = "Exercise" if said["type"].startswith("訓練") else find_status(said["type"], "")
    known = set(form.columns.values())
    common: dict[str, Any] = {
        "number": number,
        "type": find_type(said["type"]) or type_of("その他"),
        "status": status,
        "called_at": times.get("called"),
        "address": address,
        "landmark": landmark,
        "place": _place(said, form, " ".join(filter(None, (address, landmark)))),
        "original": " ".join(filter(None, row.values())),
        "details": {header: cell for header, cell in row.items() if cell and header not in known},
    }
    dispatches = [Dispatch(stage=stage_of(code), said_at=at, identity=code, **common) for code, at in times.items()]
    end = _withdrawal(said["result"])
    if end is not None:
        dispatches.append(Dispatch(stage=end, said_at=max(times.values()), identity=end.code, **common))
    return dispatches


def _withdrawal(result: str) -> Stage | None:
    stage = find_stage(result)
    return stage if stage is not None and stage.withdraws else None


def _place(said: Mapping[str, str], form: TableForm, words: str) -> Place | None:
    if not form.datum or not (said["lon"] or said["lat"]):
        return None
    try:
        return read_place(said["lon"], said["lat"], form.datum, text=words)
    except ValueError as error:
        raise RowError(str(error)) from error


def _times(said: Mapping[str, str]) -> dict[str, datetime]:
    """Return the time of each stage; one without a date is of the day of the stage before it, or the next day."""
    found: dict[str, datetime] = {}
    day = _moment(said["date"], None, "date")
    last = day
    for code in _STAGES:
        moment = _moment(said[code], last, code)
        if moment is not None:
            found[code] = last = moment
    return found


def _moment(text: str, last: datetime | None, what: str) -> datetime | None:
    if not text:
        return None
    match = _TIME.fullmatch(text)
    if match is None or (match["hour"] is None and what != "date"):
        raise RowError(f"{what}: {text[:30]!r} is no time")
    try:
        clock = timedelta(
            hours=int(match["hour"] or 0), minutes=int(match["minute"] or 0), seconds=int(match["second"] or 0)
        )
        day = _day(match, last)
    except ValueError as error:
        raise RowError(f"{what}: {text[:30]!r} is no time") from error
    moment = datetime(day.year, day.month, day.day, tzinfo=JST) + clock
    if clock >= timedelta(hours=24) or not 2000 <= moment.year <= 2200:
        raise RowError(f"{what}: {text[:30]!r} is no time")
    if match["month"] is None and last is not None and moment < last:
        moment += timedelta(days=1)
    return moment


def _day(match: re.Match[str], last: datetime | None) -> date:
    if match["month"] is None:
        if last is None:
            raise ValueError("no date")
        return last.date()
    year = int(match["year"]) if match["year"] else 2018 + (1 if match["era"] == "元" else int(match["era"]))
    return date(year, int(match["month"]), int(match["day"]))
