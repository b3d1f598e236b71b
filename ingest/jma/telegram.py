"""A telegram: control, head, and a body by kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from lxml import etree

from ingest.jma.area_body import AreaBody, parse_areas
from ingest.jma.earthquake import EarthquakeBody, parse_earthquake
from ingest.jma.kinds import EVENT_CODES, code_of, is_silent
from ingest.jma.long_period import LongPeriodBody, parse_long_period
from ingest.jma.river import RiverBody, parse_river
from ingest.jma.tsunami import TsunamiBody, parse_tsunami
from ingest.jma.xml import find, find_all, need, need_element, need_time, parse_xml, text_of, time_of
from ingest.reports import Action, Status, Unreadable

NAMESPACE = "http://xml.kishou.go.jp/jmaxml1/"
TelegramBody = EarthquakeBody | LongPeriodBody | TsunamiBody | AreaBody | RiverBody

_T = TypeVar("_T")
_STATUSES: dict[str, Status] = {"通常": "Actual", "訓練": "Exercise", "試験": "Test"}
_ACTIONS: dict[str, Action] = {"発表": "issue", "訂正": "correct", "取消": "withdraw"}


@dataclass(frozen=True)
class Telegram:
    """One telegram as JMA sent it, before anyone asks which town it concerns.

    Attributes
    ----------
    code : data type code, e.g. `VTSE41`.
    office, editor : who published it (several for a river), and the one office that wrote it.
    is_silent : its kind says nothing of its own about a town, and is only recorded.
    controlled_at : Control/DateTime (sent in UTC); reported_at : Head/ReportDateTime.
    event_ids : several when a tsunami has several earthquakes; sorted, so the first is the earliest. Empty for
        warnings that run on (VPWW5x).
    text : the body's own words: Body/Text, then the comments.
    body : None for a withdrawal 取消, which carries words only, and for a silent kind.
    """

    code: str
    title: str
    status: Status
    office: str
    editor: str
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
    body: TelegramBody | None

    @property
    def is_silent(self) -> bool:
        return is_silent(self.title)


def parse_telegram(body: bytes) -> Telegram:
    """Read a telegram of 気象庁防災情報XML.

    Raises
    ------
    Unreadable : not XML, not a telegram, a kind that nobody has heard of, or a field is missing.
    """
    root = parse_xml(body)
    if root.tag != f"{{{NAMESPACE}}}Report":
        raise Unreadable(f"the document is no JMA telegram: its root is {etree.QName(root).localname}")
    control, head = need_element(root, "Control"), need_element(root, "Head")
    status = _known(_STATUSES, need(control, "Status"), "Report/Control/Status")
    title = need(control, "Title")
    code = code_of(title)
    if code is None:
        raise Unreadable(f"unknown kind of telegram: {title} ({need(control, 'Status')})")
    action = _known(_ACTIONS, need(head, "InfoType"), "Report/Head/InfoType")
    content = need_element(root, "Body")
    return Telegram(
        code=code,
        title=title,
        status=status,
        office=need(control, "PublishingOffice"),
        editor=text_of(control, "EditorialOffice") or need(control, "PublishingOffice"),
        controlled_at=need_time(control, "DateTime"),
        head_title=need(head, "Title"),
        reported_at=need_time(head, "ReportDateTime"),
        target_at=time_of(head, "TargetDateTime"),
        event_ids=_event_ids(head, code),
        action=action,
        serial=_serial(text_of(head, "Serial")),
        headline=text_of(head, "Headline/Text"),
        text=_words(content),
        forecast_comment=text_of(content, "Comments/ForecastComment/Text"),
        body=None if action == "withdraw" or is_silent(title) else _parse_body(head, content, code),
    )


def _parse_body(head: etree._Element, content: etree._Element, code: str) -> TelegramBody | None:
    if code.startswith("VTSE"):
        return parse_tsunami(content, code)
    if code == "VXSE62":
        return parse_long_period(content)
    if code.startswith("VXSE"):
        return parse_earthquake(content, code)
    if code == "VXKOii":
        return parse_river(head, content)
    # 後発地震注意情報 is words for a whole region.
    return None if code == "VYSE60" else parse_areas(head, content)


def _event_ids(head: etree._Element, code: str) -> tuple[str, ...]:
    words = need(head, "EventID") if code in EVENT_CODES else text_of(head, "EventID")
    return tuple(sorted(set(words.split())))


def _known(values: dict[str, _T], value: str, where: str) -> _T:
    if value not in values:
        raise Unreadable(f"{where}: {value!r} is none of {', '.join(values)}")
    return values[value]


def _serial(value: str) -> int | None:
    if value and not value.isdecimal():
        raise Unreadable(f"Report/Head/Serial: {value!r} is no number")
    return int(value) if value else None


def _words(content: etree._Element) -> str:
    parts = [element for path in ("Text", "EarthquakeInfo/Text") if (element := find(content, path)) is not None]
    for name in ("WarningComment/Text", "ForecastComment/Text", "FreeFormComment"):
        parts += find_all(content, f"Comments/{name}")
    return "\n\n".join(words for part in parts if (words := (part.text or "").strip()))
