"""A message in the manner of Lアラート (避難情報, お知らせ), for systems that pass it on; described in docs/l-alert.md.

The form is our own (`data/l_alert.xsd`): that of Lアラート is for its members only, and nothing here claims to be it.
"""

from __future__ import annotations

from lxml import etree
from sqlalchemy import Connection, Row

from alerts.cap import format_polygons, format_time
from alerts.templates import load_templates
from gis.errors import UsageError
from gis.languages import LANGUAGES
from gis.queries import load_queries
from gis.settings import Settings
from gis.town import Town, load_town

NAMESPACE = "urn:machimori:l-alert:1"
_STATUS = {"Actual": "通常", "Exercise": "訓練", "Test": "試験"}
_REVISION = {"issued": "発表", "updated": "更新", "cleared": "解除", "withdrawn": "取消"}
_QUERIES = load_queries(__file__)


def render_l_alert(connection: Connection, alert_id: int, settings: Settings) -> bytes:
    """Return a message that went out, as UTF-8 XML valid against `data/l_alert.xsd`. Role: any that reads `open`.

    Raises
    ------
    UsageError : there is no such message, or it is not approved yet.
    """
    alert = connection.execute(_QUERIES["read_alert"], {"alert_id": alert_id}).first()
    if alert is None:
        raise UsageError("There is no published alert %(alert)s.", "See the list at /list.", alert=alert_id)
    town = load_town()
    root = etree.Element(f"{{{NAMESPACE}}}Report", nsmap={None: NAMESPACE})
    _add(root, "DocumentID", alert.identifier)
    if alert.previous_identifier:
        _add(root, "References", alert.previous_identifier)
    _add(root, "Status", _STATUS[alert.cap_status])
    _add(root, "Revision", _REVISION[alert.phase])
    _add(root, "ReportedAt", format_time(alert.sent_at))
    if alert.expires_at:
        _add(root, "ValidUntil", format_time(alert.expires_at))
    _add(root, "Municipality", town.name_ja).set("code", town.code)
    phrase = _phrase(alert.event)
    _add(root, "Category", "避難情報" if phrase else "お知らせ")
    if alert.level:
        _add(root, "Level", str(alert.level))
    if phrase:
        _add(root, "Phrase", phrase)
    _add_area(root, alert, town)
    texts = {row.language: row for row in connection.execute(_QUERIES["read_texts"], {"alert_id": alert_id})}
    for language in LANGUAGES:
        text = _add(root, "Text")
        text.set("language", language)
        words = texts[language]
        _add(text, "Event", words.event)
        _add(text, "Headline", words.headline)
        _add(text, "Body", words.description)
        _add(text, "Instruction", words.instruction)
    _add(root, "Link", f"{settings.base_url}/alerts/{alert_id}")
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return document


def _phrase(event: str) -> str:
    """Return the official phrase of an event (災害対策基本法 第60条), "" when it has none."""
    phrases = [one.phrases.get("ja", "") for one in load_templates().values() if one.event == event]
    return next((phrase for phrase in phrases if phrase), "")


def _add_area(root: etree._Element, alert: Row[tuple[object, ...]], town: Town) -> None:
    area = _add(root, "Area")
    is_town = alert.area_code == town.code
    _add(area, "Name", town.name_ja if is_town else alert.area_name)
    if alert.area_code:
        _add(area, "Code", alert.area_code)
    for polygon in format_polygons(alert.area_wkb):
        _add(area, "Polygon", polygon)


def _add(parent: etree._Element, name: str, value: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    element.text = value
    return element
