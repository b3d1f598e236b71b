"""What came together by itself: changes that saw an older version and did not collide, kept beside their changeset."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection

from gis.queries import load_queries
from layers.changes import Merged
from layers.copying import driver

_QUERIES = load_queries(__file__)


def record_merges(connection: Connection, changeset: int, layer: str, merges: Sequence[Merged]) -> None:
    """Keep which columns of which features came together in the running transaction's changeset."""
    if not merges:
        return
    rows = [
        (changeset, layer, one.fid, one.base_version, one.theirs_version, list(one.theirs), list(one.mine))
        for one in merges
    ]
    with driver(connection).cursor() as cursor:
        cursor.executemany(_QUERIES.sql("record"), rows)


def changeset_merges(
    connection: Connection, changeset: int, features: Collection[tuple[str, int]]
) -> dict[tuple[str, int], Merged]:
    """Return (layer, fid) → what came together there in a changeset, for those of the features where something did."""
    layers, fids = [layer for layer, _ in features], [fid for _, fid in features]
    rows = driver(connection).execute(_QUERIES.sql("of_changeset"), (changeset, layers, fids)).fetchall()
    return {(layer, fid): _merged(fid, *rest) for layer, fid, *rest in rows}


def feature_merges(connection: Connection, layer: str, fid: int) -> dict[int, Merged]:
    """Return changeset → what came together in a feature."""
    rows = driver(connection).execute(_QUERIES.sql("of_feature"), (layer, fid)).fetchall()
    return {changeset: _merged(fid, *rest) for changeset, *rest in rows}


def _merged(fid: int, base_version: int, theirs_version: int, theirs: list[Any], mine: list[Any]) -> Merged:
    return Merged(fid, base_version, theirs_version, tuple(theirs), tuple(mine))
