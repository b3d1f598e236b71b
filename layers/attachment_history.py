"""What happened to photos and documents, and taking a changeset's part of it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from gis.errors import UsageError
from gis.queries import load_queries
from layers.copying import driver
from layers.definition import Definition
from layers.history import Changeset
from layers.refusals import refusals

_QUERIES = load_queries(__file__.replace("attachment_history", "attachments"))
_MOST = 500


@dataclass(frozen=True)
class AttachmentEvent:
    """One entry in the life of an attachment.

    Attributes
    ----------
    changeset : what it belongs to. operation : `add`, `change`, `remove`, `restore` or `erase`.
    caption, is_public : after it. old_caption, old_is_public : before; None for the first.
    """

    changeset: Changeset
    attachment: int
    layer: str
    fid: int
    name: str
    media_type: str
    is_erased: bool
    operation: str
    changed_at: datetime
    caption: str
    is_public: bool
    is_removed: bool
    old_caption: str | None
    old_is_public: bool | None
    is_moved: bool

    @property
    def is_picture(self) -> bool:
        return self.media_type.startswith("image/")


class _State(NamedTuple):
    caption: str
    is_public: bool
    rank: int
    is_removed: bool


@dataclass(frozen=True)
class LaterEvent:
    """A later change of an attachment that a changeset touched."""

    layer: str
    fid: int
    version: int
    operation: str
    changeset: Changeset


@dataclass(frozen=True)
class AttachmentStep:
    """One attachment as a changeset left it and as it was before, to be turned around."""

    attachment: int
    layer: str
    fid: int
    is_erased: bool
    last_version: int
    before: _State | None
    after: _State
    now: _State


def feature_events(connection: Connection, definition: Definition, fid: int) -> list[AttachmentEvent]:
    """Return what happened to the files of a feature, the newest first."""
    return _events(connection, {"layer": definition.name, "fid": fid, "changeset": None, "most": _MOST})


def changeset_events(connection: Connection, changeset: int) -> list[AttachmentEvent]:
    """Return what a changeset did to files that the role may see."""
    return _events(connection, {"layer": None, "fid": None, "changeset": changeset, "most": _MOST})


def attachment_steps(connection: Connection, changeset: int) -> list[AttachmentStep]:
    """Return what a changeset did to files, for taking it back."""
    rows = driver(connection).execute(_QUERIES.sql("spans"), {"changeset": changeset}).fetchall()
    return [
        AttachmentStep(
            attachment, layer, fid, is_erased, last, _state(states[:4]), _State(*states[4:8]), _State(*states[8:])
        )
        for attachment, layer, fid, is_erased, last, *states in rows
    ]


def later_events(connection: Connection, changeset: int, step: AttachmentStep) -> list[LaterEvent]:
    """Return the later changes that still show on a file; none where all is as the changeset left it."""
    if step.now == step.after:
        return []
    values = {"id": step.attachment, "version": step.last_version, "changeset": changeset}
    rows = driver(connection).execute(_QUERIES.sql("later"), values).fetchall()
    return [
        LaterEvent(step.layer, step.fid, version, operation, Changeset(*rest)) for version, operation, *rest in rows
    ]


def take_back_step(connection: Connection, definition: Definition, step: AttachmentStep) -> None:
    """Put a file back as it was before; what was added is removed.

    Raises
    ------
    UsageError : it was erased meanwhile. NotAllowedError : the role may not edit its feature.
    """
    if step.is_erased:
        raise UsageError("A file of this changeset was erased for privacy.", "Erased files cannot be brought back.")
    wanted = step.before or step.after._replace(is_removed=True)
    if wanted == step.now:
        return
    with refusals(definition):
        driver(connection).execute(_QUERIES.sql("put_back"), {"id": step.attachment, **wanted._asdict()})


def _state(values: Sequence[Any]) -> _State | None:
    return None if values[0] is None else _State(*values)


def _events(connection: Connection, values: dict[str, object]) -> list[AttachmentEvent]:
    rows = driver(connection).execute(_QUERIES.sql("events"), values).fetchall()
    return [AttachmentEvent(Changeset(*row[14:]), *row[:14]) for row in rows]
