"""Codes of the database in people's words, in the request's language.

Sources of the terms: 気象庁 震度階級, 津波警報・注意報の種類; 内閣府 警戒レベル; 災害対策基本法施行令 article 20-4
(the eight hazards of 指定緊急避難場所).
"""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Any

from flask import Flask

from alerts.catalogue import load_texts, write_moment, write_office
from alerts.events import WARNING_KINDS
from alerts.phrases import write_arrival, write_height
from alerts.warning_phrases import write_title
from gis.town import load_town
from layers.codes import load_code_list
from webmap.actors import actor
from webmap.event_times import occurred, told, told_iso
from webmap.languages import gettext, language, mark

# What templates find here under `words`, beside the tables and functions below.
__all__ = ["actor", "load_code_list", "occurred", "told", "told_iso"]

EVENTS = {
    "tsunami.major_warning": mark("Major tsunami warning"),
    "tsunami.warning": mark("Tsunami warning"),
    "tsunami.advisory": mark("Tsunami advisory"),
    "tsunami.forecast": mark("Slight sea level change"),
    "tsunami.none": mark("No tsunami"),
    "earthquake.intensity": mark("Earthquake"),
}
# Attribute of layers.evacuation_site → hazard, in the order of the law.
HAZARDS = {
    "flood": mark("Flood"),
    "landslide": mark("Landslide"),
    "storm_surge": mark("Storm surge"),
    "earthquake": mark("Earthquake"),
    "tsunami": mark("Tsunami"),
    "large_fire": mark("Large fire"),
    "inland_flood": mark("Inland flooding"),
    "volcano": mark("Volcano"),
}
# Not 警戒レベル: that scale is for floods, landslides and storm surges, and a tsunami warning has no place in it
# (内閣府 避難情報に関するガイドライン). Ours only orders what the map and the board show.
LEVELS = {
    0: mark("no danger known"),
    1: mark("for your information"),
    2: mark("take care"),
    3: mark("be on your guard"),
    4: mark("danger"),
    5: mark("extreme danger"),
}
ALERT_STATES = {
    "draft": mark("draft"),
    "submitted": mark("waiting for the second person"),
    "approved": mark("approved"),
    "sending": mark("being sent"),
    "sent": mark("sent"),
    "updated": mark("replaced by a newer message"),
    "cancelled": mark("cancelled"),
    "expired": mark("expired"),
    "discarded": mark("discarded"),
    "resent": mark("sent once more"),
}
DELIVERY_STATES = {
    "pending": mark("waiting"),
    "sending": mark("being sent"),
    "accepted": mark("accepted"),
    "deferred": mark("will be tried again"),
    "bounced": mark("refused"),
    "failed": mark("failed"),
    "expired": mark("expired"),
    "suppressed": mark("not sent any more"),
}
# Why a message is not sent any more (alerts.delivery.reason).
DELIVERY_REASONS = {
    "cancelled": mark("the message was cancelled"),
    "expired": mark("its time is over"),
    "overtaken": mark("a newer message replaced it"),
    "unsubscribed": mark("the person unsubscribed"),
    "no_device": mark("no device is left"),
}
PHASES = {
    "issued": mark("Issued"),
    "updated": mark("Updated"),
    "cleared": mark("All clear"),
    "withdrawn": mark("Withdrawn"),
}
# Types of attributes (layers.definition_check.POSTGRES_TYPES).
TYPES = {
    "text": mark("text"),
    "integer": mark("whole number"),
    "real": mark("number"),
    "boolean": mark("yes or no"),
    "date": mark("date"),
    "timestamp": mark("date and time"),
}
# Shapes of points (layers.style.SYMBOLS).
SYMBOLS = {
    "circle": mark("circle"),
    "square": mark("square"),
    "triangle": mark("triangle"),
    "diamond": mark("diamond"),
    "cross": mark("cross"),
    "star": mark("star"),
}
# Kinds of geometry: a layer's (layers.definition_check.GEOMETRIES) and those of single features.
GEOMETRIES = {
    "Point": mark("points"),
    "MultiPoint": mark("groups of points"),
    "LineString": mark("lines"),
    "MultiLineString": mark("lines"),
    "Polygon": mark("areas"),
    "MultiPolygon": mark("areas"),
    "GeometryCollection": mark("mixed shapes"),
    "Geometry": mark("shapes of any kind"),
}
DRILL_MARKS = {"Exercise": mark("DRILL"), "Test": mark("TEST")}
# JMA's words instead of a magnitude (Earthquake/Magnitude description, NFKC).
_MAGNITUDES = {
    "M不明": mark("unknown magnitude"),
    "M8を超える巨大地震": mark("over M8, a huge earthquake"),
}
# JMA's words for an observed height without a number (TsunamiObservation MaxHeight/Condition).
_OBSERVATIONS = {
    "微弱": mark("very small"),
    "観測中": mark("still being observed"),
    "欠測": mark("no data"),
}


def phrase(table: dict[Any, str], code: object) -> str:
    """Return the words for `code`; an unknown code is shown as it is, never hidden."""
    return gettext(table[code]) if code in table else str(code)


def clock(moment: datetime | str | None) -> str:
    """Return a time in Japan's clock, written out; facts carry times as ISO 8601 text. "" when there is none."""
    if not moment:
        return ""
    return write_moment(datetime.fromisoformat(moment) if isinstance(moment, str) else moment, language())


def area_name(code: str, name: str) -> str:
    """Return the name of an alert's area; the town's own in the reader's language, any other as it is."""
    town = load_town()
    return town.name(language()) if code == town.code else name


def office(name: str) -> str:
    """Return the name of the office that reported."""
    return write_office(name, language())


def tsunami_height(height_m: float | None, height_text: str | None) -> str:
    """Return the expected height; 巨大 comes without a number and is the worst case. "" when nothing was said."""
    return write_height(load_texts("tsunami", language()), height_m, height_text)


def observed_height(height_m: float | None, height_text: str | None) -> str:
    """Return the height that a station saw."""
    if height_text in _OBSERVATIONS:
        return gettext(_OBSERVATIONS[height_text])
    return tsunami_height(height_m, height_text)


def tsunami_arrival(arrival_at: datetime | str | None, arrival_text: str | None) -> str:
    """Return when the first wave comes: a time, or what JMA says instead of one. "" when nothing was said."""
    at = arrival_at.isoformat() if isinstance(arrival_at, datetime) else arrival_at
    return write_arrival(load_texts("tsunami", language()), at, arrival_text, language())


def magnitude(value: float | None, words: str | None) -> str:
    """Return the magnitude, or JMA's words when it has no number (Ｍ不明, Ｍ８を超える巨大地震)."""
    return f"M{value:.1f}" if value is not None else phrase(_MAGNITUDES, unicodedata.normalize("NFKC", words or ""))


def depth(depth_m: float | None) -> str:
    """Return the depth of the hypocentre in km; JMA writes 0 for "very shallow"."""
    if depth_m is None:
        return ""
    if depth_m == 0:
        return gettext("very shallow")
    return gettext("%(depth)s km", depth=f"{depth_m / 1000:g}")


def code_name(code_list: str, value: str | None) -> str:
    """Return a code's name from `data/codes/<code_list>.toml`; an unknown value is shown as it is."""
    names = {code.value: code.name(language()) for code in load_code_list(code_list).codes}
    return names.get(value or "", value or "")


def drill_mark(status: str) -> str:
    """Return 訓練 or 試験 for a message that is not real, "" for a real one."""
    return gettext(DRILL_MARKS[status]) if status in DRILL_MARKS else ""


def kind_name(kind: str) -> str:
    """Return the name of an incident kind."""
    return code_name("incident_kind", kind)


def intensity(value: str | None) -> str:
    """Return a seismic intensity (震度階級), e.g. 震度6強; "" when unknown."""
    return gettext("intensity %(value)s", value=code_name("jma_intensity", value)) if value else ""


def event_name(event: str | None, kind: str) -> str:
    """Return what an event is called, e.g. "Heavy Rain Warning (level 3)"; the kind's name for an unknown one."""
    if event in EVENTS:
        return phrase(EVENTS, event)
    if event is None or kind not in WARNING_KINDS:
        return kind_name(kind)
    try:
        return write_title(event, language())
    except (KeyError, FileNotFoundError):
        # A source of its own may write events that no catalogue knows.
        return kind_name(kind)


def incident_title(event: str | None, kind: str, city_intensity: str | None) -> str:
    """Return an incident's name, e.g. "Earthquake, intensity 6 upper" or "Major tsunami warning"."""
    name = event_name(event, kind)
    return gettext("%(name)s, %(detail)s", name=name, detail=intensity(city_intensity)) if city_intensity else name


def init_app(app: Flask) -> None:
    """Give templates the tables and functions under the name `words`."""
    import webmap.wording as words

    app.jinja_env.globals["words"] = words
