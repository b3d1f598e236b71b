"""Named SQL blocks kept beside the module that uses them.

A file holds blocks that begin with a line `-- name: <block>`, optionally followed by
comment lines. Values are bound by name (`:alert_id`).
"""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import TextClause, text
from sqlalchemy.dialects.postgresql.psycopg import dialect

_HEADING = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


class Queries:
    """The blocks of one SQL file; `queries["match_places"]` is a SQLAlchemy text clause."""

    def __init__(self, path: Path) -> None:
        parts = _HEADING.split(path.read_text(encoding="utf-8"))
        self._path = path
        self._clauses: dict[str, TextClause] = {}
        self._driver_sql: dict[str, str] = {}
        self._sql = {name: sql.strip() for name, sql in zip(parts[1::2], parts[2::2], strict=True)}

    def __getitem__(self, name: str) -> TextClause:
        """Return the block; a KeyError names the file when there is none."""
        clause = self._clauses.get(name)
        if clause is None:  # looking for its values costs as much as a small query; whoever binds one gets a copy
            clause = self._clauses[name] = text(self.sql(name))
        return clause

    def driver_sql(self, name: str) -> str:
        """Return the block as `gis.database.sent_together` takes it: `%(name)s` for each value."""
        found = self._driver_sql.get(name)
        if found is None:
            found = self._driver_sql[name] = self[name].compile(dialect=dialect()).string  # type: ignore[no-untyped-call]
        return found

    def sql(self, name: str) -> str:
        """Return the block's raw text, for psycopg."""
        try:
            return self._sql[name]
        except KeyError:
            raise KeyError(f"{self._path.name} has no block {name!r}; it has {sorted(self._sql)}") from None


def load_queries(module_file: str) -> Queries:
    """Load the SQL file that stands beside a module: `load_queries(__file__)` in `tiles.py` reads `tiles.sql`."""
    return Queries(Path(module_file).with_suffix(".sql"))
