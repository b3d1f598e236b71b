"""CAP 1.2 (OASIS, 2010) from the frozen alert.

What the XML Schema does not check and this module keeps: times carry +09:00 and never `Z`; polygons are
`lat,lon` pairs, closed; `references` is `sender,identifier,sent`. CAP polygons have no holes: only exterior
rings are written, so that the area can only be larger than ours, never smaller. No vertex is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import shapely
from lxml import etree
from sqlalchemy import Connection, Row

from alerts.catalogue import JST, fill, load_texts
from alerts.events import Event, find_event
from gis.errors import UsageError
from gis.languages import LANGUAGES
from gis.queries import load_queries
from gis.settings import Settings
from gis.town import Town, load_town

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
CONTENT_TYPE = "application/cap+xml"
# 0.1 m in the town's latitude; JGD2011 and the WGS 84 that CAP asks for agree far better than that.
_DECIMALS = 6
_QUERIES = load_queries(__file__)


def render_cap(connection: Connection, alert_id: int, settings: Settings, is_preview: bool = False) -> bytes:
    """Return the CAP message of an alert that went out, as UTF-8 XML. Role: `citizen` or any that reads `open`.

    Parameters
    ----------
    is_preview : of one that did not, as if it went out now. Role: one that reads the alerts.

    Raises
    ------
    UsageError : there is no such alert, or it is not approved yet.
    """
    source = "preview" if is_preview else "read"
    alert = connection.execute(_QUERIES[f"{source}_alert"], {"alert_id": alert_id}).first()
    if alert is None:
        raise UsageError("There is no published alert %(alert)s.", "See the list at /list.", alert=alert_id)
    texts = {row.language: row for row in connection.execute(_QUERIES[f"{source}_texts"], {"alert_id": alert_id})}
    town = load_town()
    root = etree.Element(f"{{{NAMESPACE}}}alert", nsmap={None: NAMESPACE})
    _add(root, "identifier", alert.identifier)
    _add(root, "sender", settings.mail_from)
    _add(root, "sent", format_time(alert.sent_at))
    _add(root, "status", alert.cap_status)
    _add(root, "msgType", alert.msg_type)
    _add(root, "scope", "Public")
    if alert.cap_status != "Actual":
        _add(root, "note", load_texts("common", "en")["notice"][alert.cap_status])
    if alert.previous_identifier:
        _add(
            root,
            "references",
            f"{settings.mail_from},{alert.previous_identifier},{format_time(alert.previous_sent_at)}",
        )
    for language in LANGUAGES:
        _add_info(root, alert, texts[language], town, settings)
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return document


def format_time(moment: datetime) -> str:
    """Write a time as CAP wants it: whole seconds, offset +09:00.

    Examples
    --------
    >>> format_time(datetime.fromisoformat("2011-03-11T05:49:00+00:00"))
    '2011-03-11T14:49:00+09:00'
    """
    return moment.astimezone(JST).isoformat(timespec="seconds")


def format_polygons(area_wkb: bytes) -> Iterator[str]:
    """Yield each part of a (multi)polygon in lon/lat degrees as CAP's closed `lat,lon lat,lon …`, without its holes."""
    for part in shapely.get_parts(shapely.from_wkb(area_wkb)):
        ring = [(round(lat, _DECIMALS), round(lon, _DECIMALS)) for lon, lat in shapely.get_coordinates(part.exterior)]
        yield " ".join(f"{lat:.{_DECIMALS}f},{lon:.{_DECIMALS}f}" for lat, lon in ring)


def _add_info(root: etree._Element, alert: Row[Any], words: Row[Any], town: Town, settings: Settings) -> None:
    event = find_event(alert.event, alert.phase)
    info = _add(root, "info")
    _add(info, "language", words.language)
    _add(info, "category", alert.category or event.category)
    _add(info, "event", words.event)
    for response in event.response:
        _add(info, "responseType", response)
    _add(info, "urgency", alert.urgency)
    _add(info, "severity", alert.severity)
    _add(info, "certainty", alert.certainty)
    _add_codes(info, alert, event)
    _add(info, "effective", format_time(alert.effective_at))
    if alert.onset_at:
        _add(info, "onset", format_time(alert.onset_at))
    elif alert.phase in ("issued", "updated") and alert.facts.get("arrival_at"):
        _add(info, "onset", format_time(datetime.fromisoformat(alert.facts["arrival_at"])))
    if alert.expires_at:
        _add(info, "expires", format_time(alert.expires_at))
    frame = load_texts("common", words.language)["frame"]
    _add(info, "senderName", fill(frame["sender"], {"town": town.name(words.language)}))
    _add(info, "headline", words.headline)
    _add(info, "description", words.description)
    _add(info, "instruction", words.instruction)
    _add(info, "web", alert.web or f"{settings.base_url}/alerts/{alert.id}?lang={words.language}")
    _add(info, "contact", settings.mail_from)
    area = _add(info, "area")
    is_town = alert.area_code == town.code
    _add(area, "areaDesc", town.name(words.language) if is_town else alert.area_name)
    for polygon in format_polygons(alert.area_wkb):
        _add(area, "polygon", polygon)
    if alert.area_code:
        _add_pair(area, "geocode", "JIS X 0401/0402", alert.area_code)


def _add_codes(info: etree._Element, alert: Row[Any], event: Event) -> None:
    if event.jma_code:
        _add_pair(info, "eventCode", "JMA", event.jma_code)
    _add_pair(info, "eventCode", "machimori", alert.event)


def _add(parent: etree._Element, name: str, value: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    element.text = value
    return element


def _add_pair(parent: etree._Element, name: str, value_name: str, value: str) -> None:
    pair = _add(parent, name)
    _add(pair, "valueName", value_name)
    _add(pair, "value", value)
