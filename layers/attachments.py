"""Photos and documents attached to features: add, describe, order, remove, bring back, erase.

Every function runs as the department's role; the layer's own grants and row policies decide, asked by triggers
(gis/migrations/versions/0006_attachments.sql). Each call's changeset has the reason of the transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql
from psycopg.errors import InsufficientPrivilege, LockNotAvailable
from sqlalchemy import Connection

from gis.errors import UsageError
from gis.queries import load_queries
from layers.attachment_files import CleanFile
from layers.attachment_words import RefusedFileError
from layers.copying import driver
from layers.definition import Definition
from layers.refusals import ChangedMeanwhileError, refusals

_QUERIES = load_queries(__file__)


class UnknownAttachmentError(UsageError):
    """There is no such attachment, or the role may not see it."""

    def __init__(self) -> None:
        super().__init__("There is no such attachment.", "It may have been removed, or is not for your department.")


@dataclass(frozen=True)
class Attachment:
    """A file beside a feature.

    Attributes
    ----------
    byte_size, width, height : of what is kept; pixels, None for documents.
    offered_lon, offered_lat : degrees, where the camera stood: only for whoever attached it, until used or declined.
    offer_distance_m : from there to the feature, None when it has no position.
    """

    id: int
    layer: str
    fid: int
    version: int
    name: str
    media_type: str
    byte_size: int
    sha256: str
    width: int | None
    height: int | None
    caption: str
    taken_at: datetime | None
    is_public: bool
    is_removed: bool
    is_erased: bool
    added_at: datetime
    added_by: str
    offered_lon: float | None = None
    offered_lat: float | None = None
    offer_distance_m: float | None = None

    @property
    def is_picture(self) -> bool:
        return self.media_type.startswith("image/")


@dataclass(frozen=True)
class Identity:
    """What an attachment is and belongs to."""

    layer: str
    fid: int
    media_type: str
    sha256: str
    name: str
    is_removed: bool
    is_erased: bool


@dataclass(frozen=True)
class StoredFile:
    """Bytes to serve. `body` is None for the small picture of a document."""

    media_type: str
    name: str
    sha256: str
    body: bytes | None


@dataclass(frozen=True)
class OpenAttachment:
    """What citizens may know of an attachment."""

    id: int
    fid: int
    media_type: str
    byte_size: int
    width: int | None
    height: int | None
    caption: str

    @property
    def is_picture(self) -> bool:
        return self.media_type.startswith("image/")


def list_attachments(
    connection: Connection, definition: Definition, fid: int, *, with_removed: bool = False
) -> list[Attachment]:
    """Return what stands beside a feature, in its order; those removed come last when asked for."""
    query = sql.SQL(_QUERIES.sql("list")).format(layer=sql.Identifier("layers", definition.name))
    values = {"layer": definition.name, "fid": fid, "with_removed": with_removed}
    with refusals(definition):
        return [Attachment(*row) for row in driver(connection).execute(query, values).fetchall()]


def find_attachment(connection: Connection, attachment: int) -> Identity:
    """Return what an attachment is.

    Raises
    ------
    UnknownAttachmentError : there is none that the role may see.
    """
    row = driver(connection).execute(_QUERIES.sql("find"), {"id": attachment}).fetchone()
    if row is None:
        raise UnknownAttachmentError
    return Identity(*row)


def add_attachment(
    connection: Connection, definition: Definition, fid: int, file: CleanFile, most: int, caption: str = ""
) -> int:
    """Attach a file to a feature and return its number; a picture's place becomes an offer to whoever adds it.

    Parameters
    ----------
    most : how many files a feature may have.

    Raises
    ------
    NotAllowedError : the role may not edit this feature, or there is none.
    RefusedFileError : the feature has as many as it may.
    """
    run = driver(connection).execute
    with refusals(definition):
        # Held until the end, so that two people at once do not both add the last one.
        run("SELECT gis.hold_feature(%(layer)s, %(fid)s)", {"layer": definition.name, "fid": fid})
        if len(list_attachments(connection, definition, fid)) >= most:
            raise RefusedFileError("many", most)
        values = {
            **{name: getattr(file, name) for name in ("name", "media_type", "sha256", "width", "height", "taken_at")},
            "layer": definition.name,
            "fid": fid,
            "byte_size": len(file.body),
            "caption": caption,
        }
        (attachment,) = run(_QUERIES.sql("add"), values).fetchone() or (0,)
        run(_QUERIES.sql("add_body"), {"id": attachment, "body": file.body, "thumbnail": file.thumbnail})
        if file.place is not None:
            lon, lat = file.place
            run(_QUERIES.sql("add_offer"), {"id": attachment, "lon": lon, "lat": lat})
    return int(attachment)


def change_attachment(
    connection: Connection, definition: Definition, attachment: int, version: int, caption: str, is_public: bool
) -> None:
    """Set what a file shows and whether citizens see it; `version` is the one the person saw.

    Raises
    ------
    ChangedMeanwhileError : somebody else changed or removed it since.
    NotAllowedError : the role may not edit its feature.
    """
    values = {"id": attachment, "version": version, "caption": caption, "is_public": is_public}
    _write(connection, definition, "change", values)


def remove_attachment(connection: Connection, definition: Definition, attachment: int) -> None:
    """Take a file away from its feature; it stays in the history and can be brought back.

    Raises
    ------
    ChangedMeanwhileError : it is removed already. NotAllowedError : the role may not edit its feature.
    """
    _write(connection, definition, "remove", {"id": attachment, "is_removed": True})


def restore_attachment(connection: Connection, definition: Definition, attachment: int) -> None:
    """Bring a removed file back.

    Raises
    ------
    ChangedMeanwhileError : it stands, or was erased. NotAllowedError : the role may not edit its feature.
    """
    _write(connection, definition, "remove", {"id": attachment, "is_removed": False})


def order_attachments(connection: Connection, definition: Definition, fid: int, ids: Sequence[int]) -> None:
    """Put the files of a feature into an order; those not named keep theirs.

    Raises
    ------
    NotAllowedError : the role may not edit the feature.
    """
    with refusals(definition):
        values = {"layer": definition.name, "fid": fid, "ids": list(ids)}
        driver(connection).execute(_QUERIES.sql("order"), values)


def drop_offer(connection: Connection, attachment: int) -> None:
    """Forget where the camera stood: the place was used, or declined. Only one's own offer can be dropped."""
    driver(connection).execute("DELETE FROM gis.attachment_offer WHERE attachment = %(id)s", {"id": attachment})


def erase_attachment(connection: Connection, definition: Definition, attachment: int, reason: str) -> None:
    """Erase a file for privacy: its bytes, name and words are gone for good, the fact and `reason` stay.

    Raises
    ------
    NotAllowedError : the person is no layer manager of the layer. ChangedMeanwhileError : it is erased already.
    UsageError : the reason is missing.
    """
    if not reason.strip():
        raise UsageError("An erasure needs its reason.", "Say why; it stays on record.")
    with refusals(definition):
        driver(connection).execute("SELECT gis.erase_attachment(%s, %s)", (attachment, reason.strip()))


def read_attachment(connection: Connection, attachment: int, *, is_small: bool) -> StoredFile:
    """Return the bytes of a file, or its small picture, removed ones too.

    Raises
    ------
    UnknownAttachmentError : there is none that the role may see, or it was erased.
    """
    return _read(connection, "read", attachment, is_small)


def read_open_attachment(connection: Connection, attachment: int, *, is_small: bool) -> StoredFile:
    """Return what citizens may read of a file; runs as `citizen`.

    Raises
    ------
    UnknownAttachmentError : there is none that everyone may see.
    """
    return _read(connection, "read_open", attachment, is_small)


def list_open_attachments(connection: Connection, layer: str, fids: Sequence[int]) -> dict[int, list[OpenAttachment]]:
    """Return fid → what everyone may see beside those features; runs as `citizen`."""
    rows = driver(connection).execute(_QUERIES.sql("list_open"), {"layer": layer, "fids": list(fids)}).fetchall()
    found: dict[int, list[OpenAttachment]] = {}
    for row in rows:
        found.setdefault(row[1], []).append(OpenAttachment(*row))
    return found


def may_attach(connection: Connection, definition: Definition, fid: int) -> bool:
    """Return whether the role may attach to a feature: what the database itself answers."""
    asked = driver(connection)
    query = sql.SQL(_QUERIES.sql("may_hold")).format(layer=sql.Identifier("layers", definition.name))
    try:
        with asked.transaction(force_rollback=True):  # nobody waits for a reader's question
            found = asked.execute(query, {"layer": definition.name, "fid": fid}).fetchone()
    except InsufficientPrivilege:
        return False
    except LockNotAvailable:  # told only of a row that could be had
        return True
    return found is not None


def _write(connection: Connection, definition: Definition, block: str, values: dict[str, Any]) -> None:
    with refusals(definition):
        done = driver(connection).execute(_QUERIES.sql(block), values)
    if done.rowcount == 0:
        raise ChangedMeanwhileError(
            "Somebody else changed or removed this file meanwhile.", "Nothing was changed. Look again and repeat."
        )


def _read(connection: Connection, block: str, attachment: int, is_small: bool) -> StoredFile:
    row = driver(connection).execute(_QUERIES.sql(block), {"id": attachment, "is_small": is_small}).fetchone()
    if row is None:
        raise UnknownAttachmentError
    media_type, name, sha256, body = row
    return StoredFile("image/jpeg" if is_small else media_type, name, sha256, None if body is None else bytes(body))
