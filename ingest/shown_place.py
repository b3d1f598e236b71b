"""The area that one incident shows (`ingest.shown_place`): chosen once, only ever widened while its place stands."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, hypot, radians

import shapely
from sqlalchemy import Connection

from gis.queries import load_queries
from gis.town import Town
from ingest.privacy import PublicPlace, named_place, public_place, town_place

_QUERIES = load_queries(__file__)
# Two positions nearer than this, and within their accuracies, are one place that two people (or one, twice) pointed at.
_SAME_PLACE_M = 100.0
_METRES_PER_DEGREE = 111_195.0


@dataclass(frozen=True)
class ShownPlace:
    """An incident's area with the place it was chosen for.

    Attributes
    ----------
    position : (lon, lat) in degrees, JGD2011; None: known by words only, or erased. accuracy_m : of it, metres.
    place_name : the quarter that the public reads beside it.
    """

    shown: PublicPlace
    position: tuple[float, float] | None
    accuracy_m: float
    place_name: str


def choose_shown(
    connection: Connection,
    incident_fid: int | None,
    position: tuple[float, float] | None,
    accuracy_m: float,
    place_name: str,
    town: Town,
) -> ShownPlace:
    """Return what an incident shows now, given what it showed before (`incident_fid` None: it is new).

    While the place stands its area is never narrowed, though houses were built since: two areas of one place say more
    than each. A place that moves inside what is shown moves nothing, nor does one that is told anew a few steps away:
    two cells side by side would tell that it is at their edge. Keep it with `keep_shown`. Role: service.
    """
    before = None if incident_fid is None else _load(connection, incident_fid)
    if before and position is None and place_name in ("", before.place_name):
        return before
    if before and position and place_name == before.place_name and _is_near(before, position, accuracy_m):
        position, accuracy_m = before.position, before.accuracy_m
    fresh = (
        public_place(connection, *position, accuracy_m, town, place_name)
        if position
        else named_place(connection, place_name, town)
    )
    now = ShownPlace(fresh, position, accuracy_m, place_name)
    if before is None:
        return now
    is_same_place = (now.position, now.accuracy_m, now.place_name) == (
        before.position,
        before.accuracy_m,
        before.place_name,
    )
    return ShownPlace(
        _wider(connection, before.shown, fresh, is_same_place, town), now.position, now.accuracy_m, now.place_name
    )


def keep_shown(connection: Connection, incident_fid: int, chosen: ShownPlace) -> None:
    """Note what an incident shows. Role: service."""
    lon, lat = chosen.position or (None, None)
    connection.execute(
        _QUERIES["keep"],
        {
            "incident_fid": incident_fid,
            "lon": lon,
            "lat": lat,
            "accuracy_m": chosen.accuracy_m,
            "place_name": chosen.place_name,
            "rule": chosen.shown.rule,
            "area": chosen.shown.geom,
            "radius_m": chosen.shown.accuracy_m,
        },
    )


def _wider(
    connection: Connection, before: PublicPlace, fresh: PublicPlace, is_same_place: bool, town: Town
) -> PublicPlace:
    old, new = shapely.from_wkb(before.geom), shapely.from_wkb(fresh.geom)
    if old.covers(new):
        return before
    if not is_same_place or new.covers(old):
        return fresh
    # Neither holds the other (a cell, then a quarter): what both share would be finer than each.
    return town_place(connection, town)


def _is_near(before: ShownPlace, position: tuple[float, float], accuracy_m: float) -> bool:
    if before.position is None:
        return False
    (lon, lat), (was_lon, was_lat) = position, before.position
    distance_m = hypot((lon - was_lon) * cos(radians(lat)), lat - was_lat) * _METRES_PER_DEGREE
    return distance_m <= min(before.accuracy_m + accuracy_m, _SAME_PLACE_M)


def _load(connection: Connection, incident_fid: int) -> ShownPlace | None:
    row = connection.execute(_QUERIES["load"], {"incident_fid": incident_fid}).first()
    if row is None:
        return None
    shown = PublicPlace(bytes(row.area), row.radius_m, row.rule)
    return ShownPlace(shown, None if row.lon is None else (row.lon, row.lat), row.accuracy_m, row.place_name)
