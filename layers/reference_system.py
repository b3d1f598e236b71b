"""Which coordinate reference systems may come in and go out, and how.

Features are stored in JGD2011 (EPSG:6668). Its coordinates and those of WGS 84 are taken as the same:
both follow the ITRF, and the difference is below what a map shows (docs/decisions). JGD2000 and Tokyo
Datum differ by metres to hundreds of metres and need GSI's grids, so they are refused: without the grids
PROJ answers with a null shift and says nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from shapely.geometry.base import BaseGeometry

from gis.errors import UsageError

STORED_EPSG = 6668
_CURRENT_DATUMS = ("Japanese Geodetic Datum 2011", "World Geodetic System 1984")
_OLDER_DATUMS = {"Japanese Geodetic Datum 2000": "JGD2000 (世界測地系2000)", "Tokyo": "Tokyo Datum (日本測地系)"}


class OlderDatumError(UsageError):
    """Something is in JGD2000 or Tokyo Datum, which must not be taken for JGD2011."""


def parse_crs(written: str) -> CRS:
    """Read what a person wrote for `--crs`, e.g. `EPSG:6678`.

    Raises
    ------
    UsageError : PROJ does not know it.
    """
    try:
        return CRS.from_user_input(written)
    except CRSError as error:
        raise UsageError(
            "%(written)r is no coordinate reference system.",
            "Write it as EPSG:6668 or, for the plane zone X, EPSG:6678.",
            written=written,
        ) from error


def require_current_datum(crs: CRS, where: str) -> None:
    """Refuse every datum but JGD2011 and WGS 84.

    Raises
    ------
    OlderDatumError : it is JGD2000 or Tokyo Datum.
    UsageError : naming `where`, the datum, and what to do.
    """
    datum = _datum_name(crs)
    if datum.startswith(_CURRENT_DATUMS):
        return
    older = next((title for name, title in _OLDER_DATUMS.items() if datum.startswith(name)), None)
    if older:
        raise OlderDatumError(
            "%(where)s is in %(older)s: its positions differ from ours by metres to hundreds of metres.",
            "Convert it with GSI's correction (TKY2JGD, PatchJGD) to JGD2011 first; it is never shifted silently.",
            where=where,
            older=older,
        )
    raise UsageError(
        "%(where)s is in a reference system we cannot place: %(crs)s (datum %(datum)s).",
        "Convert it to JGD2011 (EPSG:6668, or a plane zone EPSG:6669-6687) or WGS 84; --crs if the file is wrong.",
        where=where,
        crs=crs.name,
        datum=datum,
    )


def to_stored(crs: CRS) -> Callable[[BaseGeometry], BaseGeometry]:
    """Return the function that carries geometries (x/y, lon/lat order) from `crs` to degrees in EPSG:6668."""
    return _carrier(crs, is_incoming=True)


def from_stored(crs: CRS) -> Callable[[BaseGeometry], BaseGeometry]:
    """Return the function that carries geometries in EPSG:6668 to `crs` (x/y, lon/lat order)."""
    return _carrier(crs, is_incoming=False)


def _carrier(crs: CRS, is_incoming: bool) -> Callable[[BaseGeometry], BaseGeometry]:
    if crs.is_geographic:
        return lambda geometry: geometry
    # The projection alone: both ends on the datum of `crs`, so that PROJ looks for no datum shift.
    geographic = crs.geodetic_crs
    start, end = (crs, geographic) if is_incoming else (geographic, crs)
    transformer = Transformer.from_crs(start, end, always_xy=True)
    return lambda geometry: shapely.transform(geometry, transformer.transform, interleaved=False)


def _datum_name(crs: CRS) -> str:
    geodetic = crs.geodetic_crs
    if geodetic is None:
        return "unknown"
    name = geodetic.datum.name if geodetic.datum else geodetic.name
    known = {
        "D_JGD_2011": _CURRENT_DATUMS[0],
        "D_WGS_1984": _CURRENT_DATUMS[1],
        "D_JGD_2000": "Japanese Geodetic Datum 2000",
    }
    return known.get(name, name)
