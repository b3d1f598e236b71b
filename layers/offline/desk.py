"""The desk's side of work without a network: how large a file would be, who has what out, which files wait."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from psycopg import sql
from sqlalchemy import Connection

from gis.errors import UsageError
from gis.queries import load_queries
from layers.catalogue import find_layer
from layers.copying import driver
from layers.definition import Definition
from layers.offline.checkin import CheckedIn, check_in
from layers.offline.reading import Checkout, read_checkout
from layers.refusals import refusals

_QUERIES = load_queries(__file__)
# The file holds every row twice; an empty one has this many bytes of tables.
_COPIES, _EMPTY_BYTES = 2, 150_000


@dataclass(frozen=True)
class OutFile:
    """A file that is out.

    Attributes
    ----------
    department : its database role. returned_at : when its work came in last; None: never.
    """

    id: str
    account: str
    department: str
    layers: tuple[str, ...]
    feature_count: int
    taken_at: datetime
    due_on: date
    returned_at: datetime | None
    is_overdue: bool


@dataclass(frozen=True)
class WaitingFile:
    """A file that was sent and still holds work that is not in."""

    checkout_id: str
    account: str
    name: str
    uploaded_at: datetime


def measure(
    connection: Connection, definitions: Iterable[Definition], box: tuple[float, float, float, float]
) -> tuple[dict[str, int], int]:
    """Return (layer → features in the box, about how many bytes the file would have); as the role that will read."""
    counts, size = {}, _EMPTY_BYTES
    for definition in definitions:
        query = sql.SQL(_QUERIES.sql("measure")).format(layer=sql.Identifier("layers", definition.name))
        corners = dict(zip(("west", "south", "east", "north"), box, strict=True))
        with refusals(definition):
            count, layer_bytes = driver(connection).execute(query, corners).fetchone() or (0, 0)
        counts[definition.name] = count
        size += int(layer_bytes) * _COPIES
    return counts, size


def list_out(connection: Connection) -> list[OutFile]:
    """Return the files taken out, newest first; those that came back stay listed for a month."""
    rows = connection.execute(_QUERIES["list_out"])
    return [
        OutFile(
            row.id, row.account, row.role_name, tuple(row.layers), row.feature_count, row.taken_at, row.due_on,
            row.returned_at, row.is_overdue,
        )
        for row in rows
    ]  # fmt: skip


def keep_file(connection: Connection, name: str, body: bytes) -> Checkout:
    """Keep a file that came back until its work is done; the same one again replaces it.

    Raises
    ------
    UsageError : as `read_checkout`.
    """
    checkout = _read(body, name)
    connection.execute(_QUERIES["keep_file"], {"id": checkout.id, "name": name[:200], "body": body})
    return checkout


def list_files(connection: Connection) -> list[WaitingFile]:
    """Return the files of the role's department that still wait."""
    return [WaitingFile(*row) for row in connection.execute(_QUERIES["list_files"])]


def open_file(connection: Connection, checkout_id: str) -> tuple[str, Checkout] | None:
    """Return (file name, its work), None when no such file waits in the role's department."""
    row = connection.execute(_QUERIES["find_file"], {"id": checkout_id}).first()
    return None if row is None else (row.name, _read(bytes(row.body), row.name))


def drop_file(connection: Connection, checkout_id: str) -> None:
    """Forget a file that waited. What of it came in stays in."""
    connection.execute(_QUERIES["drop_file"], {"id": checkout_id})


def find_definitions(connection: Connection, names: Sequence[str]) -> dict[str, Definition]:
    """Return layer → definition as the catalogue has it now."""
    return {name: find_layer(connection, name) for name in dict.fromkeys(names)}


def try_check_in(
    connection: Connection, checkout: Checkout, definitions: Mapping[str, Definition], is_outdated_left_out: bool
) -> list[CheckedIn]:
    """Return what a check-in would do; the database does it and takes it back. Raises as `check_in`."""
    attempt = connection.begin_nested()
    try:
        return check_in(connection, checkout, definitions, "", is_outdated_left_out=is_outdated_left_out)
    finally:
        attempt.rollback()


def _read(body: bytes, name: str) -> Checkout:
    with tempfile.TemporaryDirectory(prefix="machimori-") as folder:
        path = Path(folder) / "field.gpkg"
        path.write_bytes(body)
        try:
            return read_checkout(path)
        except UsageError as error:
            raise UsageError(error.template, error.hint_template, **(error.blanks | {"file": name})) from error
