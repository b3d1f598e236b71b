"""What the database refuses when a layer's definition is to change, in words that a person understands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import errors

from gis.errors import UsageError
from layers.definition import Definition
from layers.refusals import ChangedMeanwhileError, NotAllowedError

_NO_CHANGE = "Nothing was changed. Look at the layer again and repeat."


@contextmanager
def keeping_refusals(definition: Definition) -> Iterator[None]:
    """Translate the refusals of `gis.change_layer` inside the block; the transaction is lost after one.

    Raises
    ------
    NotAllowedError : the account does not keep this layer.
    ChangedMeanwhileError : people work in the layer, or another change of it was quicker.
    UsageError : values do not fit, or the layer to be deleted has a past.
    """
    try:
        yield
    except errors.InsufficientPrivilege as error:
        raise NotAllowedError(
            "%(layer)s: your account may not change it (%(said)s).",
            "It needs the role layer manager in the department that owns the layer, or a grant to manage it.",
            layer=definition.heading,
            said=error.diag.message_primary,
        ) from error
    except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
        raise ChangedMeanwhileError(
            "%(layer)s: people are working in the layer at this moment.", _NO_CHANGE, layer=definition.heading
        ) from error
    except errors.ObjectNotInPrerequisiteState as error:
        raise UsageError(
            "%(layer)s has a past: its features were changed.",
            "It can be retired: kept, but not shown.",
            layer=definition.heading,
        ) from error
    except (errors.IntegrityError, errors.DataError) as error:
        raise UsageError(
            "%(layer)s: the layer's values do not fit: %(said)s.",
            _NO_CHANGE,
            layer=definition.heading,
            said=error.diag.message_primary,
        ) from error


def changed_meanwhile(definition: Definition) -> ChangedMeanwhileError:
    """Return the error for a definition that is not what the caller saw."""
    return ChangedMeanwhileError(
        "%(layer)s: somebody changed its definition meanwhile.", _NO_CHANGE, layer=definition.heading
    )
