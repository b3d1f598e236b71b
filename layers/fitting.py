"""Whether a layer's values fit a definition that is to come; which features do not, counted by rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import errors, sql
from sqlalchemy import Connection

from gis.errors import Phrase, UsageError
from gis.queries import load_queries
from layers.copying import driver
from layers.definition import Attribute, Definition
from layers.refusals import refusals
from layers.table_rules import conditions

_QUERIES = load_queries(__file__)
_SENTENCES = {
    "required": Phrase("%(name)s must be filled in, and %(count)s features have nothing there."),
    "filled": Phrase("%(name)s must be filled in, and %(count)s features have only blanks there."),
    "code": Phrase("%(count)s features have a value of %(name)s that is not in the code list."),
    "pattern": Phrase("%(count)s features have a value of %(name)s that does not match the pattern."),
    "minimum": Phrase("%(count)s features have a value of %(name)s below the least."),
    "maximum": Phrase("%(count)s features have a value of %(name)s above the greatest."),
    "finite": Phrase("%(count)s features have a value of %(name)s that is no number."),
    "unique": Phrase("%(count)s features share their value of %(name)s with another: it cannot be the key."),
}
_RULES = ("required", "code", "pattern", "minimum", "maximum", "filled", "finite")


@dataclass(frozen=True)
class Misfit:
    """Features that break one rule.

    Attributes
    ----------
    attribute : its name. rule : `required`, `code`, `pattern`, `minimum`, `maximum`, `filled`, `finite` or `unique`.
    count : how many features. fids : the first of them. values : what those have there, as text.
    """

    attribute: str
    rule: str
    count: int
    fids: tuple[int, ...]
    values: tuple[str, ...]

    def listed(self) -> str:
        """Return the first features with what they have there."""
        return ", ".join(f"{fid} ({value!r})" for fid, value in zip(self.fids, self.values, strict=True))

    def phrase(self) -> Phrase:
        """Return what does not fit, with its number."""
        return Phrase(_SENTENCES[self.rule].template, {"name": self.attribute, "count": f"{self.count:,}"})


class MisfitError(UsageError):
    """The layer holds values that the new definition would refuse; `misfits` has them by attribute and rule."""

    def __init__(self, definition: Definition, misfits: Sequence[Misfit]) -> None:
        lines = [
            Phrase("%(misfit)s The first of them: %(features)s", {"misfit": one.phrase(), "features": one.listed()})
            for one in misfits
        ]
        super().__init__(
            "%(layer)s holds values that would break the new rules:\n    %(misfits)s",
            "Nothing was changed. Mend those features first.",
            layer=definition.heading,
            misfits=lines,
        )
        self.misfits = tuple(misfits)


def require_fit(connection: Connection, old: Definition, new: Definition) -> None:
    """Refuse a definition that the layer's values do not fit; only rules that are new are asked.

    Attributes have the same names in both. Runs as a role that may read the layer and what of it is concerned.

    Raises
    ------
    MisfitError : with every rule that is broken, how often, and the first features.
    NotAllowedError : the role may not read what it would have to look at.
    """
    before = {attribute.name: attribute for attribute in old.kept_attributes}
    found: list[Misfit] = []
    with refusals(old), _readable_rules():
        for attribute in new.attributes:
            if attribute.name in before and (
                attribute != before[attribute.name] or old.key != new.key or attribute in old.retired
            ):
                found += _misfits(connection, new, attribute)
        if new.key != old.key and new.key:
            found += _doubles(connection, new)
    if found:
        raise MisfitError(new, found)


@contextmanager
def _readable_rules() -> Iterator[None]:
    """PostgreSQL reads patterns in its own way; one that it cannot read is a person's mistake."""
    try:
        yield
    except errors.DataError as error:
        raise UsageError(
            "The rule cannot be asked: %(error)s.", "Nothing was changed.", error=error.diag.message_primary
        ) from error


def _misfits(connection: Connection, definition: Definition, attribute: Attribute) -> list[Misfit]:
    column = sql.Identifier(attribute.name)
    rules = {
        rule: sql.SQL("({}) IS FALSE").format(condition)
        for rule, condition in conditions(attribute, is_key=attribute.name == definition.key).items()
    }
    if attribute.required:
        rules["required"] = sql.SQL("{} IS NULL").format(column)
    table = sql.Identifier("layers", definition.name + ("_personal" if attribute.personal else ""))
    found = []
    for rule in _RULES:
        if rule in rules:
            query = sql.SQL(_QUERIES.sql("misfits")).format(table=table, column=column, broken=rules[rule])
            found += _read(connection, query, attribute.name, rule)
    return found


def _doubles(connection: Connection, definition: Definition) -> list[Misfit]:
    query = sql.SQL(_QUERIES.sql("doubles")).format(
        table=sql.Identifier("layers", definition.name), column=sql.Identifier(definition.key)
    )
    return _read(connection, query, definition.key, "unique")


def _read(connection: Connection, query: sql.Composed, name: str, rule: str) -> list[Misfit]:
    ((count, fids, values),) = driver(connection).execute(query).fetchall()
    return [Misfit(name, rule, count, tuple(fids), tuple(value or "" for value in values))] if count else []
