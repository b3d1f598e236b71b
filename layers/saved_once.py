"""A save that is sent again is not done again: the sender's key leads to the first answer.

A line can break after the database has committed and before the answer arrives. Whoever then presses "save" again sends
the same key (the idea of draft-ietf-httpapi-idempotency-key-header), and gets the answer that was lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import structlog
from psycopg import errors
from sqlalchemy import Connection

from gis.database import SERVICE
from gis.errors import UsageError
from gis.jobs import context, task
from gis.queries import load_queries
from layers.copying import driver

_QUERIES = load_queries(__file__)
_LOG = structlog.get_logger()
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")

# Longer than an unsaved draft is likely to wait in a browser for its answer.
KEPT_DAYS = 90


@dataclass(frozen=True)
class Answer:
    """What a save is answered with.

    Attributes
    ----------
    body : text, without values of attributes. changeset : None when nothing had to be written.
    is_final : False when nothing was saved (a conflict): such an answer is not kept, the same key may try again.
    """

    body: str
    changeset: int | None
    is_final: bool = True


class KeyUsedError(UsageError):
    """Something else was saved under the key; `changeset` is what it made, None when it wrote nothing."""

    def __init__(self, changeset: int | None) -> None:
        self.changeset = changeset
        super().__init__(
            "Under this key something else was saved before, as changeset %(changeset)s.",
            "Look at that changeset, then save what is still missing under a new key.",
            changeset=changeset,
        )


class StillSavingError(UsageError):
    """The same save is still running, longer than anybody waits."""


def answer_once(connection: Connection, key: str, asked: bytes, save: Callable[[], Answer]) -> Answer:
    """Run `save` in the caller's transaction, or return what it was answered before under the same key.

    While the first one still runs, the second waits for it. Keys belong to the account of the transaction.

    Raises
    ------
    UsageError : it is no key. KeyUsedError : another text was sent under it. StillSavingError : the wait took too long.
    """
    if not _KEY.fullmatch(key):
        raise UsageError("The key of a save must have 16 to 64 letters, digits, - or _.", "Make one at random.")
    run = driver(connection).execute
    try:
        run(_QUERIES.sql("take_turn"), {"key": key})
    except errors.LockNotAvailable as error:
        raise StillSavingError("This save is still running.", "Wait, then send it again.") from error
    digest = sha256(asked).hexdigest()
    # A statement of its own, after the wait: so it sees what the first one committed.
    kept = run(_QUERIES.sql("find_answer"), {"key": key}).fetchone()
    if kept is not None:
        if kept[0] != digest:
            raise KeyUsedError(kept[1])
        return Answer(kept[2], kept[1])
    answer = save()
    if answer.is_final:
        parameters = {"key": key, "asked": digest, "changeset": answer.changeset, "answer": answer.body}
        run(_QUERIES.sql("keep_answer"), parameters)
    return answer


def forget_answers(connection: Connection, kept_days: int = KEPT_DAYS) -> int:
    """Forget answers older than that many days; return how many. Role: `machimori_service`."""
    return driver(connection).execute(_QUERIES.sql("forget_answers"), {"days": kept_days}).rowcount


@task("layers.forget_answers", queue="layers")
def forget_old_answers() -> None:
    """Run `forget_answers` as a job."""
    with context().database.begin(SERVICE) as connection:
        _LOG.info("answers of old saves forgotten", count=forget_answers(connection))
