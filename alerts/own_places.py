"""The places of one subscription, as its holder sees and changes them on the page of the link in every mail.

A place is a quarter (町字) or school district by its name, a point with a radius, or a drawn area. The holder is who
has the token. Role of everything here: `machimori_service`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from alerts import audience
from alerts.areas import read_drawn
from gis.errors import UsageError
from gis.queries import load_queries
from gis.town import Town

_QUERIES = load_queries(__file__)
# A quarter with all its blocks can be some dozens of places; nobody needs more, and nobody fills the database.
MOST_PLACES = 200
LONGEST_NAME = 60
RADII_M = (0, 100, 300, 500, 1000, 3000)
# Layers whose features are offered by name, with the expression of the name.
_BY_NAME = {"town_block": ("name", "concat(name, sub_name)"), "school_district": ("name",)}


@dataclass(frozen=True)
class OwnPlace:
    """Places of one name and sort: a quarter is one line for its holder, however many blocks it has.

    Attributes
    ----------
    sort : point, drawn or feature. radius_m : of a point, else 0.
    shape : GeoJSON geometry in degrees (JGD2011): the point, or the outline.
    """

    ids: Sequence[int]
    name: str
    sort: str
    radius_m: float
    shape: str


def lock_holder(connection: Connection, token: str) -> int | None:
    """Lock the running subscription of a token and return its id; None when there is none or it has ended."""
    query = "SELECT id FROM alerts.subscriber WHERE token = :token AND state = 'confirmed' FOR UPDATE"
    found: int | None = connection.execute(text(query), {"token": token}).scalar()
    return found


def list_own_places(connection: Connection, token: str) -> list[OwnPlace]:
    """Return the places of a subscription in the order of their adding; [] for an unknown token."""
    rows = connection.execute(_QUERIES["own_places"], {"token": token})
    return [OwnPlace(row.ids, row.name, row.sort, row.radius_m, row.shape) for row in rows]


def list_feature_names(connection: Connection) -> list[str]:
    """Return the names that `add_named` finds: quarters, their blocks, school districts; at most 2000."""
    names: list[str] = []
    for layer, expressions in _known_layers(connection).items():
        for expression in expressions:
            query = f"SELECT DISTINCT {expression} FROM open.{layer} WHERE name <> '' ORDER BY 1 LIMIT 2000"  # noqa: S608 (ours)
            names += connection.exec_driver_sql(query).scalars()
    return list(dict.fromkeys(names))[:2000]


def add_named(connection: Connection, subscriber_id: int, feature_name: str, name: str, town: Town) -> None:
    """Add a quarter (with all its blocks), a block or a school district by its name; the places follow the layer.

    Parameters
    ----------
    name : how the holder calls it; "" for the feature's own.

    Raises
    ------
    UsageError : nothing has the name, or there are too many places.
    """
    found: list[tuple[str, int]] = []
    for layer, expressions in _known_layers(connection).items():
        is_it = " OR ".join(f"{expression} = %(name)s" for expression in expressions)
        query = f"SELECT fid FROM open.{layer} WHERE {is_it} ORDER BY fid"  # noqa: S608 (ours; the name is bound)
        found += [(layer, fid) for fid in connection.exec_driver_sql(query, {"name": feature_name}).scalars()]
    if not found:
        raise UsageError("There is no quarter %(name)s.", "Write its name as it stands in the list.", name=feature_name)
    _require_room(connection, subscriber_id, len(found))
    for layer, fid in found:
        audience.add_feature(connection, subscriber_id, layer, fid, town, name or feature_name)


def add_spot(
    connection: Connection, subscriber_id: int, name: str, lon: float, lat: float, radius_m: float, town: Town
) -> None:
    """Add a point (degrees, JGD2011) with one of `RADII_M` in metres.

    Raises
    ------
    UsageError : it has no name, lies outside Japan, has another radius, or there are too many places.
    """
    _require_name(name)
    if radius_m not in RADII_M:
        raise UsageError("There is no radius of %(radius)s m.", "Choose one of the list.", radius=f"{radius_m:g}")
    _require_room(connection, subscriber_id, 1)
    try:
        audience.add_point(connection, subscriber_id, name, lon, lat, radius_m, town)
    except UsageError as error:
        raise UsageError("This point is not in Japan.", "Tap the place on the map.") from error


def add_outline(connection: Connection, subscriber_id: int, name: str, geojson: str, town: Town) -> None:
    """Add a drawn GeoJSON polygon (longitude first).

    Raises
    ------
    UsageError : it has no name, is no proper area or too large, or there are too many places.
    """
    _require_name(name)
    shape = read_drawn(geojson)
    _require_room(connection, subscriber_id, 1)
    try:
        audience.add_drawn(connection, subscriber_id, name, shape, town)
    except UsageError as error:
        raise UsageError("This area cannot be a place.", "Draw it smaller, and without crossings.") from error


def remove_places(connection: Connection, subscriber_id: int, ids: Sequence[int]) -> int:
    """Take places of this subscription away, with drawings that nobody else has; return how many went."""
    values = {"subscriber_id": subscriber_id, "ids": list(ids)}
    zones = list(connection.execute(_QUERIES["remove_places"], values).scalars())
    connection.execute(_QUERIES["remove_drawings"], {"zones": [zone for zone in zones if zone is not None]})
    return len(zones)


def _known_layers(connection: Connection) -> dict[str, tuple[str, ...]]:
    """Return of `_BY_NAME` what this installation shows to the public."""
    query = text("SELECT to_regclass('open.' || :layer) IS NOT NULL")
    return {name: by for name, by in _BY_NAME.items() if connection.execute(query, {"layer": name}).scalar_one()}


def _require_name(name: str) -> None:
    if not name:
        raise UsageError("The place has no name.", "Write how you call it, such as home.")


def _require_room(connection: Connection, subscriber_id: int, more: int) -> None:
    query = text("SELECT count(*) FROM alerts.place WHERE subscriber_id = :id")
    if connection.execute(query, {"id": subscriber_id}).scalar_one() + more > MOST_PLACES:
        raise UsageError("There are too many places.", "Remove one first.")
