"""The area of a message, put together from pieces: towns, features of public layers, incidents, drawn shapes.

Areas are multipolygons in JGD2011 degrees (EPSG:6668); metres are measured on the town's plane zone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import shapely
from psycopg import sql
from shapely.geometry import MultiPolygon, shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, text

from alerts.area_picks import read_pick
from gis.errors import UsageError
from gis.queries import load_queries
from gis.town import Town

_QUERIES = load_queries(__file__)
_DRAW_AGAIN = "Draw it again, or paste a GeoJSON Polygon with longitude before latitude."
Operation = Literal["add", "cut", "keep"]
OPERATIONS: tuple[Operation, ...] = ("add", "cut", "keep")
SOURCES = ("town", "feature", "pick", "incident", "alert", "drawn")
_MAX_BUFFER_M = 50_000.0


@dataclass(frozen=True)
class Piece:
    """One step of the recipe.

    Attributes
    ----------
    operation : add ∪, cut −, or keep only what lies inside ∩.
    source : `town`; `feature` (`ref` is `layer:fid`); `pick` (`ref` is `school_district:name`, alerts/area_picks.py);
        `incident` or `alert` (`ref` is its number); `drawn` (`ref` is a GeoJSON polygon in longitude and latitude).
    buffer_m : widened by so many metres; points and lines become areas only by it.
    name : what people call it.
    """

    operation: Operation
    source: str
    ref: str = ""
    buffer_m: float = 0
    name: str = ""


@dataclass(frozen=True)
class Area:
    """What the pieces make: the shape, what is doubtful (`empty`, `crosses_itself`, `outside`), the recipe kept."""

    shape: MultiPolygon
    doubts: tuple[str, ...]
    pieces: tuple[Piece, ...]


def parse_pieces(recipe: Sequence[Mapping[str, Any]]) -> tuple[Piece, ...]:
    """Read the pieces as `alerts.alert.area_recipe` keeps them."""
    return tuple(Piece(**piece) for piece in recipe)


def write_pieces(pieces: Sequence[Piece]) -> str:
    """Write the pieces as JSON for `alerts.alert.area_recipe`."""
    return json.dumps([asdict(piece) for piece in pieces], ensure_ascii=False)


def compose_area(connection: Connection, pieces: Sequence[Piece], town: Town) -> Area:
    """Put the pieces together in their order. Role: one that reads `open` and the alerts.

    Raises
    ------
    UsageError : a piece does not exist, is no area without a buffer, or cannot be read.
    """
    whole: BaseGeometry = MultiPolygon()
    doubts: list[str] = []
    for piece in pieces:
        found = _read_piece(connection, piece, town)
        if not found.is_valid:
            doubts.append("crosses_itself")
            found = shapely.make_valid(found)
        whole = combine(whole, polygons_of(found), piece.operation)
    area = _settle(connection, polygons_of(whole), town)
    if area.is_empty:
        doubts.append("empty")
    elif not _is_inside_town(connection, area, town):
        doubts.append("outside")
    return Area(area, tuple(dict.fromkeys(doubts)), tuple(pieces))


def combine(whole: BaseGeometry, piece: BaseGeometry, operation: Operation) -> BaseGeometry:
    """Return whole ∪ piece, whole − piece or whole ∩ piece."""
    if operation == "add":
        return whole.union(piece)
    return whole.difference(piece) if operation == "cut" else whole.intersection(piece)


def polygons_of(geometry: BaseGeometry) -> MultiPolygon:
    """Return the polygons of a geometry; lines and points that a cut leaves behind go."""
    parts = [part for part in shapely.get_parts(geometry, return_index=False) if not part.is_empty]
    flat: list[Any] = []
    for part in parts:
        if part.geom_type == "Polygon":
            flat.append(part)
        elif part.geom_type in ("MultiPolygon", "GeometryCollection"):
            flat.extend(polygons_of(part).geoms)
    return MultiPolygon(flat)


def read_drawn(words: str) -> BaseGeometry:
    """Read a drawn GeoJSON polygon or multipolygon (RFC 7946, longitude first), also as a Feature.

    Raises
    ------
    UsageError : it is no GeoJSON of an area, or its coordinates are no degrees.
    """
    try:
        values = json.loads(words)
        geometry = shape(values.get("geometry", values))
    except (ValueError, AttributeError, KeyError, TypeError, shapely.errors.ShapelyError) as error:
        raise UsageError("The drawn area cannot be read: %(error)s.", _DRAW_AGAIN, error=error) from error
    if geometry.geom_type not in ("Polygon", "MultiPolygon"):
        raise UsageError("A %(geometry)s is no area.", _DRAW_AGAIN, geometry=geometry.geom_type)
    coordinates = shapely.get_coordinates(geometry)
    if not ((abs(coordinates[:, 0]) <= 180) & (abs(coordinates[:, 1]) <= 90)).all():
        raise UsageError("The drawn area is not in degrees. Are longitude and latitude in this order?", _DRAW_AGAIN)
    return geometry


def _read_piece(connection: Connection, piece: Piece, town: Town) -> BaseGeometry:
    if not 0 <= piece.buffer_m <= _MAX_BUFFER_M:
        raise UsageError(
            "A buffer of %(metres)s m is not possible.", "Give metres from 0 to 50000.", metres=f"{piece.buffer_m:g}"
        ).at("buffer_m")
    if piece.source == "drawn":
        drawn = read_drawn(piece.ref)
        return _widen(connection, drawn, piece.buffer_m, town) if piece.buffer_m else drawn
    if piece.source == "feature":
        layer, _, fid = piece.ref.rpartition(":")
        found = _read_feature(connection, layer, fid)
    elif piece.source == "pick":
        found = read_pick(connection, piece.ref)
    elif piece.source == "town":
        found = connection.execute(_QUERIES["town"], {"code": town.code}).scalar()
    elif piece.source in ("incident", "alert") and piece.ref.isdecimal():
        found = connection.execute(_QUERIES[piece.source], {"number": int(piece.ref)}).scalar()
    else:
        found = None
    if found is None:
        raise UsageError("There is no %(source)s %(ref)s.", "Choose another one.", source=piece.source, ref=piece.ref)
    geometry = shapely.from_wkb(bytes(found))
    if piece.buffer_m:
        return _widen(connection, geometry, piece.buffer_m, town)
    if polygons_of(geometry).is_empty:
        raise UsageError(
            "%(name)s is a point or a line.", "Give metres to widen it by.", name=piece.name or piece.ref
        ).at("buffer_m")
    return geometry


def _read_feature(connection: Connection, layer: str, fid: str) -> Any:
    """Read from `open`: what the public does not see of a layer cannot become a public area."""
    known = connection.execute(text("SELECT 1 FROM gis.layer WHERE name = :layer"), {"layer": layer}).scalar()
    has_view = connection.execute(text("SELECT to_regclass('open.' || quote_ident(:l))"), {"l": layer}).scalar()
    if not known or not has_view or not fid.isdecimal():
        return None
    query = sql.SQL("SELECT ST_AsBinary(geom) FROM open.{} WHERE fid = {}").format(
        sql.Identifier(layer), sql.Literal(int(fid))
    )
    return connection.exec_driver_sql(query.as_string(None)).scalar()


def _widen(connection: Connection, geometry: BaseGeometry, buffer_m: float, town: Town) -> BaseGeometry:
    values = {"wkb": shapely.to_wkb(geometry), "buffer_m": buffer_m, "plane_epsg": town.plane_epsg}
    return shapely.from_wkb(bytes(connection.execute(_QUERIES["widen"], values).scalar_one()))


def _settle(connection: Connection, area: MultiPolygon, town: Town) -> MultiPolygon:
    """Return an area that is a proper one on the plane, too, where it is compared with places.

    Cuts along common edges leave slivers thinner than the rounding of a projection; they are closed by 5 cm outward.
    """
    values = {"wkb": shapely.to_wkb(area), "plane_epsg": town.plane_epsg}
    mended = None if area.is_empty else connection.execute(_QUERIES["settle"], values).scalar()
    return area if mended is None else polygons_of(shapely.from_wkb(bytes(mended)))


def _is_inside_town(connection: Connection, area: BaseGeometry, town: Town) -> bool:
    values = {"wkb": shapely.to_wkb(area), "code": town.code, "plane_epsg": town.plane_epsg}
    return bool(connection.execute(_QUERIES["is_inside_town"], values).scalar())
