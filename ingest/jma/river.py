"""The body of 指定河川洪水予報 (VXKO50–89, one title): a stretch of river and the level of its flood forecast."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from ingest.jma.levels import named_level
from ingest.jma.xml import find_all, need, need_element, text_of
from ingest.reports import Unreadable

_HIGHEST_LEVEL = 5


@dataclass(frozen=True)
class RiverBody:
    """A flood forecast.

    Attributes
    ----------
    region, region_code : 予報区域, e.g. 鳴瀬川・吉田川.
    kind_name : e.g. 氾濫警戒情報.
    level : 1–5; 0 when lifted.
    rivers : names of the rivers spoken of.
    city_codes : municipalities where flooding is expected; JMA's seven digits.
    sentences : 主文, one per gauge.
    """

    region: str
    region_code: str
    kind_name: str
    kind_code: str
    condition: str
    level: int
    rivers: tuple[str, ...]
    city_codes: frozenset[str]
    sentences: tuple[str, ...]


def parse_river(head: etree._Element, body: etree._Element) -> RiverBody:
    """Read a flood forecast.

    Raises
    ------
    Unreadable : the forecast region or its kind is missing, or the kind has no level.
    """
    blocks = {block.get("type", ""): block for block in find_all(head, "Headline/Information")}
    if "指定河川洪水予報（予報区域）" not in blocks:
        raise Unreadable("Report/Head/Headline has no Information of the type 指定河川洪水予報（予報区域）")
    item = need_element(blocks["指定河川洪水予報（予報区域）"], "Item")
    rivers = blocks.get("指定河川洪水予報（河川）")
    name, code = need(item, "Kind/Name"), need(item, "Kind/Code")
    texts = [
        text_of(part, "Text")
        for part in find_all(body, "Warning/Item/Kind/Property")
        if text_of(part, "Type") == "主文"
    ]
    return RiverBody(
        region=need(item, "Areas/Area/Name"),
        region_code=need(item, "Areas/Area/Code"),
        kind_name=name,
        kind_code=code,
        condition=text_of(item, "Kind/Condition"),
        level=flood_level(name, code),
        rivers=tuple(need(area, "Name") for area in find_all(rivers, "Item/Areas/Area")) if rivers is not None else (),
        city_codes=frozenset(text_of(area, "CityCode") for area in find_all(body, "Warning/Item/Areas/Area")) - {""},
        sentences=tuple(text for text in texts if text),
    )


def flood_level(name: str, code: str) -> int:
    """Return the level 0–5: the one that the name says, else the tens of the code.

    The codes are 10 (氾濫注意情報解除), 20–22, 30–32, 40–42 and 50–53, by the levels 2 to 5 of 警戒レベル
    (指定河川洪水予報 電文解説資料); 10 means that the last of them is over.

    Raises
    ------
    Unreadable : another code.
    """
    named = named_level(name)
    if named is not None:
        return 0 if "解除" in name and "（" not in name else named
    tens = int(code) // 10 if code.isdecimal() else -1
    if not 1 <= tens <= _HIGHEST_LEVEL:
        raise Unreadable(f"Report/Head/Headline/Information/Item/Kind/Code: {code!r} is no level of a flood forecast")
    return 0 if tens == 1 else tens
