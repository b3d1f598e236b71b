"""Subscribers and their places: a point with a radius, an area they drew, or a feature of a public layer.

Features (町字, school districts, hazards) are kept by reference together with their shape (`alerts.zone`), shared by
all who named them; `refresh_zones` takes the new shape when the feature changed. What matches is exact and in metres;
touching counts as inside (`alerts.places_inside`). Role of everything here: `machimori_service`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import time
from secrets import token_urlsafe

import shapely
from psycopg import sql
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import IntegrityError

from alerts.headers import format_address
from gis.errors import UsageError
from gis.languages import LANGUAGES
from gis.queries import load_queries
from gis.town import Town
from layers.codes import load_code_list

_QUERIES = load_queries(__file__)
_MOST_RADIUS_M = 50_000
# Where the plane serves, in degrees: west, south, east, north; as the database has it.
_REACH = (111, 8, 171, 68)
# Somebody's drawing, not a data set.
_MOST_DRAWN_POINTS = 500


def add_subscriber(connection: Connection, email: str, language: str, kinds: Collection[str]) -> int:
    """Add a confirmed subscriber without a place, with a new secret token; return the id.

    Raises
    ------
    UsageError : no mail address, no such language or kind, or the address has a subscription already.
    """
    try:
        format_address(email)
    except ValueError as error:
        raise UsageError(str(error), "Write it as name@example.jp") from error
    if language not in LANGUAGES:
        raise UsageError(f"There is no language {language!r}.", f"Known are: {', '.join(LANGUAGES)}.")
    known = load_code_list("incident_kind").values
    if unknown := sorted(set(kinds) - set(known)):
        raise UsageError(f"There is no kind {unknown[0]!r}.", f"Known are: {', '.join(known)}.")
    values = {"email": email, "language": language, "kinds": list(kinds), "token": token_urlsafe(24)}
    added = connection.execute(_QUERIES["add_subscriber"], values).scalar()
    if added is None:
        raise UsageError(f"{email} has a subscription already.", "Its places can be added to.")
    return int(added)


def find_subscriber(connection: Connection, email: str) -> int:
    """Return the id of an address. Raises UsageError: it has no subscription."""
    found = connection.execute(text("SELECT id FROM alerts.subscriber WHERE email = :email"), {"email": email}).scalar()
    if found is None:
        raise UsageError(f"{email} has no subscription.", "Addresses are compared letter by letter.")
    return int(found)


def resume_subscriber(connection: Connection, email: str) -> None:
    """Send to an address again that was given up because it refused. Raises UsageError: it was not given up."""
    subscriber_id = find_subscriber(connection, email)
    resume = text(
        "UPDATE alerts.subscriber SET state = 'confirmed', updated_at = now() WHERE id = :id AND state = 'suspended'"
    )
    if connection.execute(resume, {"id": subscriber_id}).rowcount == 0:
        raise UsageError(f"{email} was not given up.", "Only an address that refused mails can be resumed.")


def set_quiet_hours(connection: Connection, subscriber_id: int, hours: tuple[time, time] | None) -> None:
    """Set the hours (from, until; town's time, may go over midnight) in which levels below 4 wait; None ends them."""
    begins, ends = hours or (None, None)
    connection.execute(_QUERIES["set_quiet_hours"], {"id": subscriber_id, "begins": begins, "ends": ends})


def add_point(
    connection: Connection, subscriber_id: int, name: str, lon: float, lat: float, radius_m: float, town: Town
) -> int:
    """Add a point (degrees, JGD2011) with a radius in metres as a place; return its id.

    Raises
    ------
    UsageError : the radius is not within 0 to 50,000 m, or the point lies too far from the town's plane zone.
    """
    if not 0 <= radius_m <= _MOST_RADIUS_M:
        raise UsageError(f"The radius of {name} is {radius_m} m.", f"It may be 0 to {_MOST_RADIUS_M} m.")
    if not (_REACH[0] <= lon <= _REACH[2] and _REACH[1] <= lat <= _REACH[3]):
        raise UsageError(f"{name} at {lon}, {lat} is not in Japan.", "Are longitude and latitude in this order?")
    values = {"subscriber_id": subscriber_id, "name": name, "lon": lon, "lat": lat, "radius_m": radius_m}
    return int(connection.execute(_QUERIES["add_point"], {**values, "plane_epsg": town.plane_epsg}).scalar_one())


def add_drawn(connection: Connection, subscriber_id: int, name: str, area: BaseGeometry, town: Town) -> int:
    """Add a drawn area (degrees, lon/lat, JGD2011) as a place; return its id.

    Raises
    ------
    UsageError : no area, empty, crosses itself, has too many points, is too large or outside Japan.
    """
    if not isinstance(area, Polygon | MultiPolygon) or area.is_empty:
        raise UsageError(f"{name} is no area.", "Draw a polygon.")
    if not shapely.is_valid(area):
        raise UsageError(f"{name} is no proper area: {shapely.is_valid_reason(area)}.", "Draw it without crossings.")
    if shapely.get_num_coordinates(area) > _MOST_DRAWN_POINTS:
        raise UsageError(f"{name} has too many points.", f"Draw it with at most {_MOST_DRAWN_POINTS}.")
    values = {"wkb": shapely.to_wkb(area), "plane_epsg": town.plane_epsg}
    try:
        with connection.begin_nested():
            zone_id = connection.execute(_QUERIES["add_drawn"], values).scalar_one()
            return _add_zone_place(connection, subscriber_id, name, zone_id, town)
    except IntegrityError as error:
        raise UsageError(
            f"{name} is too large or not in Japan.", "Draw what you want to know about; 5,000 km² at most."
        ) from error


def add_feature(connection: Connection, subscriber_id: int, layer: str, fid: int, town: Town, name: str = "") -> int:
    """Add a polygon feature of a public layer (町字, school district …) as a place; return the place's id.

    Parameters
    ----------
    name : how the person calls it (default: the feature's attribute `name`, else layer and number).

    Raises
    ------
    UsageError : there is no such public layer or feature, or the feature has no area or is too large.
    """
    values = {"layer": layer, "fid": fid, "plane_epsg": town.plane_epsg}
    _require_public(connection, layer)
    try:
        with connection.begin_nested():
            zone_id = connection.execute(_on(layer, "add_feature_zone"), values).scalar()
    except IntegrityError as error:
        raise UsageError(f"Feature {fid} of {layer} cannot be a place.", "Its area is broken or too large.") from error
    if zone_id is None:
        raise UsageError(f"{layer} has no feature {fid} with an area.", f"See ./machimori layers show {layer}")
    label = name or connection.execute(_on(layer, "feature_name"), values).scalar() or f"{layer} {fid}"
    return _add_zone_place(connection, subscriber_id, label, zone_id, town)


def refresh_zones(connection: Connection, town: Town) -> int:
    """Take the new shapes of features that changed; return how many zones got one.

    A feature that was deleted, is no area any more or left the public keeps its last shape and is marked as gone:
    nobody loses a warning by somebody else's edit.
    """
    count = 0
    for layer in connection.execute(text("SELECT DISTINCT layer FROM alerts.zone WHERE layer IS NOT NULL")).scalars():
        values = {"layer": layer, "plane_epsg": town.plane_epsg}
        if not _is_public(connection, layer):
            connection.execute(_QUERIES["mark_layer_gone"], values)
            continue
        connection.execute(_on(layer, "mark_gone"), values)
        count += connection.execute(_on(layer, "refresh_zones"), values).rowcount
    return count


def _add_zone_place(connection: Connection, subscriber_id: int, name: str, zone_id: int, town: Town) -> int:
    values = {"subscriber_id": subscriber_id, "name": name, "zone_id": zone_id, "plane_epsg": town.plane_epsg}
    return int(connection.execute(_QUERIES["add_zone_place"], values).scalar_one())


def _require_public(connection: Connection, layer: str) -> None:
    if not _is_public(connection, layer):
        raise UsageError(f"There is no public layer {layer!r}.", "See ./machimori layers list")


def _is_public(connection: Connection, layer: str) -> bool:
    return bool(connection.execute(_QUERIES["is_public"], {"layer": layer}).scalar_one())


def _on(layer: str, name: str) -> TextClause:
    """Return a block about what the public sees of a layer; the name was found in the catalogue."""
    return text(_QUERIES.sql(name).replace("{layer}", sql.Identifier("open", layer).as_string()))
