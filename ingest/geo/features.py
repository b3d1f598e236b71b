"""GeoJSON (RFC 7946) and GeoRSS (Simple, GML, W3C Geo) as the same thing: features with properties and a geometry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
import shapely
from lxml import etree

from ingest.jma.xml import find_all, parse_xml
from ingest.reports import Unreadable

_GEORSS = "{http://www.georss.org/georss}"
_GML = "{http://www.opengis.net/gml}"
_W3C = "{http://www.w3.org/2003/01/geo/wgs84_pos#}"
_ATOM = "{http://www.w3.org/2005/Atom}"


@dataclass(frozen=True)
class Feature:
    """One feature as it came.

    Attributes
    ----------
    properties : GeoJSON's feature as it is (paths begin with `properties.` or `id`); of GeoRSS the elements' texts by
        local name. geometry : lon/lat in degrees, WGS 84; None without position.
    """

    properties: dict[str, Any]
    geometry: shapely.Geometry | None
    problem: str = ""


def read_features(body: bytes) -> list[Feature]:
    """Read a feed of either form.

    Raises
    ------
    Unreadable : neither a FeatureCollection nor RSS or Atom.
    """
    if body.lstrip()[:1] in (b"{", b"["):
        return _read_geojson(body)
    return _read_georss(body)


def is_whole_list(body: bytes) -> bool:
    """Whether a feed that `read_features` reads holds features, and is not one page of several (OGC API, RFC 5005)."""
    if body.lstrip()[:1] == b"{":
        document = orjson.loads(body)
        links, matched, returned = document.get("links"), document.get("numberMatched"), len(document["features"])
        has_next = isinstance(links, list) and any(isinstance(x, dict) and x.get("rel") == "next" for x in links)
        return returned > 0 and not has_next and not (isinstance(matched, int) and matched > returned)
    root = parse_xml(body)
    is_part = any(link.get("rel") == "next" for link in root.iter(f"{_ATOM}link"))
    return bool(read_features(body)) and not is_part


def _read_geojson(body: bytes) -> list[Feature]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"the document is not JSON in UTF-8: {error}") from error
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise Unreadable("the document is no GeoJSON FeatureCollection")
    features = document.get("features")
    if not isinstance(features, list):
        raise Unreadable("the FeatureCollection has no list of features")
    return [_feature(entry) for entry in features]


def _feature(entry: Any) -> Feature:
    if not isinstance(entry, dict):
        return Feature({}, None, "a feature is no object")
    geometry = entry.get("geometry")
    if geometry is None:
        return Feature(entry, None)
    try:
        shape = shapely.from_geojson(orjson.dumps(geometry))
        return Feature(entry, *_checked(shape))
    except (shapely.errors.GEOSException, ValueError, TypeError) as error:
        return Feature(entry, None, f"the geometry is not read: {error}")


def _checked(shape: shapely.Geometry) -> tuple[shapely.Geometry | None, str]:
    if shape.is_empty:
        return None, ""
    flat = shapely.force_2d(shape)
    west, south, east, north = flat.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        swapped = " – are longitude and latitude in the wrong order?" if max(south, north) > 90 and west >= -90 else ""
        return None, f"the position {west:g}, {south:g} is not in degrees{swapped}"
    return (flat if flat.is_valid else shapely.make_valid(flat)), ""


def _read_georss(body: bytes) -> list[Feature]:
    root = parse_xml(body)
    items = [*find_all(root, "channel/item"), *find_all(root, "item"), *root.findall(f"{_ATOM}entry")]
    if etree.QName(root).localname not in ("rss", "RDF", "feed"):
        raise Unreadable(f"the document is no feed: its root is {etree.QName(root).localname}")
    return [_item(item) for item in items]


def _item(item: etree._Element) -> Feature:
    properties: dict[str, Any] = {}
    for element in item.iter():
        if element is item or not isinstance(element.tag, str):
            continue
        name, words = etree.QName(element).localname, (element.text or "").strip()
        if name == "link" and element.get("href"):
            words = str(element.get("href"))
        if name == "category" and element.get("term"):
            words = str(element.get("term"))
        properties.setdefault(name, words)
    try:
        shape = _georss_shape(item)
    except (ValueError, shapely.errors.GEOSException) as error:
        return Feature(properties, None, f"the position is not read: {error}")
    if shape is None:
        return Feature(properties, None)
    return Feature(properties, *_checked(shape))


def _georss_shape(item: etree._Element) -> shapely.Geometry | None:
    """GeoRSS writes latitude first; W3C Geo has an element for each."""
    lat, lon = item.findtext(f".//{_W3C}lat"), item.findtext(f".//{_W3C}long")
    if lat and lon:
        return shapely.Point(float(lon), float(lat))
    for names, make in (
        ((f"{_GEORSS}point", f"{_GML}pos"), lambda pairs: shapely.Point(pairs[0])),
        ((f"{_GEORSS}polygon", f"{_GML}exterior//{_GML}posList"), shapely.Polygon),
        ((f"{_GEORSS}line", f"{_GML}posList"), shapely.LineString),
        ((f"{_GEORSS}box",), lambda pairs: shapely.box(*pairs[0], *pairs[1])),
    ):
        for name in names:
            words = item.findtext(f".//{name}")
            if words:
                return make(_pairs(words))
    return None


def _pairs(words: str) -> list[tuple[float, float]]:
    numbers = [float(number) for number in words.replace(",", " ").split()]
    if len(numbers) % 2 or not numbers:
        raise ValueError(f"{len(numbers)} numbers are no pairs of latitude and longitude")
    return [(lon, lat) for lat, lon in zip(numbers[::2], numbers[1::2], strict=True)]
