"""A telegram: control, head, and a body by kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from lxml import etree

from ingest.jma.earthquake import EarthquakeBody, parse_earthquake
from ingest.jma.tsunami import TsunamiBody, parse_tsunami
from ingest.jma.xml import find, find_all, need, need_element, need_time, parse_xml, text_of, time_of
from ingest.reports import Action, Status, Unreadable

NAMESPACE = "http://xml.kishou.go.jp/jmaxml1/"

# Control/Title → data type code (配信資料に関する仕様).
KINDS = {
    "震度速報": "VXSE51",
    "震源に関する情報": "VXSE52",
    "震源・震度に関する情報": "VXSE53",
    "顕著な地震の震源要素更新のお知らせ": "VXSE61",
    "津波警報・注意報・予報a": "VTSE41",
    "津波情報a": "VTSE51",
    "沖合の津波観測に関する情報": "VTSE52",
}
_T = TypeVar("_T")
_STATUSES: dict[str, Status] = {"通常": "Actual", "訓練": "Exercise", "試験": "Test"}
_ACTIONS: dict[str, Action] = {"発表": "issue", "訂正": "correct", "取消": "withdraw"}


@dataclass(frozen=True)
class Telegram:
    """One telegram as JMA sent it, before anyone asks which town it concerns.

    Attributes
    ----------
    code : data type code, e.g. `VTSE41`.
    controlled_at : Control/DateTime (sent in UTC); reported_at : Head/ReportDateTime.
    event_ids : several when a tsunami has several earthquakes; sorted, so the first is the earliest.
    text : the body's own words: Body/Text, then the comments.
    body : None for a withdrawal 取消, which carries words only.
    """

    code: str
    title: str
    status: Status
    office: str
    controlled_at: datetime
    head_title: str
    reported_at: datetime
    target_at: datetime | None
    event_ids: tuple[str, ...]
    action: Action
    serial: int | None
    headline: str
    text: str
    forecast_comment: str
    body: EarthquakeBody | TsunamiBody | None


def parse_telegram(body: bytes) -> Telegram:
    """Read a telegram of 気象庁防災情報XML.

    Raises
    ------
    Unreadable : not XML, not a telegram, a kind that we do not consume, or a field is missing.
    """
    root = parse_xml(body)
    if root.tag != f"{{{NAMESPACE}}}Report":
        raise Unreadable(f"the document is no JMA telegram: its root is {etree.QName(root).localname}")
    control, head = need_element(root, "Control"), need_element(root, "Head")
    status = _known(_STATUSES, need(control, "Status"), "Report/Control/Status")
    title = need(control, "Title")
    if title not in KINDS:
        raise Unreadable(f"unknown kind of telegram: {title} ({need(control, 'Status')})")
    code = KINDS[title]
    action = _known(_ACTIONS, need(head, "InfoType"), "Report/Head/InfoType")
    content = need_element(root, "Body")
    return Telegram(
        code=code,
        title=title,
        status=status,
        office=need(control, "PublishingOffice"),
        controlled_at=need_time(control, "DateTime"),
        head_title=need(head, "Title"),
        reported_at=need_time(head, "ReportDateTime"),
        target_at=time_of(head, "TargetDateTime"),
        event_ids=tuple(sorted(set(need(head, "EventID").split()))),
        action=action,
        serial=_serial(text_of(head, "Serial")),
        headline=text_of(head, "Headline/Text"),
        text=_words(content),
        forecast_comment=text_of(content, "Comments/ForecastComment/Text"),
        body=None if action == "withdraw" else _parse_body(content, code),
    )


def _parse_body(content: etree._Element, code: str) -> EarthquakeBody | TsunamiBody:
    return parse_tsunami(content, code) if code.startswith("VTSE") else parse_earthquake(content, code)


def _known(values: dict[str, _T], value: str, where: str) -> _T:
    if value not in values:
        raise Unreadable(f"{where}: {value!r} is none of {', '.join(values)}")
    return values[value]


def _serial(value: str) -> int | None:
    if value and not value.isdecimal():
        raise Unreadable(f"Report/Head/Serial: {value!r} is no number")
    return int(value) if value else None


def _words(content: etree._Element) -> str:
    parts = [element for element in (find(content, "Text"),) if element is not None]
    for name in ("WarningComment/Text", "ForecastComment/Text", "FreeFormComment"):
        parts += find_all(content, f"Comments/{name}")
    return "\n\n".join(words for part in parts if (words := (part.text or "").strip()))
