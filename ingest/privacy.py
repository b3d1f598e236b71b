"""Where the public sees an incident that concerns persons: an area that many households share, never the place.

The area is a cell of 地域メッシュ (JIS X 0410), else the quarter, else the town. It depends on the addresses and the
cell of the place alone. A cell is cut into its four parts only where that gives nobody away: the parts that are too
empty to be shown must hold enough households together, or who sees the whole knows that it was in the one they hide in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import cos, floor, hypot, pi, radians, sqrt
from typing import Any, NamedTuple

import shapely
from sqlalchemy import Connection

from gis.queries import load_queries
from gis.town import Town
from ingest.gazetteer import normalise

_QUERIES = load_queries(__file__)
# 総務省 and police practice publish persons' incidents by 町丁目; eight households is this installation's floor.
LEAST_HOUSEHOLDS = 8
# JIS X 0410: 250 m = 11.25″ × 7.5″, 500 m and 1 km twice and four times that, all counted from 0° N 0° E.
_WIDTH_S, _HEIGHT_S = 11.25, 7.5
_SIZES = (1000, 500, 250)
_METRES_PER_DEGREE = 111_195.0


class Cell(NamedTuple):
    """A cell of the mesh: its size (250, 500 or 1000 m) and its column and row from 0° E 0° N."""

    size: int
    column: int
    row: int

    @classmethod
    def of(cls, lon: float, lat: float, size: int) -> Cell:
        """Return the cell of this size that holds a position (its west and south edge are part of it)."""
        times = size // 250
        return cls(size, floor(lon * 3600 / (_WIDTH_S * times)), floor(lat * 3600 / (_HEIGHT_S * times)))

    @property
    def parts(self) -> tuple[Cell, ...]:
        """The four cells of half the size."""
        return tuple(
            Cell(self.size // 2, self.column * 2 + east, self.row * 2 + north) for east in (0, 1) for north in (0, 1)
        )

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees, JGD2011."""
        width, height = _WIDTH_S * (self.size // 250) / 3600, _HEIGHT_S * (self.size // 250) / 3600
        return self.column * width, self.row * height, (self.column + 1) * width, (self.row + 1) * height

    @property
    def sides_m(self) -> tuple[float, float]:
        """Its width and height in metres; the same for each place in it."""
        west, south, east, north = self.bounds
        return (east - west) * _METRES_PER_DEGREE * cos(radians((south + north) / 2)), (
            north - south
        ) * _METRES_PER_DEGREE


class Households:
    """How many households live in each cell, and in which quarter.

    Only those of the town are known: a cell across its border, or at the sea, counts what lives on our side.
    """

    def __init__(self, counts: Iterable[tuple[int, int, str, int]]) -> None:
        """Take (column, row, quarter, households) of cells of 250 m; quarter "" where the address names none."""
        self._cells: dict[Cell, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for column, row, quarter, households in counts:
            for size in _SIZES:
                times = size // 250
                self._cells[Cell(size, column // times, row // times)][normalise(quarter)] += households

    def count(self, cell: Cell, quarters: frozenset[str] = frozenset()) -> int:
        """Return how many live in a cell; with quarters only those who live in one of them, or nobody knows where."""
        found: Mapping[str, int] = self._cells.get(cell, {})
        return sum(count for name, count in found.items() if not quarters or not name or name in quarters)


def choose_cell(
    lon: float, lat: float, accuracy_m: float, place_name: str, households: Households, least: int = LEAST_HOUSEHOLDS
) -> Cell | None:
    """Return the smallest cell around a place that may be shown; None when not even 1 km may.

    Parameters
    ----------
    lon, lat : degrees, JGD2011. accuracy_m : radius within which it happened, metres; no finer cell is chosen.
    place_name : quarters (between ・) that the public reads beside the area: only who lives there counts.
    """
    quarters = _quarters(place_name)
    cell = Cell.of(lon, lat, 1000)
    if households.count(cell, quarters) < least or _reach_m(cell) < accuracy_m:
        return None
    for size in _SIZES[1:]:
        part = Cell.of(lon, lat, size)
        counts = [households.count(other, quarters) for other in cell.parts]
        hidden = [count for count in counts if 0 < count < least]
        is_telling = hidden and sum(hidden) < least
        if is_telling or households.count(part, quarters) < least or _reach_m(part) < accuracy_m:
            break
        cell = part
    return cell


@dataclass(frozen=True)
class PublicPlace:
    """What stands on the map.

    Attributes
    ----------
    geom : area as EWKB, EPSG:6668. accuracy_m : radius of a circle around its middle that covers it, whole metres.
    rule : `mesh_250`, `mesh_500`, `mesh_1000` (地域メッシュ, JIS X 0410), `quarter` (町字) or `town`.
    """

    geom: bytes
    accuracy_m: float
    rule: str


def public_place(
    connection: Connection, lon: float, lat: float, accuracy_m: float, town: Town, place_name: str = ""
) -> PublicPlace:
    """Return the smallest area around a place that gives nobody away and is no finer than the place.

    Every place of a cell gives the same, whoever asks and however often. Without addresses it is the whole town.
    Role: service.

    Parameters
    ----------
    lon, lat : degrees, JGD2011. accuracy_m : radius within which it happened, metres.
    place_name : quarters (between ・) that the public reads beside the area.
    """
    around = load_households(connection, Cell.of(lon, lat, 1000))
    cell = choose_cell(lon, lat, accuracy_m, place_name, around)
    if cell:
        return _of_cell(cell)
    return _wider(connection, lon, lat, accuracy_m, place_name, town)


def named_place(connection: Connection, place_name: str, town: Town) -> PublicPlace:
    """Return the area of quarters that are known by name only: theirs, else the town. Role: service."""
    names = [name for name in place_name.split("・") if name]
    row = connection.execute(_QUERIES["named_quarters"], {"names": names}).one() if names else None
    if row and row.geom is not None and row.known == len(names) and row.households >= LEAST_HOUSEHOLDS:
        return PublicPlace(bytes(row.geom), float(round(row.radius_m)), "quarter")
    return town_place(connection, town)


def town_place(connection: Connection, town: Town) -> PublicPlace:
    """Return the whole town: its boundary, or its extent where that is not loaded. Role: service."""
    min_lon, min_lat, max_lon, max_lat = town.bbox
    corners = {"min_lon": min_lon, "min_lat": min_lat, "max_lon": max_lon, "max_lat": max_lat}
    row = connection.execute(_QUERIES["town"], {"code": town.code, **corners}).one()
    return PublicPlace(bytes(row.geom), float(round(row.radius_m)), "town")


def load_households(connection: Connection, cell: Cell | None = None) -> Households:
    """Count the households of the town, or of one cell, by cells of 250 m. Role: service."""
    west, south, east, north = cell.bounds if cell else (-180.0, -90.0, 180.0, 90.0)
    box = {"west": west, "south": south, "east": east, "north": north, "width": _WIDTH_S, "height": _HEIGHT_S}
    return Households(tuple(row) for row in connection.execute(_QUERIES["households"], box))


def _wider(
    connection: Connection,
    lon: float,
    lat: float,
    accuracy_m: float,
    place_name: str,
    town: Town,
) -> PublicPlace:
    """Return the quarter around a place, if enough live in those of its parts that no cell shows; else the town."""
    rows = connection.execute(_QUERIES["quarters_around"], {"lon": lon, "lat": lat}).all()
    names = _quarters(place_name)
    households = load_households(connection) if rows else Households([])
    for row in rows:
        if row.reach_m < accuracy_m or (names and normalise(row.name) not in names):
            continue
        if sum(_left_over(row.cells, households, names)) >= LEAST_HOUSEHOLDS:
            return PublicPlace(bytes(row.geom), float(round(row.radius_m)), "quarter")
    return town_place(connection, town)


def _left_over(cells: Iterable[Mapping[str, Any]], households: Households, names: frozenset[str]) -> Iterator[int]:
    for cell in cells:
        if households.count(Cell(1000, cell["column"], cell["row"]), names) < LEAST_HOUSEHOLDS:
            yield cell["households"]


def _of_cell(cell: Cell) -> PublicPlace:
    area = shapely.set_srid(shapely.box(*cell.bounds, ccw=False), 6668)
    return PublicPlace(
        shapely.to_wkb(area, include_srid=True), float(round(hypot(*cell.sides_m) / 2)), f"mesh_{cell.size}"
    )


def _reach_m(cell: Cell) -> float:
    """Return the radius of a circle as large as the cell."""
    width_m, height_m = cell.sides_m
    return sqrt(width_m * height_m / pi)


def _quarters(place_name: str) -> frozenset[str]:
    return frozenset(normalise(name) for name in place_name.split("・") if name)
