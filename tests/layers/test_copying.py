"""Rows written out for COPY come in as they are, whatever stands in them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from psycopg import sql
from sqlalchemy import text

from gis.database import SERVICE, Database
from layers.copying import as_line, copy_lines

ROWS = [
    ["plain", 1, True, 1.0, datetime(2024, 5, 3, 11, tzinfo=UTC)],
    ["a\tb", 2, False, 0.1, datetime(2024, 5, 3, 11, 0, 0, 5, tzinfo=UTC)],
    ["a\nb\r\nc\rd", 3, True, 1e300, None],
    [r"\N", 4, None, None, None],
    ["\\.\n\\", 5, None, -1.5, None],
    ["", 0, False, 1e-7, None],
    [None, 1, True, 1.0, None],
    ["矢本\u3000\x7f\u2028", 7, None, None, None],
]


def test_whatever_stands_in_a_row_comes_in_as_it_is(database: Database) -> None:
    with database.begin(SERVICE) as connection:
        connection.execute(
            text("CREATE TEMPORARY TABLE said (words text, n int, is_so bool, x float8, at timestamptz) ON COMMIT DROP")
        )
        lines = [as_line(row) for row in ROWS]
        copy_lines(connection, sql.Identifier("pg_temp", "said"), ("words", "n", "is_so", "x", "at"), lines)
        found = connection.execute(text("SELECT * FROM pg_temp.said")).all()
    assert [list(row) for row in found] == ROWS


@pytest.mark.parametrize("words", ["\0", "a\0b"])
def test_a_text_with_nul_is_refused_and_never_becomes_nothing(words: str) -> None:
    with pytest.raises(ValueError, match="NUL"):
        as_line([words, None])
