"""Vector tiles (Mapbox Vector Tile 2.1), drawn from the layers' own tables.

A tile of zoom 10 or deeper is a rectangle of degrees in which EPSG:3857 is a straight line to within a fifth of a
pixel, so degrees go to tile units without a projection. Wider tiles are projected point by point.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from psycopg import sql
from sqlalchemy import Connection

from gis.queries import load_queries
from layers.catalogue import UnknownLayerError, find_layer, may_read
from layers.copying import driver
from layers.definition import Definition
from layers.drawn import drawn_condition

_QUERIES = load_queries(__file__)
_EXTENT = 4096
_BUFFER = 64  # in tile units: lines and symbols at an edge are drawn by both neighbours
# Inside a tile of a height of h radians Mercator leaves the straight line by sin(latitude) * h / 8 of that height: at
# zoom 10 and 38 degrees north 2 of 4096 units, 3 at most anywhere, and half as many with each zoom further.
_STRAIGHT_ZOOM = 10
# A quarter of a pixel on a 256 pixel tile: what simplification may move.
_STEPS_PER_TILE = 1024
_FULL_DETAIL_ZOOM = 15


def tile_bounds(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    """Return (west, south, east, north) of a tile, degrees.

    Examples
    --------
    >>> tile_bounds(1, 1, 0)
    (0.0, 0.0, 180.0, 85.0511287798066)
    """
    return _longitude(x / 2**z), _latitude((y + 1) / 2**z), _longitude((x + 1) / 2**z), _latitude(y / 2**z)


def render_tile(connection: Connection, layer: str, z: int, x: int, y: int) -> bytes:
    """Return one tile of a layer; b"" where nothing is drawn.

    A public layer is drawn from `open.<layer>` whoever asks; an internal one from its table, for roles that may
    read it. Feature ids are the fids; properties are the drawn attributes.

    Raises
    ------
    UnknownLayerError : there is no such layer, or the role may not see it.
    """
    definition = find_layer(connection, layer)
    if not may_read(connection, definition):
        raise UnknownLayerError("There is no layer %(layer)r.", layer=layer)
    if z < definition.style.min_zoom:
        return b""
    table = sql.Identifier("open" if definition.is_public else "layers", definition.name)
    source = standing(table) + drawn_condition(definition)
    return draw(connection, definition, source, drawn_columns(definition), z, x, y)


def drawn_columns(definition: Definition) -> list[str]:
    """Return the names of the attributes that a tile of the layer shows."""
    return [a.name for a in definition.drawn_attributes if a.public or not definition.is_public]


def standing(table: sql.Composable) -> sql.Composed:
    """Return the source of a tile: what stands in a table, inside the tile's box."""
    return sql.SQL(_QUERIES.sql("standing")).format(table=table, box=box())


def box() -> sql.SQL:
    """Return the box of what a tile may show, in EPSG:6668: for the source given to `draw`."""
    return sql.SQL(_QUERIES.sql("box"))


def draw(
    connection: Connection,
    definition: Definition,
    source: sql.Composable,
    columns: Iterable[str],
    z: int,
    x: int,
    y: int,
    **values: object,
) -> bytes:
    """Return the tile of what `source` (what stands behind FROM) has in the tile's box; b"" where that is nothing.

    Parameters
    ----------
    source : has the columns fid and geom (EPSG:6668) and the further `columns`; may use `box()` and named `values`.
    """
    query = sql.SQL(_QUERIES.sql("tile")).format(
        geom=_geometry(definition, z),
        columns=sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(name)) for name in columns),
        source=source,
    )
    cursor = driver(connection).execute(query, {"layer": definition.name, **_places(z, x, y), **values})
    ((tile,),) = cursor.fetchall()
    return bytes(tile)


def _geometry(definition: Definition, z: int) -> sql.Composed:
    is_simplified = z < _FULL_DETAIL_ZOOM and definition.geometry not in ("Point", "MultiPoint")
    shape = sql.SQL("ST_Simplify(geom, %(tolerance)s, true)" if is_simplified else "geom")
    return sql.SQL(_QUERIES.sql("straight" if z >= _STRAIGHT_ZOOM else "projected")).format(shape=shape)


def _places(z: int, x: int, y: int) -> dict[str, float]:
    """Return the tile's edges (degrees, or metres where it is projected), its box with a margin, and the tolerance."""
    margin = _BUFFER / _EXTENT / 2**z
    west, south, east, north = tile_bounds(z, x, y)
    edges = (west, south, east, north) if z >= _STRAIGHT_ZOOM else (*_metres(west, south), *_metres(east, north))
    return {
        **dict(zip(("left", "bottom", "right", "top"), edges, strict=True)),
        "west": _longitude(x / 2**z - margin),
        "south": _latitude((y + 1) / 2**z + margin),
        "east": _longitude((x + 1) / 2**z + margin),
        "north": _latitude(y / 2**z - margin),
        "tolerance": (north - south) / _STEPS_PER_TILE,
    }


def _longitude(across: float) -> float:
    """Longitude of a share of the world's width; beyond the date line it goes on counting."""
    return across * 360 - 180


def _latitude(down: float) -> float:
    """Latitude of a share of the height of Mercator's square world, from the north."""
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * down))))


def _metres(lon: float, lat: float) -> tuple[float, float]:
    """EPSG:3857 of a position on its sphere."""
    earth_radius_m = 6378137.0
    return earth_radius_m * math.radians(lon), earth_radius_m * math.asinh(math.tan(math.radians(lat)))
