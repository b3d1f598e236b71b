"""A message as it will arrive, in every language: mail, push message, short text, CAP."""

from __future__ import annotations

from datetime import datetime

from flask import Response, abort, render_template
from sqlalchemy import Connection

from alerts.cap import render_cap
from alerts.catalogue import JST
from alerts.checker import push_text, short_text
from alerts.letter import Recipient, build_letter
from alerts.texts import AlertText
from gis.languages import LANGUAGES
from gis.queries import load_queries
from webmap.services import services
from webmap.staff.access import blueprint, staff_connection

_QUERIES = load_queries(__file__)
# Nobody's: a preview has no subscription to end.
_NOBODY = Recipient(0, "preview@example.invalid", "preview")


@blueprint.get("/alerts/<int:alert_id>/preview")
def preview_alert(alert_id: int) -> str:
    """Show mail, push message, short text and CAP of a message of any state."""
    settings, town = services().settings, services().town
    with staff_connection() as connection:
        words = _read_words(connection, alert_id)
        status = connection.execute(_QUERIES["status"], {"id": alert_id}).scalar_one()
        cap = render_cap(connection, alert_id, settings, is_preview=True).decode("utf-8")
    now, url = datetime.now(JST), f"{settings.base_url}/alerts/{alert_id}"
    views = [
        {
            "words": text,
            "plain": build_letter(alert_id, text, now, settings, town).bodies(_NOBODY)[0],
            "push": push_text(text),
            "short": short_text(text, url),
        }
        for text in words
    ]
    return render_template("staff/alert_preview.html", alert_id=alert_id, views=views, cap=cap, status=status)


@blueprint.get("/alerts/<int:alert_id>/preview/<tag>.html")
def preview_html(alert_id: int, tag: str) -> Response:
    """Answer the mail's HTML part for the frame: sandboxed, without scripts, forms and other hosts."""
    with staff_connection() as connection:
        words = [text for text in _read_words(connection, alert_id) if text.language == tag]
    if not words:
        abort(404)
    letter = build_letter(alert_id, words[0], datetime.now(JST), services().settings, services().town)
    response = Response(letter.bodies(_NOBODY)[1], mimetype="text/html")
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'self'"
    return response


def _read_words(connection: Connection, alert_id: int) -> list[AlertText]:
    rows = {row.language: row for row in connection.execute(_QUERIES["texts"], {"id": alert_id})}
    if not rows:
        abort(404)
    return [AlertText(**rows[tag]._mapping) for tag in LANGUAGES if tag in rows]
