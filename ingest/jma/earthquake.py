"""The bodies of the earthquake telegrams VXSE51, VXSE52, VXSE53 and VXSE61."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from ingest.jma.quantities import Position, parse_coordinates, parse_intensity, parse_number
from ingest.jma.xml import find, find_all, need, need_element, text_of, time_of


@dataclass(frozen=True)
class Hypocenter:
    """震源要素: where, how deep, how strong.

    Attributes
    ----------
    magnitude : None when unknown; then `magnitude_text` says it in words (Ｍ８を超える巨大地震).
    """

    name: str
    position: Position | None
    origin_at: datetime | None
    magnitude: float | None
    magnitude_text: str


@dataclass(frozen=True)
class Intensity:
    """Seismic intensity of one area: a code of JMA, or None; `is_missing`: a value of 5- or more has not come in."""

    code: str | None
    is_missing: bool


@dataclass(frozen=True)
class Shaking:
    """震度: the strongest anywhere, by area (細分区域) code and by city (市町村等) code."""

    strongest: str | None
    areas: dict[str, Intensity]
    cities: dict[str, Intensity]


@dataclass(frozen=True)
class EarthquakeBody:
    """What an earthquake telegram says; VXSE51 has no hypocentre, VXSE52 and VXSE61 no intensities."""

    hypocenter: Hypocenter | None
    shaking: Shaking | None


_NEEDED = {"VXSE51": "Intensity/Observation", "VXSE52": "Earthquake", "VXSE53": "Earthquake", "VXSE61": "Earthquake"}


def parse_earthquake(body: etree._Element, code: str) -> EarthquakeBody:
    """Read the `Body` of an earthquake telegram.

    Raises
    ------
    Unreadable : what this kind of telegram must have is missing, with its path.
    """
    need_element(body, _NEEDED[code])
    observation = find(body, "Intensity/Observation")
    return EarthquakeBody(
        hypocenter=parse_hypocenter(body), shaking=None if observation is None else _parse_shaking(observation)
    )


def parse_hypocenter(body: etree._Element) -> Hypocenter | None:
    """Read the first `Earthquake` (of several, the one that began the event); None when there is none."""
    quake = find(body, "Earthquake")
    if quake is None:
        return None
    area = need_element(quake, "Hypocenter/Area")
    magnitude = need_element(quake, "Magnitude")
    return Hypocenter(
        name=need(area, "Name"),
        position=parse_coordinates(find_all(area, "Coordinate")),
        origin_at=time_of(quake, "OriginTime"),
        magnitude=parse_number(magnitude),
        magnitude_text=magnitude.get("description", "").strip(),
    )


def _parse_shaking(observation: etree._Element) -> Shaking:
    strongest, _ = parse_intensity(observation)
    return Shaking(
        strongest=strongest,
        areas={need(area, "Code"): _intensity(area) for area in find_all(observation, "Pref/Area")},
        cities={need(city, "Code"): _intensity(city) for city in find_all(observation, "Pref/Area/City")},
    )


def _intensity(place: etree._Element) -> Intensity:
    code, is_missing = parse_intensity(place)
    # The city's Condition says the same beside a MaxInt of its other stations.
    return Intensity(code, is_missing or "未入電" in text_of(place, "Condition"))
