"""Turns what the database refuses into an error that a person understands; everything else stays a bug."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import Error, errors

from gis.errors import Phrase, UsageError
from gis.roles import department_title
from layers.checking import InvalidChangesError
from layers.definition import Definition
from layers.editing_words import Problem

_ATTRIBUTE_RULES = {
    "code": "code",
    "pattern": "pattern",
    "minimum": "minimum",
    "maximum": "maximum",
    "finite": "number",
    "filled": "required",
}
_GEOMETRY_RULES = {
    "geom_valid": "geometry_valid",
    "geom_not_empty": "geometry_empty",
    "geom_in_degrees": "geometry_degrees",
}


class NotAllowedError(UsageError):
    """The role may not do this to the layer, or not there."""


class ChangedMeanwhileError(UsageError):
    """Somebody else was quicker in a way that no merge can mend; reading again and repeating can."""


@contextmanager
def refusals(definition: Definition) -> Iterator[None]:
    """Translate the refusals of the database inside the block; the transaction is lost after one.

    Raises
    ------
    NotAllowedError : a missing grant or a row policy.
    InvalidChangesError : a check, a required value or a unique key, with its attribute.
    ChangedMeanwhileError : a deadlock, a lock not given in time, a feature restored twice, an attribute just renamed.
    """
    try:
        yield
    except errors.InsufficientPrivilege as error:
        raise not_allowed(definition, error) from error
    except (errors.CheckViolation, errors.NotNullViolation, errors.UniqueViolation) as error:
        problem = _problem(definition, error)
        if problem is None:
            raise _quicker(definition) from error
        raise InvalidChangesError([problem]) from error
    except (errors.DeadlockDetected, errors.LockNotAvailable, errors.ObjectNotInPrerequisiteState) as error:
        raise _quicker(definition) from error
    except errors.UndefinedColumn as error:
        # An attribute was renamed between the look at the definition and the statement.
        raise _quicker(definition) from error


def not_allowed(definition: Definition, error: Error | None = None) -> NotAllowedError:
    """Return the error for a role without the right; `error` is None when a row policy was silent."""
    is_place = error is None or "row-level security" in str(error)
    return NotAllowedError(
        "%(layer)s: your department may not do this in %(where)s.",
        "The layer belongs to %(owner)s; ask them, or take a role that has the right.",
        layer=definition.heading,
        where=Phrase("this place") if is_place else Phrase("this layer"),
        owner=department_title(definition.owner),
    )


def _quicker(definition: Definition) -> ChangedMeanwhileError:
    return ChangedMeanwhileError(
        "%(layer)s: somebody else changed the same features at the same moment.",
        "Nothing was changed. Read the features again and repeat.",
        layer=definition.heading,
    )


def _problem(definition: Definition, error: Error) -> Problem | None:
    """Find the column that a violated rule belongs to, by the names that layers/tables.py gives its rules."""
    attributes = {attribute.name: attribute for attribute in definition.attributes}
    constraint = error.diag.constraint_name or ""
    if isinstance(error, errors.NotNullViolation):
        column = error.diag.column_name or ""
        code = "geometry_missing" if column == "geom" else "required"
        return Problem(code, column, attribute=attributes.get(column))
    if constraint.endswith("_pkey"):
        return None
    if constraint == f"{definition.name}_key":
        return Problem("taken", definition.key, attribute=attributes[definition.key])
    if constraint in _GEOMETRY_RULES:
        return Problem(_GEOMETRY_RULES[constraint], "geom")
    name, _, suffix = constraint.rpartition("_")
    if name in attributes and suffix in _ATTRIBUTE_RULES:
        attribute = attributes[name]
        limit = {"minimum": attribute.minimum, "maximum": attribute.maximum, "pattern": attribute.pattern}.get(suffix)
        return Problem(_ATTRIBUTE_RULES[suffix], name, attribute=attribute, value="?", limit=str(limit or ""))
    return Problem("rule", constraint or "?", value=constraint or str(error.diag.message_primary))
