"""Which features a map draws, as SQL: the one condition for tiles, their past and the index that serves them."""

from __future__ import annotations

from psycopg import sql

from layers.definition import Definition


def drawn_condition(definition: Definition, alias: str = "") -> sql.Composed:
    """Return what `drawn_when` asks of a row, each condition after an AND; nothing where everything is drawn.

    Literals, not parameters: the planner has to see that the partial index of `layers/tables.py` covers them.
    """
    return sql.SQL("").join(
        sql.SQL(" AND {} IN ({})").format(
            sql.Identifier(*filter(None, (alias, name))), sql.SQL(", ").join(sql.Literal(value) for value in values)
        )
        for name, values in sorted(definition.drawn_when.items())
    )
