"""The bodies of the tsunami telegrams VTSE41, VTSE51 and VTSE52."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from lxml import etree

from ingest.jma.earthquake import Hypocenter, parse_hypocenter
from ingest.jma.quantities import Height, parse_height
from ingest.jma.xml import find, find_all, need, need_element, path_of, text_of, time_of
from ingest.reports import Unreadable

TsunamiClass = Literal["major_warning", "warning", "advisory", "forecast", "none"]

# コード管理表「警報等情報要素／津波警報・注意報・予報」
_CLASSES: dict[str, TsunamiClass] = {
    "52": "major_warning",
    "53": "major_warning",
    "51": "warning",
    "62": "advisory",
    "71": "forecast",
    "72": "forecast",
    "73": "forecast",
    "00": "none",
    "50": "none",
    "60": "none",
}
# For a code that the table does not have: the first word that the name holds decides.
_CLASS_WORDS: tuple[tuple[str, TsunamiClass], ...] = (
    ("解除", "none"),
    ("津波なし", "none"),
    ("大津波警報", "major_warning"),
    ("津波警報", "warning"),
    ("津波注意報", "advisory"),
    ("津波予報", "forecast"),
)


@dataclass(frozen=True)
class AreaForecast:
    """What is expected on one stretch of coast (津波予報区).

    Attributes
    ----------
    class_name, last_class : the class as JMA names it; the class before this telegram (None: not said).
    arrival_at, arrival_text : expected first arrival, or words (津波到達中と推測, 第１波の到達を確認).
    """

    code: str
    name: str
    tsunami_class: TsunamiClass
    class_name: str
    last_class: TsunamiClass | None
    arrival_at: datetime | None
    arrival_text: str
    height: Height


@dataclass(frozen=True)
class Observation:
    """What one tide gauge has seen; `area_code` is "" for gauges off the coast (沖合)."""

    area_code: str
    station: str
    station_code: str
    arrival_at: datetime | None
    initial: str
    height: Height
    height_at: datetime | None
    condition: str


@dataclass(frozen=True)
class Estimation:
    """What the gauges off the coast mean for one stretch of coast (VTSE52)."""

    area_code: str
    arrival_at: datetime | None
    arrival_text: str
    height: Height


@dataclass(frozen=True)
class TsunamiBody:
    """What a tsunami telegram says, of every area in it."""

    forecasts: tuple[AreaForecast, ...]
    observations: tuple[Observation, ...]
    estimations: tuple[Estimation, ...]
    hypocenter: Hypocenter | None


def parse_tsunami(body: etree._Element, code: str) -> TsunamiBody:
    """Read the `Body` of a tsunami telegram.

    Raises
    ------
    Unreadable : what this kind of telegram must have is missing, or a class is none that we know.
    """
    tsunami = need_element(body, "Tsunami")
    if code == "VTSE41":
        need_element(tsunami, "Forecast/Item")
    return TsunamiBody(
        forecasts=tuple(_parse_forecast(item) for item in find_all(tsunami, "Forecast/Item")),
        observations=tuple(
            _parse_station(text_of(item, "Area/Code"), station)
            for item in find_all(tsunami, "Observation/Item")
            for station in find_all(item, "Station")
        ),
        estimations=tuple(_parse_estimation(item) for item in find_all(tsunami, "Estimation/Item")),
        hypocenter=parse_hypocenter(body),
    )


def tsunami_class(kind: etree._Element) -> TsunamiClass:
    """Return the class of a Kind or LastKind: by its code, by its name when the code is new.

    Raises
    ------
    Unreadable : neither is known. A class is never guessed to be "none".
    """
    code, name = text_of(kind, "Code"), text_of(kind, "Name")
    if code in _CLASSES:
        return _CLASSES[code]
    for word, known in _CLASS_WORDS:
        if word in name:
            return known
    raise Unreadable(f"{path_of(kind)}: the tsunami class {name!r} with code {code!r} is not known")


def _parse_forecast(item: etree._Element) -> AreaForecast:
    kind = need_element(item, "Category/Kind")
    last = find(item, "Category/LastKind")
    return AreaForecast(
        code=need(item, "Area/Code"),
        name=need(item, "Area/Name"),
        tsunami_class=tsunami_class(kind),
        class_name=text_of(kind, "Name").partition("：")[0],
        last_class=None if last is None else tsunami_class(last),
        arrival_at=time_of(item, "FirstHeight/ArrivalTime"),
        arrival_text=text_of(item, "FirstHeight/Condition"),
        height=parse_height(find(item, "MaxHeight/TsunamiHeight")),
    )


def _parse_station(area_code: str, station: etree._Element) -> Observation:
    return Observation(
        area_code=area_code,
        station=need(station, "Name"),
        station_code=need(station, "Code"),
        arrival_at=time_of(station, "FirstHeight/ArrivalTime"),
        initial=text_of(station, "FirstHeight/Initial"),
        height=parse_height(find(station, "MaxHeight/TsunamiHeight")),
        height_at=time_of(station, "MaxHeight/DateTime"),
        condition=text_of(station, "MaxHeight/Condition") or text_of(station, "FirstHeight/Condition"),
    )


def _parse_estimation(item: etree._Element) -> Estimation:
    return Estimation(
        area_code=need(item, "Area/Code"),
        arrival_at=time_of(item, "FirstHeight/ArrivalTime"),
        arrival_text=text_of(item, "FirstHeight/Condition"),
        height=parse_height(find(item, "MaxHeight/TsunamiHeight")),
    )
