"""A table of the police as rows of named cells: encoding, header, repeated columns, totals."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ingest.police.cells import known, plain
from ingest.reports import Rejected, Unreadable

# What a header must have, so that a row can be told to be a theft, somewhere, some time.
REQUIRED = ("手口", "市区町村", "発生年月日")
_TITLE_LINES = 20
_TOTALS = re.compile(r"(?:総|合|小)?計|合計件数|件数")
_WHERE_AND_WHEN = re.compile(r"\((?:発生地|始期)\)")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    line : its number in the file, from 1. cells : column (without （発生地） and （始期）) → the cell as it stands.
    """

    line: int
    cells: Mapping[str, str]


def read_rows(body: bytes) -> Iterator[Row | Rejected]:
    """Read the rows of a CSV in cp932 or UTF-8, with titles above its header or without; empty lines are no rows.

    A second header further down (tables pasted together) holds from there on.

    Raises
    ------
    Unreadable : neither encoding, or no header with the columns that every such table has.
    """
    reader = csv.reader(io.StringIO(_decode(body), newline=""))
    header: Sequence[str] | None = None
    try:
        for cells in reader:
            found = _header(cells)
            if found:
                header = found
            elif header and any(cell.strip() for cell in cells):
                yield _row(reader.line_num, header, cells)
            elif not header and reader.line_num > _TITLE_LINES:
                break
    except csv.Error as error:
        raise Unreadable(f"line {reader.line_num}: no CSV: {error}") from error
    if header is None:
        raise Unreadable(f"none of the first {_TITLE_LINES} lines is a header with {', '.join(REQUIRED)}")


def _decode(body: bytes) -> str:
    if b"\0" in body:
        raise Unreadable("the document is no text: it holds NUL")
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable("the document is neither UTF-8 nor Shift_JIS (cp932)")


def _header(cells: Sequence[str]) -> list[str] | None:
    if "手" not in "".join(cells):  # 手口, however it is spaced; nearly no other row has it
        return None
    names = [_WHERE_AND_WHEN.sub("", plain(cell)) for cell in cells]
    while names and not names[-1]:  # empty columns behind the last; the rows may be without them
        names.pop()
    return names if all(name in names for name in REQUIRED) else None


def _row(line: int, header: Sequence[str], cells: Sequence[str]) -> Row | Rejected:
    name = f"line {line}"
    if _is_total(cells):
        return Rejected(name, "a line of totals, no theft")
    if len(cells) < len(header) or any(cell.strip() for cell in cells[len(header) :]):
        return Rejected(name, f"has {len(cells)} cells where the header has {len(header)}")
    row: dict[str, str] = dict(zip(header, map(str.strip, cells), strict=False))
    if len(row) == len(header):  # no column stands there twice, as in nearly every table
        return Row(line, row)
    row = {}
    for column, cell in zip(header, cells, strict=False):
        before = row.get(column, "")
        # A table that repeats its columns may have a cell filled in one of them only.
        if known(before) and known(cell) and plain(before) != plain(cell):
            return Rejected(name, f"the column {column} stands there twice, with different values")
        if column not in row or not known(before):
            row[column] = cell.strip() or before
    return Row(line, row)


def _is_total(cells: Sequence[str]) -> bool:
    return _says_total(next(cell for cell in cells if cell.strip()))


@lru_cache(maxsize=1024)
def _says_total(cell: str) -> bool:
    return _TOTALS.fullmatch(plain(cell)) is not None
