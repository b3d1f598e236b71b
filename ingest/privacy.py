"""Where the public sees an incident that concerns persons: an area that many households share, never the place."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from gis.queries import load_queries
from gis.town import Town

_QUERIES = load_queries(__file__)
# 総務省 and police practice publish persons' incidents by 町丁目; eight households is this installation's floor.
LEAST_HOUSEHOLDS = 8


@dataclass(frozen=True)
class PublicPlace:
    """What stands on the map.

    Attributes
    ----------
    geom : area as EWKB, EPSG:6668. accuracy_m : radius of a circle around its middle that covers it.
    rule : `mesh_250`, `mesh_500`, `mesh_1000` (地域メッシュ, JIS X 0410), `quarter` (町字) or `town`.
    """

    geom: bytes
    accuracy_m: float
    rule: str


def public_place(connection: Connection, lon: float, lat: float, accuracy_m: float, town: Town) -> PublicPlace:
    """Return the smallest area around a place that holds at least `LEAST_HOUSEHOLDS` and is no finer than the place.

    The same place gives the same area, whoever asks and however often. Without addresses it is the whole town.
    Role: service.

    Parameters
    ----------
    lon, lat : degrees, JGD2011. accuracy_m : radius within which it happened, metres.
    """
    min_lon, min_lat, max_lon, max_lat = town.bbox
    row = connection.execute(
        _QUERIES["public_place"],
        {
            "lon": lon,
            "lat": lat,
            "accuracy_m": accuracy_m,
            "least": LEAST_HOUSEHOLDS,
            "code": town.code,
            "min_lon": min_lon,
            "min_lat": min_lat,
            "max_lon": max_lon,
            "max_lat": max_lat,
        },
    ).one()
    return PublicPlace(bytes(row.geom), float(row.accuracy_m), str(row.rule))
