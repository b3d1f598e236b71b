"""A message as it will arrive, in every language: mail, push message, short text, page, CAP."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, abort, render_template, url_for
from sqlalchemy import Connection, Row

from alerts.cap import render_cap
from alerts.catalogue import JST, load_texts
from alerts.checker import push_text
from alerts.letter import Recipient, build_letter
from alerts.short_text import short_text
from alerts.texts import AlertText
from gis.languages import LANGUAGES
from gis.queries import load_queries
from webmap import town_map
from webmap.languages import language
from webmap.services import services
from webmap.staff.access import blueprint, staff_connection

_QUERIES = load_queries(__file__)


@blueprint.get("/alerts/<int:alert_id>/preview")
def preview_alert(alert_id: int) -> str:
    """Show mail, push message, short text and CAP of a message of any state."""
    settings, town = services().settings, services().town
    with staff_connection() as connection:
        words = _read_words(connection, alert_id)
        alert = connection.execute(_QUERIES["status"], {"id": alert_id}).one()
        cap = render_cap(connection, alert_id, settings, is_preview=True).decode("utf-8")
    now, url = datetime.now(JST), f"{settings.base_url}/alerts/{alert_id}"
    views = [
        {
            "words": text,
            "plain": build_letter(alert_id, text, now, settings, town, alert.msg_type).bodies(_reader(alert, text))[0],
            "push": push_text(text),
            "short": short_text(text, url, alert.phase),
        }
        for text in words
    ]
    return render_template("staff/alert_preview.html", alert_id=alert_id, views=views, cap=cap, status=alert.cap_status)


@blueprint.get("/alerts/<int:alert_id>/preview/<tag>.html")
def preview_html(alert_id: int, tag: str) -> Response:
    """Answer the mail's HTML part for the frame: sandboxed, without scripts, forms and other hosts."""
    with staff_connection() as connection:
        words = [text for text in _read_words(connection, alert_id) if text.language == tag]
        alert = connection.execute(_QUERIES["status"], {"id": alert_id}).first()
    if not words or alert is None:
        abort(404)
    letter = build_letter(alert_id, words[0], datetime.now(JST), services().settings, services().town, alert.msg_type)
    response = Response(letter.bodies(_reader(alert, words[0]))[1], mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
    )
    return response


@blueprint.get("/alerts/<int:alert_id>/preview/page")
def preview_page(alert_id: int) -> str:
    """Show the public's page of the message, in the reader's language first, before there is one."""
    with staff_connection() as connection:
        words = _read_words(connection, alert_id)
        alert = connection.execute(_QUERIES["as_sent"], {"id": alert_id}).one()
    return render_template(
        "citizen/alert.html",
        alert=alert,
        texts=sorted(words, key=lambda text: text.language != language()),
        thread=[],
        area_url=url_for("staff.alert_area", alert_id=alert_id),
        is_preview=True,
        script=town_map.small_map_script(services().town, language()),
        assets=town_map,
    )


def _reader(alert: Row[Any], words: AlertText) -> Recipient:
    """Return nobody with a home inside, who got the message before if there was one: no subscription to end."""
    home = load_texts("common", words.language)["frame"]["home"]
    earlier = [(alert.references_id, 0)] if alert.references_id else []
    return Recipient(0, "preview@example.invalid", "preview", place_names=(home,), earlier=earlier)


def _read_words(connection: Connection, alert_id: int) -> list[AlertText]:
    rows = {row.language: row for row in connection.execute(_QUERIES["texts"], {"id": alert_id})}
    if not rows:
        abort(404)
    return [AlertText(**rows[tag]._mapping) for tag in LANGUAGES if tag in rows]
