"""One alert at the desk: its words in every language, its area, whom it reaches, and the next step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import Row
from werkzeug.wrappers import Response as AnyResponse

from alerts.approval import approve, discard, require_seen, submit
from alerts.head_count import count_heads
from alerts.reach import read_reach
from alerts.report import list_steps
from alerts.short_text import short_text
from alerts.surroundings import list_inside
from alerts.texts import AlertText
from gis.errors import UsageError
from gis.languages import LANGUAGES
from gis.queries import load_queries
from webmap import town_map
from webmap.languages import gettext, language
from webmap.services import services
from webmap.spoken import say_error
from webmap.staff import alert_words
from webmap.staff.access import blueprint, staff_account, staff_connection
from webmap.staff.alert_deliveries import delivery_values

_QUERIES = load_queries(__file__)


@blueprint.get("/alerts/<int:alert_id>")
def show_alert(alert_id: int) -> str:
    """Show an alert of any state, with a preview of its recipients or its deliveries."""
    with staff_connection() as connection:
        alert = connection.execute(_QUERIES["alert"], {"id": alert_id}).first()
        if alert is None:
            abort(404)
        texts = connection.execute(_QUERIES["texts"], {"id": alert_id}).all()
        is_waiting = alert.state in ("draft", "submitted")
        return render_template(
            "staff/alert.html",
            alert=alert,
            texts=sorted(texts, key=lambda row: LANGUAGES.index(row.language)),
            steps=list_steps(connection, alert_id),
            reach=None if is_waiting else read_reach(connection, alert_id),
            # What is withdrawn, replaced or was never approved is nothing to pass on.
            short_texts=_short_texts(alert, texts) if alert.state in ("approved", "sending", "sent") else [],
            heads=count_heads(connection, alert_id, services().town) if is_waiting else None,
            inside=list_inside(connection, alert_id) if is_waiting else [],
            languages=LANGUAGES,
            **delivery_values(connection, alert_id),
            account=staff_account(),
            desk=alert_words,
            script=town_map.small_map_script(services().town, language()),
            assets=town_map,
        )


def _short_texts(alert: Row[Any], texts: Sequence[Row[Any]]) -> list[tuple[str, str]]:
    """Return language and text to copy into a short-message service, for each language."""
    page = f"{services().settings.base_url}/alerts/{alert.id}"
    written = [AlertText(**row._mapping) for row in texts]
    return [(words.language, short_text(words, f"{page}?lang={words.language}", alert.phase)) for words in written]


@blueprint.get("/alerts/<int:alert_id>.geojson")
def alert_area(alert_id: int) -> Response:
    """Answer the area of an alert, drafts too."""
    with staff_connection() as connection:
        feature = connection.execute(_QUERIES["area_feature"], {"id": alert_id}).scalar()
    if feature is None:
        abort(404)
    return Response(feature, mimetype="application/geo+json")


@blueprint.post("/alerts/<int:alert_id>/<step>")
def take_step(alert_id: int, step: str) -> AnyResponse:
    """Submit, approve or discard, in the name of the person logged in."""
    note, account = request.form.get("note", "").strip()[:500], staff_account()
    account.require("approve_alerts" if step == "approve" else "write_alerts")
    person = account.name
    with staff_connection(note) as connection:
        if step in ("submit", "approve"):
            require_seen(connection, alert_id, request.form.get("version", ""))
        if step == "submit":
            submit(connection, alert_id, person, note)
            message = gettext("Submitted. A second person has to approve it.")
        elif step == "approve":
            people = approve(connection, alert_id, person, note)
            message = gettext("Approved. It is being sent to %(people)s people.", people=people)
        elif step == "discard":
            discard(connection, alert_id, person, note)
            message = gettext("Discarded.")
        else:
            abort(404)
    flash(message, "done")
    return redirect(url_for("staff.show_alert", alert_id=alert_id))


@blueprint.errorhandler(UsageError)
def _back_to_alert(error: UsageError) -> AnyResponse | tuple[str, int]:
    """Show a refused step on the page it came from; elsewhere as an error page."""
    alert_id = (request.view_args or {}).get("alert_id")
    if request.method == "POST" and alert_id is not None:
        flash(str(say_error(error)), "error")
        return redirect(url_for("staff.show_alert", alert_id=alert_id))
    heading, said = gettext("This cannot be done as asked"), say_error(error)
    return render_template("errors/error.html", status=400, heading=heading, detail=said.message, advice=said.hint), 400
