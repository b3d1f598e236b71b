"""Writes a layer into a file for others: GeoJSON, GeoPackage, Shapefile, FlatGeobuf or CSV."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas
import pyogrio
import shapely
from pyogrio.errors import DataSourceError, FeatureError, FieldError, GeometryError
from pyproj import CRS
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, func, select

from gis.errors import UsageError
from layers.definition import Definition
from layers.metadata import layer_table
from layers.reference_system import STORED_EPSG, from_stored, parse_crs, require_current_datum

_DRIVERS = {
    ".geojson": "GeoJSON",
    ".gpkg": "GPKG",
    ".shp": "ESRI Shapefile",
    ".fgb": "FlatGeobuf",
    ".csv": "CSV",
}
# Who of the office edited stays in the house.
_SYSTEM_COLUMNS = ("fid", "version", "created_at", "updated_at")


def export_layer(
    connection: Connection,
    definition: Definition,
    path: Path,
    crs: str | None = None,
    bbox: tuple[float, float, float, float] | None = None,
) -> int:
    """Write a layer's features and return how many; personal attributes never leave this way.

    Parameters
    ----------
    path : its ending decides the format. crs : e.g. `EPSG:6678`; default: EPSG:6668, for GeoJSON CRS84 (RFC 7946).
    bbox : (min lon, min lat, max lon, max lat) in degrees; features that meet it.

    Raises
    ------
    UsageError : unknown ending, a reference system we cannot place, a CSV of lines or areas, or no way to write there.
    """
    suffix = path.suffix.lower()
    if suffix not in _DRIVERS:
        raise UsageError(
            "%(file)s: the ending %(suffix)r is no format we write.",
            "Use one of %(known)s.",
            file=path.name,
            suffix=suffix,
            known=", ".join(_DRIVERS),
        )
    target = _target(suffix, crs)
    names, rows = _read_rows(connection, definition, bbox)
    carry = from_stored(target)
    geometries = [None if row[0] is None else carry(shapely.from_wkb(bytes(row[0]))) for row in rows]
    headers = _short_names(names) if suffix == ".shp" else names
    columns = {header: [_moment_as(suffix, row[place]) for row in rows] for place, header in enumerate(headers, 1)}
    if suffix == ".csv":
        columns |= _positions(definition, geometries)
    _write(path, _DRIVERS[suffix], columns, geometries, target)
    return len(rows)


def _target(suffix: str, crs: str | None) -> CRS:
    if crs is None:
        return CRS.from_user_input("OGC:CRS84") if suffix == ".geojson" else CRS.from_epsg(STORED_EPSG)
    target = parse_crs(crs)
    require_current_datum(target, f"--crs {crs}")
    return target


def _read_rows(
    connection: Connection, definition: Definition, bbox: tuple[float, float, float, float] | None
) -> tuple[list[str], list[tuple[Any, ...]]]:
    table = layer_table(definition)
    names = [*_SYSTEM_COLUMNS, *(attribute.name for attribute in definition.table_attributes)]
    query = select(func.ST_AsBinary(table.c.geom), *(table.c[name] for name in names)).order_by(table.c.fid)
    if bbox is not None:
        query = query.where(func.ST_Intersects(table.c.geom, func.ST_MakeEnvelope(*bbox, STORED_EPSG)))
    return names, [tuple(row) for row in connection.execute(query)]


def _positions(definition: Definition, geometries: list[BaseGeometry | None]) -> dict[str, list[float | None]]:
    if definition.geometry != "Point":
        raise UsageError(
            "The layer %(layer)s is no layer of points, so it has no CSV.",
            "Export .gpkg or .geojson.",
            layer=definition.name,
        )
    return {
        "経度": [None if point is None else point.x for point in geometries],
        "緯度": [None if point is None else point.y for point in geometries],
    }


def _write(
    path: Path, driver_name: str, columns: dict[str, list[Any]], geometries: list[BaseGeometry | None], target: CRS
) -> None:
    try:
        if driver_name == "CSV":
            geopandas.pd.DataFrame(columns).to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\r\n")
            return
        frame = geopandas.GeoDataFrame(columns, geometry=geometries, crs=target)
        options = {"encoding": "UTF-8"} if driver_name == "ESRI Shapefile" else {}
        pyogrio.write_dataframe(frame, path, driver=driver_name, **options)
    except (OSError, DataSourceError, FeatureError, FieldError, GeometryError) as error:
        raise UsageError(
            "%(path)s cannot be written: %(error)s", "Check the folder and the free space.", path=path, error=error
        ) from error


def _moment_as(suffix: str, value: Any) -> Any:
    """A time as the format can say it: Shapefile and CSV as text, GeoPackage and FlatGeobuf in UTC."""
    if not isinstance(value, datetime):
        return value
    if suffix in (".csv", ".shp"):
        return value.isoformat()
    return value.astimezone(UTC) if suffix in (".gpkg", ".fgb") else value


def _short_names(names: list[str]) -> list[str]:
    """Names of ten bytes, as a Shapefile has them; the second `same_as_si` becomes `same_as_s2`."""
    made: list[str] = []
    for name in names:
        short = name[:10]
        while short in made:
            short = f"{name[:9]}{int(short[9]) + 1 if short[9:].isdigit() else 2}"
        made.append(short)
    return made
