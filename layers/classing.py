"""Proposes the classes of a style from what the layer holds: its values, or ranges of them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

from psycopg import sql
from sqlalchemy import Connection

from gis.errors import UsageError
from gis.queries import load_queries
from layers.copying import driver
from layers.definition import Attribute, Definition
from layers.refusals import refusals
from layers.style import StyleClass

_QUERIES = load_queries(__file__)
MOST_CLASSES = 20
Method = Literal["equal", "quantile"]


def propose_categories(connection: Connection, definition: Definition, name: str) -> tuple[StyleClass, ...]:
    """Return one class per code of an attribute, or per value that the layer holds, the commonest first.

    Raises
    ------
    UsageError : it has more than `MOST_CLASSES` values, none, or values that no class can name.
    """
    attribute = _attribute(definition, name)
    if attribute.codes:
        return tuple(StyleClass(value=value) for value in attribute.codes.values[:MOST_CLASSES])
    if attribute.type not in ("text", "integer", "boolean"):
        raise UsageError("%(name)s has too many values to draw each of them.", "Draw it by ranges.", name=name)
    rows = _ask(connection, definition, "values", name, {"most": MOST_CLASSES + 1})
    if not rows:
        raise UsageError(
            "%(name)s has no values yet.", "Fill in some features first, or choose another attribute.", name=name
        )
    if len(rows) > MOST_CLASSES:
        raise UsageError(
            "%(name)s has more than %(most)s values.",
            "Choose another attribute, or ranges.",
            name=name,
            most=MOST_CLASSES,
        )
    return tuple(StyleClass(value=value) for (value,) in rows)


def propose_ranges(
    connection: Connection, definition: Definition, name: str, method: Method, count: int
) -> tuple[StyleClass, ...]:
    """Return ranges of a number that leave nothing out: as wide as each other, or with as many features each.

    Parameters
    ----------
    count : how many, 2 to `MOST_CLASSES`; fewer come back where many features have the same value.

    Raises
    ------
    UsageError : the attribute is no number, or has fewer than two values.
    """
    attribute = _attribute(definition, name)
    if attribute.type not in ("integer", "real"):
        raise UsageError("%(name)s is no number.", "Draw it by its values.", name=name)
    count = min(max(count, 2), MOST_CLASSES)
    shares = [part / count for part in range(1, count)]
    ((least, greatest, inner),) = _ask(connection, definition, "breaks", name, {"shares": shares})
    if least is None or least == greatest:
        raise UsageError("%(name)s has fewer than two values.", "Choose another attribute.", name=name)
    if method == "equal":
        inner = [least + (greatest - least) * share for share in shares]
    # Three figures are what a legend can be read with; more only where they would make two breaks one.
    rounded = [float(f"{value:.3g}") for value in inner]
    breaks = sorted(set(rounded if len(set(rounded)) == len(set(inner)) else map(float, inner)))
    breaks = [value for value in breaks if least < value <= greatest]
    edges = [None, *breaks, None]
    return tuple(StyleClass(min=low, max=high) for low, high in pairwise(edges))


def _attribute(definition: Definition, name: str) -> Attribute:
    found = next((attribute for attribute in definition.table_attributes if attribute.name == name), None)
    if found is None:
        raise UsageError("The map cannot draw by %(name)r.", "Choose an attribute that is not personal.", name=name)
    return found


def _ask(connection: Connection, definition: Definition, block: str, name: str, values: dict[str, Any]) -> list[Any]:
    query = sql.SQL(_QUERIES.sql(block)).format(
        table=sql.Identifier("layers", definition.name), column=sql.Identifier(name)
    )
    with refusals(definition):
        return driver(connection).execute(query, values).fetchall()
