"""The body of 長周期地震動に関する観測情報 (VXSE62): how strongly high buildings swayed, by area."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from ingest.jma.xml import find_all, need, need_element, text_of


@dataclass(frozen=True)
class LongPeriodBody:
    """長周期地震動階級 (0–4, as text): the highest anywhere, and by area (細分区域) code."""

    strongest: str
    areas: dict[str, str]


def parse_long_period(body: etree._Element) -> LongPeriodBody:
    """Read a VXSE62; `Unreadable` when it has no observation."""
    observation = need_element(body, "Intensity/Observation")
    areas = {need(area, "Code"): text_of(area, "MaxLgInt") for area in find_all(observation, "Pref/Area")}
    return LongPeriodBody(text_of(observation, "MaxLgInt"), {code: value for code, value in areas.items() if value})
