"""What lies inside the area of a message that somebody should think of: schools, care homes, pump stations …"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from psycopg import sql
from sqlalchemy import Connection, text

from gis.settings import DATA_DIR

_MOST_NAMES = 12


@dataclass(frozen=True)
class Category:
    """One line of `data/alert_inside.toml`.

    Attributes
    ----------
    title : language → what the page calls it. where : attribute → values of those that count; empty: all.
    """

    code: str
    title: Mapping[str, str]
    layer: str
    where: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Inside:
    """How many features of a category meet the area, and the names of the first ones."""

    category: Category
    count: int
    names: tuple[str, ...]


@cache
def load_categories() -> tuple[Category, ...]:
    """Read `data/alert_inside.toml`, in the order of the file."""
    entries = tomllib.loads((DATA_DIR / "alert_inside.toml").read_text(encoding="utf-8"))
    return tuple(
        Category(
            code,
            entry["title"],
            entry["layer"],
            {attribute: tuple(values) for attribute, values in entry.get("where", {}).items()},
        )
        for code, entry in entries.items()
    )


def list_inside(connection: Connection, alert_id: int) -> list[Inside]:
    """Return each category whose layer the running role may read, also those of which nothing lies inside.

    Read from the layers themselves, since the desk also thinks of what is not public (pump stations).
    """
    return [
        _count(connection, alert_id, category)
        for category in load_categories()
        if connection.execute(
            text(
                "SELECT has_table_privilege(to_regclass('layers.' || quote_ident(:layer)), 'SELECT')"
                " AND EXISTS (SELECT FROM gis.layer WHERE name = :layer)"
            ),
            {"layer": category.layer},
        ).scalar()
    ]


def _count(connection: Connection, alert_id: int, category: Category) -> Inside:
    conditions = [
        sql.SQL("l.{}::text = ANY ({})").format(sql.Identifier(attribute), sql.Literal(list(values)))
        for attribute, values in category.where.items()
    ]
    query = sql.SQL(
        "SELECT count(*), (array_agg(l.name ORDER BY l.name))[1:{most}] FROM layers.{layer} l, alerts.alert a"
        " WHERE a.id = {alert_id} AND ST_Intersects(l.geom, a.area){conditions}"
    ).format(
        most=sql.Literal(_MOST_NAMES),
        layer=sql.Identifier(category.layer),
        alert_id=sql.Literal(alert_id),
        conditions=sql.SQL("").join(sql.SQL(" AND ") + condition for condition in conditions),
    )
    count, names = connection.exec_driver_sql(query.as_string(None).replace("%", "%%")).one()
    return Inside(category, int(count), tuple(name for name in names or () if name))
