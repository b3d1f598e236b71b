"""Templates of messages: the shipped ones to look at, the staff's own to make, edit and retire."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from alerts.checker import LIMITS, push_text
from alerts.own_templates import OwnTemplate, blank_words, list_own, read_own, retire_own, save_own
from alerts.templates import PARTS, find_blanks, load_templates
from alerts.texts import AlertText
from gis.errors import UsageError
from gis.languages import LANGUAGES
from gis.queries import load_queries
from webmap.languages import gettext
from webmap.services import services
from webmap.staff import alert_form, alert_places, alert_words
from webmap.staff.access import blueprint, staff_account, staff_connection

_QUERIES = load_queries(__file__)
# What people write themselves; the words of telegrams have events of their own.
EVENTS = ("evacuation.emergency", "evacuation.order", "evacuation.elderly", "city.message")
Answered = AnyResponse | tuple[str, int] | str


@blueprint.get("/alerts/templates")
def show_templates() -> str:
    """List the staff's templates and the shipped ones."""
    with staff_connection() as connection:
        rows = list_own(connection)
    return render_template(
        "staff/alert_templates.html",
        rows=rows,
        shipped=load_templates(),
        may_write=staff_account().may("write_alerts"),
        desk=alert_words,
    )


@blueprint.route("/alerts/templates/new", methods=["GET", "POST"])
def new_template() -> Answered:
    """Write a template: blank, or from a message (`from`), whose place becomes a blank."""
    staff_account().require("write_alerts")
    if request.method == "POST":
        return _save(None)
    with staff_connection() as connection:
        alert_id = request.args.get("from", type=int)
        return _render(None, _empty() if alert_id is None else _of_message(connection, alert_id))


@blueprint.route("/alerts/templates/<int:template_id>", methods=["GET", "POST"])
def edit_template(template_id: int) -> Answered:
    """Change a template; messages that were begun from it stay as they are."""
    staff_account().require("write_alerts")
    if request.method == "POST":
        return _save(template_id)
    with staff_connection() as connection:
        return _render(template_id, read_own(connection, template_id))


@blueprint.post("/alerts/templates/<int:template_id>/retire")
def retire_template(template_id: int) -> AnyResponse:
    """Offer it no longer."""
    staff_account().require("write_alerts")
    with staff_connection() as connection:
        retire_own(connection, template_id)
    flash(gettext("The template is no longer offered."), "done")
    return redirect(url_for("staff.show_templates"))


def _save(template_id: int | None) -> Answered:
    typed = _read_form()
    try:
        with staff_connection() as connection:
            save_own(connection, typed, template_id)
    except UsageError as error:
        return _render(template_id, typed, error), 400
    flash(gettext("The template is saved."), "done")
    return redirect(url_for("staff.show_templates"))


def _read_form() -> OwnTemplate:
    form = request.form
    event = form.get("event", "")
    return OwnTemplate(
        form.get("title", "").strip()[:100],
        event if event in EVENTS else "city.message",
        form.get("level", 0, type=int),
        alert_form.require_kind(form.get("kind", "")),
        tuple(alert_form.read_words(form, language) for language in LANGUAGES),
    )


def _empty() -> OwnTemplate:
    words = tuple(AlertText(language, "", "{{ place }}", "{{ time }} {{ place }}", "") for language in LANGUAGES)
    return OwnTemplate("", "city.message", 1, "other", words)


def _of_message(connection: Connection, alert_id: int) -> OwnTemplate:
    alert = connection.execute(_QUERIES["alert"], {"id": alert_id}).first()
    if alert is None:
        raise UsageError("There is no alert %(alert)s.", "See the list of messages.", alert=alert_id)
    places = alert_places.name_places(connection, alert.area_name, services().town) if alert.area_name else {}
    rows = {row.language: row for row in connection.execute(_QUERIES["texts"], {"id": alert_id})}
    words = tuple(
        blank_words(AlertText(**rows[tag]._mapping), alert.cap_status, places.get(tag, "")) for tag in LANGUAGES
    )
    event = alert.event if alert.event in EVENTS else "city.message"
    title = words[0].headline.replace("{{ place }}", "").strip()[:100]
    return OwnTemplate(title, event, max(alert.level, 1), alert.kind, words)


def _render(template_id: int | None, template: OwnTemplate, error: UsageError | None = None) -> str:
    return render_template(
        "staff/alert_template.html",
        template_id=template_id,
        template=template,
        events=EVENTS,
        blanks={
            words.language: find_blanks(" ".join(getattr(words, part) for part in PARTS)) for words in template.texts
        },
        push={words.language: (len(push_text(words)), LIMITS["push"]) for words in template.texts},
        desk=alert_words,
        error=error,
    )
