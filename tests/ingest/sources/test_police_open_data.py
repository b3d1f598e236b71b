"""A row of the police's tables is a theft that happened, known by what, where and when; never a person."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path

import orjson
import pytest

from gis.town import load_town
from ingest.folding import timeline
from ingest.reports import Rejected, Report, Unreadable
from ingest.source import find_source
from ingest.sources.police_open_data import KINDS, SOURCE, fold_theft, parse
from tests.ingest.sources.police_tables import HEADER, WOMAN, table, theft

TOWN = load_town()
HOKKAIDO = replace(TOWN, part_codes=("01",))  # as if the town were the whole prefecture


def _reports(body: bytes) -> list[Report]:
    records = parse(body, TOWN)
    assert all(isinstance(record, Report) for record in records), records
    return [record for record in records if isinstance(record, Report)]


def _reasons(body: bytes) -> list[tuple[str, str]]:
    return [(record.record, record.reason) for record in parse(body, TOWN) if isinstance(record, Rejected)]


def test_a_row_is_a_theft_of_its_day_and_hour() -> None:
    (report,) = _reports(table(theft()))
    assert report.kind == "crime"
    assert report.headline == "ひったくり"
    assert report.reported_at.isoformat() == "2024-05-03T20:00:00+09:00"
    assert report.concerns_town
    assert report.facts["category"] == "ひったくり"
    assert report.facts["location"] == "道路上"


def test_it_is_over_at_once_and_no_warning() -> None:
    (state,) = timeline(_reports(table(theft())), fold_theft)
    assert (state.state, state.phase, state.level) == ("resolved", "cleared", 0)
    assert state.resolved_at == state.report.reported_at
    assert SOURCE.is_past


def test_what_is_said_of_the_victim_is_for_moderators_only() -> None:
    (report,) = _reports(table(theft(victim="女性,65-69歳,無職,あり")))
    open_part = asdict(report)
    private = open_part.pop("private")
    words = orjson.dumps(open_part).decode()
    assert not [word for word in ("女性", "65", "無職", "上河戸", "矢本") if word in words]
    assert private["details"]["被害者の性別"] == "女性"
    assert (private["details"]["age_min"], private["details"]["age_max"]) == (65, 69)
    assert private["place_text"] == "宮城県東松島市矢本字上河戸"
    assert SOURCE.is_private


def test_a_column_that_nobody_thought_of_is_for_moderators_only() -> None:
    (report,) = _reports(table(theft() + ",田中", header=HEADER + ",被害者の氏名"))
    assert "田中" not in str(report.facts) + report.headline + report.text
    assert report.private.details["被害者の氏名"] == "田中"


@pytest.mark.parametrize("kind", KINDS)
def test_all_seven_kinds_are_taken(kind: str) -> None:
    (report,) = _reports(table(theft(kind=kind)))
    assert report.facts["category"] == kind


def test_columns_stand_in_any_order_with_their_brackets_in_any_width() -> None:
    order = [10, 8, 6, 5, 4, 7, 9, 1, 0, 2, 3, 11, 12, 13, 14]
    header = ",".join(HEADER.split(",")[column] for column in order).replace("（", "(").replace("）", ")")
    row = ",".join(theft().split(",")[column] for column in order)
    assert _reports(table(row, header=header)) == _reports(table(theft()))


@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_every_way_of_saving_the_same_table_is_the_same(encoding: str, newline: str) -> None:
    assert _reports(table(theft(), encoding=encoding, newline=newline)) == _reports(table(theft()))


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (f"{HEADER},,", f"{theft()},,"),
        (f"{HEADER},,", theft()),
        (HEADER, f"{theft()},,"),
        (f",{HEADER}", f",{theft()}"),
    ],
)
def test_empty_columns_are_none(header: str, row: str) -> None:
    assert _reports(table(row, header=header, newline="\n", encoding="utf-8-sig")) == _reports(table(theft()))


def test_another_way_of_writing_the_day_and_the_code_is_the_same_theft() -> None:
    (one,) = _reports(table(theft("2024/5/3", "8", code="42145")))
    (other,) = _reports(table(theft("2024-05-03", "08", "矢本字上河戸", "042145")))
    assert one == other


def test_two_equal_rows_are_two_thefts() -> None:
    reports = _reports(table(theft(), theft()))
    assert len({report.source_id for report in reports}) == len({report.event_key for report in reports}) == 2


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = [theft(victim="男性,20歳代,学生,なし"), theft(), theft("2024/6/1")]
    by_id = {report.source_id: report for report in _reports(table(*rows))}
    assert {report.source_id: report for report in _reports(table(*reversed(rows)))} == by_id


def test_a_corrected_cell_is_the_same_theft_with_other_content() -> None:
    (before,) = _reports(table(theft()))
    (after,) = _reports(table(theft(location="駐車（輪）場")))
    assert before.source_id == after.source_id
    assert before.facts != after.facts


def test_a_theft_elsewhere_is_a_report_that_does_not_concern_the_town() -> None:
    (report,) = _reports(table(theft(code="42021", place="宮城県,石巻市", block="矢本")))
    assert not report.concerns_town
    assert timeline([report], fold_theft) == []


def test_an_hour_that_nobody_knows_is_no_midnight() -> None:
    (report,) = _reports(table(theft(hour="不明")))
    assert report.facts["time_precision"] == "day"


def test_a_day_that_nobody_knows_is_no_day_but_belongs_to_the_year_of_the_table() -> None:
    report = next(
        report for report in _reports(table(theft("不明", "不明"), theft())) if "occurred_at" not in report.facts
    )
    assert report.reported_at.isoformat() == "2024-01-01T00:00:00+09:00"
    assert fold_theft([report]).occurred_at is None


def test_titles_above_and_empty_lines_below_are_no_rows() -> None:
    body = "令和６年中の認知件数\r\n（宮城県警察）,,,\r\n".encode("cp932") + table(theft(), "," * 14, "")
    assert len(_reports(body)) == 1


def test_a_second_table_below_the_first_has_its_own_header() -> None:
    header = "手口,市区町村コード（発生地）,市区町村（発生地）,発生年月日（始期）"
    assert len(_reports(table(theft(), header, "自転車盗,042145,東松島市,2024-05-03"))) == 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (theft(kind="空き巣"), "none of the seven"),
        (theft("2024/5/32"), "no day"),
        (theft("2999/5/3"), "in the future"),
        (theft(hour="25"), "not 0 to 23"),
        (theft(code="042146"), "check digit"),
        (theft(code="", place="宮城県,"), "no municipality code"),
        ("合計,12", "totals"),
        ("窃盗,ひったくり,石巻", "3 cells"),
        (theft() + ",9", "16 cells"),
    ],
)
def test_a_row_that_cannot_be_right_is_rejected_with_its_line_and_reason_and_the_others_go_on(
    row: str, reason: str
) -> None:
    body = table(theft(), row, theft("2024/5/4"))
    assert sum(isinstance(record, Report) for record in parse(body, TOWN)) == 2
    ((line, said),) = _reasons(body)
    assert line == "line 3"
    assert reason in said
    assert WOMAN not in said


def test_a_table_without_any_date_cannot_be_placed_in_time() -> None:
    assert _reasons(table(theft("不明"))) == [("line 2", "neither this row nor any other of the table has a date")]


def test_a_column_twice_fills_its_gaps_and_must_not_contradict_itself() -> None:
    header = f"{HEADER},町丁目（発生地）"
    (report,) = _reports(table(theft(block="") + ",矢本", header=header))
    assert report.private.place_text == "宮城県東松島市矢本"
    ((_, reason),) = _reasons(table(theft(block="矢本") + ",大曲", header=header))
    assert reason == "the column 町丁目 stands there twice, with different values"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<!DOCTYPE html><html><body>503</body></html>", "is a header with"),
        (b"", "is a header with"),
        (b"\x81\x20\x81\x20", "neither UTF-8 nor"),
        (b"a\0b", "NUL"),
        ("件名,日付\r\n一,2024-05-03\r\n".encode(), "手口"),
        (table(theft())[:-60] + b'"', None),
    ],
)
def test_what_is_no_such_table_says_why(body: bytes, reason: str | None) -> None:
    if reason is None:  # cut off in the middle of its last row
        ((_, said),) = _reasons(body)
        assert "cells where the header has" in said
        return
    with pytest.raises(Unreadable, match=reason):
        parse(body, TOWN)


def test_the_source_is_always_there() -> None:
    assert find_source("police_open_data").name == "police_open_data"


@pytest.mark.parametrize(
    ("file", "rows", "rejected"),
    [
        (
            "hokkaido_2018buhinnerai.csv",
            435,
            {"line 191": "there is no municipality code, so nobody can tell where it was"},
        ),
        ("hokkaido_2018hittakuri.csv", 20, {}),
        ("hokkaido_2018ootobaitou.csv", 65, {}),
        ("hokkaido_2018zidousyatou.csv", 103, {}),
    ],
)
def test_of_every_real_row_it_is_known_what_became_of_it(
    samples: Path, file: str, rows: int, rejected: dict[str, str]
) -> None:
    body = (samples / "police" / file).read_bytes()
    assert len(body.decode("cp932").splitlines()) - 1 == rows
    records = parse(body, HOKKAIDO)
    reports = [record for record in records if isinstance(record, Report)]
    assert {record.record: record.reason for record in records if isinstance(record, Rejected)} == rejected
    assert len(reports) == len({report.source_id for report in reports}) == rows - len(rejected)
    assert all(report.concerns_town for report in reports)
    assert not any(record.concerns_town for record in parse(body, TOWN) if isinstance(record, Report))


def test_what_real_tables_leave_unknown_stays_unknown(samples: Path) -> None:
    precision: Counter[str] = Counter()
    codes = set()
    for file in (samples / "police").glob("*.csv"):
        for record in parse(file.read_bytes(), HOKKAIDO):
            if isinstance(record, Report):
                precision[record.facts["time_precision"]] += 1
                codes.add(record.facts["municipality"])
    assert precision == {"hour": 598, "day": 21, "unknown": 3}
    assert {len(code) for code in codes} == {5}
    assert {code[:2] for code in codes} == {"01"}
