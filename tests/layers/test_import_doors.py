"""Importing with care: personal columns, rows left out, features removed, columns as a person maps them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from gis.database import Database
from gis.errors import UsageError
from layers.definition import Definition
from layers.importer import ImportResult, import_file
from layers.reading import Reading, read_features
from layers.refusals import NotAllowedError
from tests.layers.personal_layer import make_household_layer

HEADER = "番号,階数,氏名,電話,経度,緯度"
FIRST = "1,2,佐藤 花子,0225-00-0001,141.2,38.4"
SECOND = "2,1,,,141.21,38.41"


@pytest.fixture
def household(owner: Engine) -> Definition:
    return make_household_layer(owner)


def _write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _bring(database: Database, path: Path, layer: Definition, role: str = "dept_citizens", **more: Any) -> ImportResult:
    with database.begin(role, account="sato", reason="import") as connection:
        return import_file(connection, path, layer, **more)


def _rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.begin("dept_citizens") as connection:
        return [tuple(row) for row in connection.execute(text(query))]


PERSONAL = (
    "SELECT l.number, p.resident, p.phone FROM layers.household l LEFT JOIN layers.household_personal p USING (fid)"
    " ORDER BY 1"
)


def test_personal_columns_go_into_the_personal_table_of_the_same_feature(
    database: Database, household: Definition, tmp_path: Path
) -> None:
    path = _write(tmp_path / "h.csv", HEADER, SECOND, FIRST)
    result = _bring(database, path, household)
    assert (result.inserted, result.updated, result.unused_headers) == (2, 0, ("経度", "緯度"))
    assert _rows(database, PERSONAL) == [("1", "佐藤 花子", "0225-00-0001"), ("2", None, None)]
    assert len(_rows(database, "SELECT 1 FROM layers.household_personal")) == 1


def test_a_change_of_a_personal_value_alone_is_an_update(
    database: Database, household: Definition, tmp_path: Path
) -> None:
    path = _write(tmp_path / "h.csv", HEADER, FIRST, SECOND)
    _bring(database, path, household)
    again = _bring(database, path, household)
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, 2)
    _write(path, HEADER, FIRST.replace("0001", "0009"), SECOND.replace(",,,", ",鈴木,,"))
    changed = _bring(database, path, household)
    assert (changed.inserted, changed.updated, changed.unchanged) == (0, 2, 0)
    assert _rows(database, PERSONAL) == [("1", "佐藤 花子", "0225-00-0009"), ("2", "鈴木", None)]


def test_a_department_without_the_personal_right_is_told_which_columns_and_writes_nothing(
    database: Database, owner: Engine, household: Definition, tmp_path: Path
) -> None:
    path = _write(tmp_path / "h.csv", HEADER, FIRST)
    with pytest.raises(NotAllowedError, match="氏名, 電話"):
        _bring(database, path, household, role="dept_sewer")
    assert _rows(database, "SELECT 1 FROM layers.household") == []


def test_columns_may_be_left_out_or_mapped_by_hand(database: Database, household: Definition, tmp_path: Path) -> None:
    path = _write(tmp_path / "h.csv", "戸番,階,氏名,経度,緯度", "7,3,佐藤,141.2,38.4")
    _bring(database, path, household, chosen={"number": "戸番", "floors": "階", "resident": ""})
    assert _rows(database, PERSONAL) == [("7", None, None)]
    with pytest.raises(UsageError, match="no such attribute or column"):
        _bring(database, path, household, chosen={"number": "戸", "floors": "階"})
    with pytest.raises(UsageError, match="no column for"):
        _bring(database, path, household, chosen={"floors": "階"})


def test_rows_that_cannot_be_right_are_left_out_only_when_that_is_asked(
    database: Database, household: Definition, tmp_path: Path
) -> None:
    path = _write(tmp_path / "h.csv", HEADER, FIRST, "3,二階,,,38.4,141.2", SECOND)
    with pytest.raises(UsageError, match=r"row 3, 階数 = '二階': is no number"):
        _bring(database, path, household)
    assert _rows(database, PERSONAL) == []
    result = _bring(database, path, household, skips_rejected=True)
    assert (result.inserted, result.rejected_rows, [one.header for one in result.rejected]) == (2, 1, ["階数", ""])
    assert [row[0] for row in _rows(database, PERSONAL)] == ["1", "2"]


def test_a_file_without_one_good_row_is_refused_anyway(
    database: Database, household: Definition, tmp_path: Path
) -> None:
    path = _write(tmp_path / "h.csv", HEADER, "3,二階,,,38.4,141.2")
    with pytest.raises(UsageError, match="is no number"):
        _bring(database, path, household, skips_rejected=True)


def test_features_that_the_file_lacks_are_removed_when_that_is_asked(
    database: Database, household: Definition, tmp_path: Path
) -> None:
    path = _write(tmp_path / "h.csv", HEADER, FIRST, SECOND)
    _bring(database, path, household)
    _write(path, HEADER, SECOND)
    assert _bring(database, path, household).removed == 0
    assert _bring(database, path, household, removes_missing=True, is_dry_run=True).removed == 1
    assert len(_rows(database, PERSONAL)) == 2
    assert _bring(database, path, household, removes_missing=True).removed == 1
    assert _rows(database, PERSONAL) == [("2", None, None)]


def test_a_row_with_a_mistake_never_removes_its_feature(
    database: Database, household: Definition, tmp_path: Path
) -> None:
    path = _write(tmp_path / "h.csv", HEADER, FIRST, SECOND)
    _bring(database, path, household)
    _write(path, HEADER, FIRST.replace("1,2,", "1,二,"), SECOND)
    with pytest.raises(UsageError, match="do not go together"):
        _bring(database, path, household, removes_missing=True, skips_rejected=True)
    assert len(_rows(database, PERSONAL)) == 2


def test_a_chosen_encoding_and_header_line_are_obeyed(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_bytes("経度と緯度の表\n経度,緯度\n東経,北緯,名称\n141.2,38.4,丘\n".encode("cp932"))
    file = read_features(path, Reading(encoding="cp932", header_line=3, lon="東経", lat="北緯"))
    assert [(row.number, row.values["名称"]) for row in file.rows] == [(4, "丘")]
    with pytest.raises(UsageError, match="line 2 has no columns"):
        read_features(path, Reading(encoding="utf-8-sig", header_line=2))


def test_a_program_called_csv_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "setup.csv").write_bytes(b"MZ\x90\x00\x03\x00\x00\x00\x04\x00")
    with pytest.raises(UsageError, match=r"is no text|neither UTF-8"):
        read_features(tmp_path / "setup.csv")


def test_columns_that_are_called_the_same_or_not_at_all_can_be_told_apart(tmp_path: Path) -> None:
    path = _write(tmp_path / "s.csv", "備考,備考,,緯度,経度,", "a,b,c,38.4,141.2,")
    file = read_features(path)
    assert file.headers == ("備考", "備考_2", "column_3", "緯度", "経度")
    assert [row.values["column_3"] for row in file.rows] == ["c"]
