"""The bodies that list areas, each with what is in force there: warnings, notices, volcanic ash.

One layout (気象庁防災情報XML, Warning/Item and Headline/Information/Item): a kind with name, code and
status, beside one area or several.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from ingest.jma.xml import find_all, need, text_of, time_of
from ingest.reports import Unreadable

# Where the items stand; VPNO50 and VPBS50 have them in the headline only.
_BODY_PATHS = ("Warning/Item", "VolcanoInfo/Item", "AshInfos/AshInfo/Item")
_HEAD_PATH = "Headline/Information/Item"


@dataclass(frozen=True)
class AreaKind:
    """What is in force in an area.

    Attributes
    ----------
    status : 発表, 継続, 解除, 警報から注意報 …; in the headline the Condition; "" when not said.
    condition : e.g. 土砂災害、浸水害.
    sentences : when it is expected, in JMA's words.
    """

    name: str
    code: str
    status: str
    condition: str
    sentences: tuple[str, ...]

    @property
    def is_lifted(self) -> bool:
        return "解除" in (self.name, self.status)


@dataclass(frozen=True)
class AreaBody:
    """Kinds by area code, and the names of the areas.

    Attributes
    ----------
    areas : an area without warnings has an empty tuple; an area that is missing was not spoken of.
    places : codes of all places that the body mentions, whatever for.
    valid_until : Head/ValidDateTime.
    """

    areas: dict[str, tuple[AreaKind, ...]]
    names: dict[str, str]
    places: frozenset[str]
    valid_until: datetime | None


def parse_areas(head: etree._Element, body: etree._Element) -> AreaBody:
    """Read the items of the body; of the headline when the body has none.

    Raises
    ------
    Unreadable : there are no items at all, or an area has no code.
    """
    items = [item for path in _BODY_PATHS for item in find_all(body, path)] or find_all(head, _HEAD_PATH)
    if not items:
        raise Unreadable("neither Report/Body nor Report/Head/Headline has an Item with areas")
    areas: dict[str, tuple[AreaKind, ...]] = {}
    names: dict[str, str] = {}
    for item in items:
        kinds = tuple(kind for element in find_all(item, "Kind") if (kind := _kind(element)))
        for area in [*find_all(item, "Area"), *find_all(item, "Areas/Area")]:
            code = text_of(area, "Code")
            if code:
                areas[code] = (*areas.get(code, ()), *kinds)
                names[code] = need(area, "Name")
    places = frozenset(text_of(area, "Code") for area in body.iter("{*}Area"))
    return AreaBody(areas, names, places - {""}, time_of(head, "ValidDateTime"))


def _kind(element: etree._Element) -> AreaKind | None:
    """Return what a Kind says; None for "nothing" (発表警報・注意報はなし, なし)."""
    name, status, condition = (text_of(element, path) for path in ("Name", "Status", "Condition"))
    if not name or name == "なし":
        return None
    sentences = [(each.text or "").strip() for each in element.iter("{*}Sentence")]
    kept = tuple(dict.fromkeys(sentence for sentence in sentences if sentence))
    return AreaKind(name, text_of(element, "Code"), status, condition, kept)
