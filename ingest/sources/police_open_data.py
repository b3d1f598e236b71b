"""警察: 犯罪オープンデータ, a CSV a year and kind of theft (ひったくり and six more) from every prefectural police.

Terms: those of the police that publishes it, mostly CC BY 4.0. No coordinates, no identifier: a theft is placed by
its 町丁目 and known by what, where and when it was. What the table says of the victim is for moderators only.
How a theft is told apart: docs/decisions/2026-11-22-police-open-data.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from gis.town import Town
from ingest.folding import Known
from ingest.latest_fold import fold_latest
from ingest.police.cells import JST, Occurred, WrongCell, known, read_age, read_municipality_code, read_occurred
from ingest.police.table import Row, read_rows
from ingest.reports import Private, Rejected, Report
from ingest.source import Source

# 手口 as 警察庁 defines them for this data.
KINDS = ("ひったくり", "車上ねらい", "部品ねらい", "自動販売機ねらい", "自動車盗", "オートバイ盗", "自転車盗")
# What is true of the theft and of nobody: may be read by everybody.
_PUBLIC = {
    "罪名": "offence", "管轄警察署": "station", "発生場所の属性": "location", "施錠関係": "locked",
    "盗難防止装置の有無": "has_alarm", "現金被害の有無": "cash_taken", "現金以外の主な被害品": "goods",
}  # fmt: skip
# By these a theft is told apart from others.
_IDENTITY = ("手口", "管轄警察署", "管轄交番・駐在所", "町丁目")
_PLACED = frozenset({"市区町村コード", "都道府県", "市区町村", "町丁目", "発生年月日", "発生時", "手口"})
# All other cells of a row are for moderators only.
_NOT_PRIVATE = frozenset({*_PUBLIC, *_PLACED})


@dataclass(frozen=True)
class _Theft:
    """A row as it was understood, before it is numbered among those that cannot be told from it."""

    row: Row
    kind: str
    code: str
    occurred: Occurred

    @property
    def content(self) -> str:
        return "\t".join(f"{column}={known(cell)}" for column, cell in sorted(self.row.cells.items()))


def parse(body: bytes, town: Town) -> list[Report | Rejected]:
    """Read a table; each row becomes a report or is rejected with its reason. Those of other towns concern nobody here.

    Raises
    ------
    Unreadable : no such table at all.
    """
    now = datetime.now(JST)
    records: list[_Theft | Rejected] = [
        _understand(row, now) if isinstance(row, Row) else row for row in read_rows(body)
    ]
    thefts = [record for record in records if isinstance(record, _Theft)]
    rejected: list[Report | Rejected] = [record for record in records if isinstance(record, Rejected)]
    # A date that nobody knows still belongs to the year of the table.
    years = [theft.occurred.at.year for theft in thefts if theft.occurred.at]
    year = max(years, default=None)
    ours = (town.code, *town.part_codes)
    reports: list[Report | Rejected] = []
    for theft, source_id in _numbered(thefts, year):
        if theft.occurred.at is None and year is None:
            rejected.append(
                Rejected(f"line {theft.row.line}", "neither this row nor any other of the table has a date")
            )
        else:
            reports.append(_report(theft, source_id, year, theft.code.startswith(ours)))
    return [*reports, *rejected]


def fold_theft(reports: Sequence[Report]) -> Known:
    """Take what the last edition says; when nobody knows the month, the year of the table is all that is sure."""
    found = fold_latest(reports)
    if "occurred_at" in found.facts:
        return found
    return replace(found, occurred_at=None, columns={**found.columns, "occurred_precision": "year"})


def _understand(row: Row, now: datetime) -> _Theft | Rejected:
    try:
        kind = known(row.cells["手口"])
        if kind not in KINDS:
            raise WrongCell(f"手口 {kind!r} is none of the seven" if kind else "手口 is missing")
        code = read_municipality_code(row.cells.get("市区町村コード", ""), row.cells.get("都道府県", ""))
        if not code:
            raise WrongCell("there is no municipality code, so nobody can tell where it was")
        occurred = read_occurred(row.cells["発生年月日"], row.cells.get("発生時", ""))
        if occurred.at and occurred.at > now:
            raise WrongCell(f"{occurred.at:%Y-%m-%d} is in the future")
    except WrongCell as error:
        return Rejected(f"line {row.line}", str(error))
    return _Theft(row, kind, code, occurred)


def _numbered(thefts: Iterable[_Theft], year: int | None) -> Iterable[tuple[_Theft, str]]:
    """Number those that cannot be told apart, whatever their order in the table; two equal rows are two thefts."""
    groups: dict[str, list[_Theft]] = {}
    for theft in thefts:
        groups.setdefault(_identity(theft, year), []).append(theft)
    for identity, group in groups.items():
        alike = sorted(group, key=lambda theft: theft.content) if len(group) > 1 else group
        yield from ((theft, f"{identity}-{number}") for number, theft in enumerate(alike, 1))


def _identity(theft: _Theft, year: int | None) -> str:
    """What, where, when: equal in every way of writing the table, and when something else of the row is corrected."""
    at = theft.occurred.at.isoformat() if theft.occurred.at else str(year)
    what = [known(theft.row.cells.get(column, "")) for column in _IDENTITY]
    said = "\t".join([*what, theft.code, at, theft.occurred.precision])
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _report(theft: _Theft, source_id: str, year: int | None, concerns_town: bool) -> Report:
    cells, occurred = theft.row.cells, theft.occurred
    facts: dict[str, Any] = {
        **_public_facts(*[cells.get(column, "") for column in _PUBLIC]),
        "category": theft.kind,
        "municipality": theft.code,
        "time_precision": occurred.precision,
        "is_over": True,
    }
    if occurred.at:
        facts["occurred_at"] = occurred.at.isoformat()
    # It was said some day after; the day it happened is the one time that every edition of the table agrees on.
    at = occurred.at or datetime(year or 0, 1, 1, tzinfo=JST)
    return Report(
        source_id=source_id,
        telegram="open_data",
        kind="crime",
        status="Actual",
        action="issue",
        event_key=f"police_open_data:{source_id}",
        serial=None,
        reported_at=at,
        controlled_at=at,
        office=known(cells.get("管轄警察署", "")),
        headline=theft.kind,
        text="",
        facts=facts,
        concerns_town=concerns_town,
        private=_private(cells),
    )


# A table says the same few hundred combinations of words over and over; what these return is never written to.


@lru_cache(maxsize=4096)
def _public_facts(*said: str) -> Mapping[str, str]:
    """Return the facts of the cells of `_PUBLIC`, in its order."""
    return {name: known(cell) for name, cell in zip(_PUBLIC.values(), said, strict=True) if known(cell)}


def _private(cells: Mapping[str, str]) -> Private:
    columns = _private_columns(tuple(cells))
    words = _place_text(cells.get("都道府県", ""), cells.get("市区町村", ""), cells.get("町丁目", ""))
    return Private(None, words, "", _details(columns, tuple([cells[column] for column in columns])))


@lru_cache(maxsize=64)
def _private_columns(columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(column for column in columns if column not in _NOT_PRIVATE)


@lru_cache(maxsize=4096)
def _place_text(*words: str) -> str:
    return "".join(map(known, words))


@lru_cache(maxsize=4096)
def _details(columns: tuple[str, ...], said: tuple[str, ...]) -> Mapping[str, Any]:
    details: dict[str, Any] = {column: known(cell) for column, cell in zip(columns, said, strict=True) if known(cell)}
    age = said[columns.index("被害者の年齢")] if "被害者の年齢" in columns else ""
    least, greatest = read_age(age)
    details |= {name: years for name, years in (("age_min", least), ("age_max", greatest)) if years is not None}
    return details


SOURCE = Source(
    name="police_open_data",
    title="警察（犯罪オープンデータ）",
    parse=parse,
    folds={"crime": fold_theft},
    is_private=True,
    is_past=True,
)
