"""Beginning a message at the desk: from a template, an incident, what a source said, or an earlier message."""

from __future__ import annotations

from typing import cast

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from alerts.drafting import ANSWERS, Answer, answer_alert, write_draft
from alerts.own_templates import all_templates
from alerts.starting import begin_from_alert, begin_from_situation, situation_of
from gis.errors import UsageError
from webmap.languages import gettext
from webmap.services import services
from webmap.staff import alert_form, alert_places, alert_words
from webmap.staff.access import blueprint, staff_account, staff_connection

Answered = AnyResponse | tuple[str, int] | str


@blueprint.route("/alerts/new", methods=["GET", "POST"])
def new_alert() -> Answered:
    """Ask for template, kind, real or drill, and a first piece of area; then write the draft and open it."""
    staff_account().require("write_alerts")
    try:
        if request.method == "POST":
            with staff_connection() as connection:
                alert_id = _begin(connection)
            return redirect(url_for("staff.edit_alert", alert_id=alert_id))
    except UsageError as error:
        return _render_new(error), 400
    return _render_new(None)


@blueprint.post("/alerts/from-incident/<int:fid>")
def begin_about_incident(fid: int) -> AnyResponse:
    """Write a draft from the newest word on an incident, or from one report of it (`report`), and open it."""
    staff_account().require("write_alerts")
    with staff_connection() as connection:
        situation_id = situation_of(connection, fid, request.form.get("report", type=int))
        alert_id = begin_from_situation(connection, situation_id, services().town)
    words = gettext("The words are made from what the source said. Please read them and change what is not right.")
    flash(words, "done")
    return redirect(url_for("staff.edit_alert", alert_id=alert_id))


@blueprint.post("/alerts/<int:alert_id>/answer")
def begin_answer(alert_id: int) -> AnyResponse:
    """Begin an update, an all-clear or a withdrawal of a message that went out, and open it."""
    staff_account().require("write_alerts")
    answer = request.form.get("answer", "")
    if answer not in ANSWERS:
        abort(404)
    with staff_connection() as connection:
        answer_id = answer_alert(connection, alert_id, cast(Answer, answer), services().town)
    flash(gettext("The words are those of the message before. Please change them."), "done")
    return redirect(url_for("staff.edit_alert", alert_id=answer_id))


@blueprint.post("/alerts/<int:alert_id>/copy")
def copy_alert(alert_id: int) -> AnyResponse:
    """Begin a new message with the words and the area of any earlier one, and open it."""
    staff_account().require("write_alerts")
    with staff_connection() as connection:
        copy_id = begin_from_alert(connection, alert_id, services().town)
    flash(gettext("The words are those of the message before. Please change them."), "done")
    return redirect(url_for("staff.edit_alert", alert_id=copy_id))


def _begin(connection: Connection) -> int:
    form, town = request.form, services().town
    template = all_templates(connection).get(form.get("template", ""))
    status = form.get("status", "")
    if template is None or status not in alert_words.STATUSES:
        raise UsageError("The template, or real or drill, was not chosen.", "Choose both.").at("template")
    incident = form.get("incident", type=int)
    if incident is not None:
        found = alert_form.incident_beginning(connection, incident)
        if found is None:
            raise UsageError("There is no incident %(incident)s.", "See the list of incidents.", incident=incident)
        if found.status != "Actual" and status == "Actual":
            raise UsageError("The incident is a drill.", "A message about it can only be a drill, too.")
    place = alert_places.read_place(connection, form, town)
    area = alert_places.compose_with(connection, place.pieces, form, town)
    places = alert_places.name_places(connection, place.name, town) if place.name else {}
    draft = alert_form.begin_draft(template, form.get("kind", ""), place.name, places, status)
    return write_draft(connection, draft, area, status, town, incident)


def _render_new(error: UsageError | None) -> str:
    with staff_connection() as connection:
        quarters, picks = alert_places.list_quarters(connection), alert_places.list_picks(connection)
        fid = request.values.get("incident", type=int)
        incident = alert_form.incident_beginning(connection, fid) if fid is not None else None
        templates = all_templates(connection)
    return render_template(
        "staff/alert_new.html",
        error=error,
        typed=request.values,
        incident=incident,
        quarters=quarters,
        picks=picks,
        templates=templates,
        desk=alert_words,
    )
