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
        raise NotAllowedError(f"{_title(definition)}: {error.diag.message_primary}.", _hint(error)) from error
    except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
        raise ChangedMeanwhileError(
            f"{_title(definition)}: people are working in the layer at this moment.", _NO_CHANGE
        ) from error
    except errors.ObjectNotInPrerequisiteState as error:
        raise UsageError(f"{_title(definition)}: {error.diag.message_primary}.", _hint(error)) from error
    except (errors.IntegrityError, errors.DataError) as error:
        raise UsageError(
            f"{_title(definition)}: the layer's values do not fit: {error.diag.message_primary}.", _NO_CHANGE
        ) from error


def changed_meanwhile(definition: Definition) -> ChangedMeanwhileError:
    """Return the error for a definition that is not what the caller saw."""
    return ChangedMeanwhileError(f"{_title(definition)}: somebody changed its definition meanwhile.", _NO_CHANGE)


def _title(definition: Definition) -> str:
    return f"{definition.name_in('en')} ({definition.name})"


def _hint(error: errors.Error) -> str:
    return error.diag.message_hint or "Ask the department that the layer belongs to."
