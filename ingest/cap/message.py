"""Read one CAP message, of version 1.0, 1.1 or 1.2, from whoever wrote it and however exactly.

Reading is tolerant where the versions and their writers differ (order of elements, `Z`, empty elements) and strict
where a mistake could warn the wrong place: a polygon or circle that does not hold makes the message unreadable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import cos, pi

import shapely
from lxml import etree
from pyproj import Geod

from ingest.jma.xml import find_all, need, need_time, parse_xml, text_of, time_of
from ingest.reports import Unreadable

NAMESPACES = (
    "http://www.incident.com/cap/1.0",
    "urn:oasis:names:tc:emergency:cap:1.1",
    "urn:oasis:names:tc:emergency:cap:1.2",
)
_GEOD = Geod(ellps="WGS84")
_CIRCLE_SIDES = 72
# xml:lang default of CAP 1.2 §3.2.2: en-US.
_DEFAULT_LANGUAGE = "en-US"


@dataclass(frozen=True)
class Info:
    """One `info` block: the message in one language, or for one part of its area."""

    language: str
    event: str
    urgency: str
    severity: str
    certainty: str
    headline: str
    description: str
    instruction: str
    sender_name: str
    onset_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True)
class CapMessage:
    """One `alert` element.

    Attributes
    ----------
    references : (sender, identifier, sent) of each earlier message that it names; 1.0 and 1.1 write them alike.
    area : union of all polygons and circles of all infos, lon/lat in degrees, WGS 84; None when it has none.
    geocodes : (valueName, value) of all areas. area_text : what the areas are called.
    """

    identifier: str
    sender: str
    sent_at: datetime
    status: str
    msg_type: str
    scope: str
    references: tuple[tuple[str, str, str], ...]
    infos: tuple[Info, ...]
    area: shapely.Geometry | None
    geocodes: tuple[tuple[str, str], ...]
    area_text: str

    def info(self, languages: tuple[str, ...] = ("ja", "en")) -> Info | None:
        """Return the block in the first of these languages that there is, else the first block; None without any."""
        for language in languages:
            for info in self.infos:
                if info.language.lower().split("-")[0] == language:
                    return info
        return self.infos[0] if self.infos else None


def parse_message(body: bytes) -> CapMessage:
    """Read a CAP document.

    Raises
    ------
    Unreadable : no XML, no CAP, a DTD, a missing or malformed element; the reason names it by its path.
    """
    return read_message(parse_xml(body))


def read_message(root: etree._Element) -> CapMessage:
    """Read an `alert` element, also one that stands inside a feed's entry."""
    name = etree.QName(root)
    if name.localname != "alert" or name.namespace not in NAMESPACES:
        raise Unreadable(f"the document is no CAP 1.0, 1.1 or 1.2 message: its root is {name.text}")
    areas = find_all(root, "info/area")
    shapes = [shape for area in areas for shape in _shapes(area)]
    return CapMessage(
        identifier=_word(root, "identifier"),
        sender=_word(root, "sender"),
        sent_at=need_time(root, "sent"),
        status=need(root, "status"),
        msg_type=need(root, "msgType"),
        # CAP 1.0 has no Draft and may leave the scope out: then it is for everybody.
        scope=text_of(root, "scope") or "Public",
        references=tuple(_reference(part) for part in text_of(root, "references").split()),
        infos=tuple(_info(element) for element in find_all(root, "info")),
        area=shapely.union_all(shapes) if shapes else None,
        geocodes=tuple(code for area in areas for code in _geocodes(area)),
        area_text="、".join(dict.fromkeys(text for area in areas if (text := text_of(area, "areaDesc")))),
    )


def _word(root: etree._Element, path: str) -> str:
    """Identifier and sender must hold neither spaces, commas, `<` nor `&` (§3.2.1): references could not name them."""
    value = need(root, path)
    if any(character.isspace() or character in ",<&" for character in value):
        raise Unreadable(f"alert/{path} holds a space, a comma, < or &: {value!r}")
    return value


def _reference(part: str) -> tuple[str, str, str]:
    pieces = part.split(",")
    if len(pieces) != 3:
        raise Unreadable(f"alert/references: {part!r} is not sender,identifier,sent")
    return pieces[0], pieces[1], pieces[2]


def _info(element: etree._Element) -> Info:
    return Info(
        language=text_of(element, "language") or _DEFAULT_LANGUAGE,
        event=need(element, "event"),
        urgency=text_of(element, "urgency") or "Unknown",
        severity=text_of(element, "severity") or "Unknown",
        certainty=text_of(element, "certainty") or "Unknown",
        headline=text_of(element, "headline"),
        description=text_of(element, "description"),
        instruction=text_of(element, "instruction"),
        sender_name=text_of(element, "senderName"),
        onset_at=time_of(element, "onset"),
        expires_at=time_of(element, "expires"),
    )


def _geocodes(area: etree._Element) -> list[tuple[str, str]]:
    """1.1 and 1.2 write valueName and value; 1.0 writes `name=value` as text."""
    found = []
    for code in find_all(area, "geocode"):
        if len(code):
            found.append((text_of(code, "valueName"), text_of(code, "value")))
        else:
            name, _, value = (code.text or "").strip().partition("=")
            found.append((name, value))
    return found


def _shapes(area: etree._Element) -> list[shapely.Geometry]:
    polygons = [_polygon(text) for element in find_all(area, "polygon") if (text := (element.text or "").strip())]
    circles = [_circle(text) for element in find_all(area, "circle") if (text := (element.text or "").strip())]
    return [*polygons, *circles]


def _polygon(text: str) -> shapely.Geometry:
    """Pairs are `lat,lon` (§3.2.4), the first repeated at the end; a ring left open is closed."""
    pairs = [_position(pair) for pair in text.split()]
    if pairs and pairs[0] != pairs[-1]:
        pairs.append(pairs[0])
    if len(pairs) < 4:
        raise Unreadable(f"alert/info/area/polygon has {len(pairs)} positions; at least four are needed")
    polygon = shapely.Polygon(pairs)
    if not polygon.is_valid:
        # What crosses itself still means the ground that it goes around.
        polygon = shapely.make_valid(polygon, method="structure", keep_collapsed=False)
    if polygon.is_empty:
        raise Unreadable("alert/info/area/polygon encloses nothing")
    return polygon


def _circle(text: str) -> shapely.Geometry:
    """`lat,lon radius`, the radius in kilometres; drawn on the ellipsoid, around what it means."""
    position, _, radius = text.partition(" ")
    lon, lat = _position(position)
    try:
        radius_m = float(radius) * 1000
    except ValueError as error:
        raise Unreadable(f"alert/info/area/circle: {text!r} has no radius") from error
    if not 0 <= radius_m <= 20_000_000:
        raise Unreadable(f"alert/info/area/circle: a radius of {radius} km is none")
    if radius_m == 0:
        return shapely.Point(lon, lat)
    # Corners stand a little outside, so that the sides touch the circle and never cut it.
    outer_m = radius_m / cos(pi / _CIRCLE_SIDES)
    bearings = [360 / _CIRCLE_SIDES * side for side in range(_CIRCLE_SIDES)]
    lons, lats, _ = _GEOD.fwd([lon] * _CIRCLE_SIDES, [lat] * _CIRCLE_SIDES, bearings, [outer_m] * _CIRCLE_SIDES)
    return shapely.Polygon(list(zip(lons, lats, strict=True)))


def _position(pair: str) -> tuple[float, float]:
    parts = pair.split(",")
    try:
        lat, lon = (float(part) for part in parts)
    except ValueError as error:
        raise Unreadable(f"alert/info/area: {pair!r} is no position (lat,lon)") from error
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        guess = " – are longitude and latitude in the wrong order?" if abs(lat) > 90 >= abs(lon) else ""
        raise Unreadable(f"alert/info/area: {pair!r} lies beyond the earth{guess}")
    return lon, lat
