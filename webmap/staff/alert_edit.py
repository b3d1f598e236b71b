"""Writing a message at the desk: put its area together, change its words, and hand it in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import Connection, Row
from werkzeug.wrappers import Response as AnyResponse

from alerts.approval import submit
from alerts.areas import parse_pieces
from alerts.catalogue import JST
from alerts.checker import check_draft, count_characters
from alerts.drafting import Draft, StaleDraft, recipe_of, save_draft, set_area, take_back
from alerts.events import find_event
from alerts.head_count import count_heads
from alerts.surroundings import list_inside
from gis.errors import UsageError
from gis.languages import LANGUAGES
from gis.queries import load_queries
from webmap import town_map
from webmap.languages import gettext, language
from webmap.services import services
from webmap.staff import alert_form, alert_places, alert_words
from webmap.staff.access import blueprint, staff_account, staff_connection
from webmap.staff.alert_merge import field_values, mark_values, merge_values

_QUERIES = load_queries(__file__)
Answered = AnyResponse | tuple[str, int] | str


@blueprint.post("/alerts/<int:alert_id>/take-back")
def take_back_alert(alert_id: int) -> AnyResponse:
    """Make a submitted message a draft again."""
    staff_account().require("write_alerts")
    with staff_connection(request.form.get("note", "").strip()[:500]) as connection:
        take_back(connection, alert_id)
    flash(gettext("It is a draft again and needs both people anew."), "done")
    return redirect(url_for("staff.show_alert", alert_id=alert_id))


@blueprint.get("/alerts/<int:alert_id>/edit")
def edit_alert(alert_id: int) -> Answered:
    """Show a draft's words, area, whom it would reach, what the checker finds, and how long its words are."""
    staff_account().require("write_alerts")
    with staff_connection() as connection:
        return _render_edit(connection, alert_id)


@blueprint.post("/alerts/<int:alert_id>/edit")
def save_alert(alert_id: int) -> Answered:
    """Save the words, and hand the message in when that button was pressed; a refusal keeps what was typed."""
    staff_account().require("write_alerts")
    person, hands_in = staff_account().name, request.form.get("act") == "submit"
    try:
        with staff_connection() as connection:
            _save_words(connection, alert_id)
            if hands_in:
                _refuse_flaws(connection, alert_id)
                submit(connection, alert_id, person)
    except UsageError as error:
        with staff_connection() as connection:
            return _render_edit(connection, alert_id, error), 409 if isinstance(error, StaleDraft) else 400
    if hands_in:
        flash(gettext("Submitted. A second person has to approve it."), "done")
        return redirect(url_for("staff.show_alert", alert_id=alert_id))
    flash(gettext("Saved."), "done")
    return redirect(url_for("staff.edit_alert", alert_id=alert_id))


@blueprint.post("/alerts/<int:alert_id>/area")
def change_area(alert_id: int) -> Answered:
    """Add a piece to the area, take the last one away, or confirm a doubtful one; the words typed are saved, too."""
    staff_account().require("write_alerts")
    act, town = request.form.get("act", "add"), services().town
    try:
        with staff_connection() as connection:
            row = _save_words(connection, alert_id)
            pieces = recipe_of(row, parse_pieces(row.area_recipe))
            if act == "undo":
                pieces = pieces[:-1]
            elif act == "add":
                added = alert_places.read_place(connection, request.form, town).pieces
                if not added:
                    raise UsageError("No piece was named.", "Name a quarter, or draw an area.").at("ref")
                pieces += added
            area = alert_places.compose_with(connection, pieces, request.form, town)
            confirmed_by = staff_account().name if act == "confirm" else ""
            set_area(connection, alert_id, row.updated_at.isoformat(), area, confirmed_by)
    except UsageError as error:
        with staff_connection() as connection:
            return _render_edit(connection, alert_id, error), 409 if isinstance(error, StaleDraft) else 400
    return redirect(url_for("staff.edit_alert", alert_id=alert_id) + "#area")


def _save_words(connection: Connection, alert_id: int) -> Row[Any]:
    """Save what the form says of words, times and levels; return the alert as it is then."""
    row, _ = _read(connection, alert_id)
    draft = alert_form.read_draft_form(request.form, row.event)
    save_draft(connection, alert_id, request.form.get("version", ""), draft)
    return _read(connection, alert_id)[0]


def _refuse_flaws(connection: Connection, alert_id: int) -> None:
    """Stop what the checker is sure of; what it only doubts the author has seen."""
    alert, texts = _read(connection, alert_id)
    draft = alert_form.draft_of(alert, texts)
    stops = [finding for finding in check_draft(draft, {}, alert.phase, datetime.now(JST)) if finding.stops]
    if stops:
        words = {": ".join(filter(None, (gettext(alert_words.FINDINGS[one.code]), one.detail))) for one in stops}
        raise UsageError("%(problems)s", "Mend it and submit again.", problems="; ".join(sorted(words)) + ".")


def _read(connection: Connection, alert_id: int) -> tuple[Row[Any], list[Row[Any]]]:
    alert = connection.execute(_QUERIES["alert"], {"id": alert_id}).first()
    if alert is None:
        abort(404)
    return alert, list(connection.execute(_QUERIES["texts"], {"id": alert_id}).all())


def _render_edit(connection: Connection, alert_id: int, error: UsageError | None = None) -> str:
    alert, texts = _read(connection, alert_id)
    if alert.state != "draft" or not alert.is_written:
        raise UsageError("Only a draft that a person wrote can be changed.", "Take it back first, or write your own.")
    draft = alert_form.draft_of(alert, texts)
    stored, theirs = field_values(draft), dict[str, str]()
    typed: Mapping[str, str] = request.form if error else {}
    if isinstance(error, StaleDraft):
        mine = alert_form.read_draft_form(request.form, alert.event)
        merged, theirs = merge_values(field_values(mine), stored, request.form.get("marks", ""))
        typed = {**request.form, **merged, "version": alert.updated_at.isoformat(), "marks": mark_values(stored)}
    pieces = recipe_of(alert, parse_pieces(alert.area_recipe))
    town = services().town
    places = alert_places.name_places(connection, alert.area_name, town) if alert.area_name else {}
    read = _read_again(alert.event, draft) if error else draft
    findings = check_draft(read, places, alert.phase, datetime.now(JST), alert_places.names_of(pieces))
    return render_template(
        "staff/alert_edit.html",
        alert=alert,
        draft=draft,
        typed=typed,
        error=error,
        theirs=theirs,
        marks=mark_values(stored),
        findings=findings,
        notes=alert_words.sort_findings(findings),
        field_of=alert_words.field_of,
        counters={words.language: count_characters(words) for words in read.texts},
        pieces=pieces,
        heads=count_heads(connection, alert_id, town),
        inside=list_inside(connection, alert_id),
        picks=alert_places.list_picks(connection),
        quarters=alert_places.list_quarters(connection),
        languages=LANGUAGES,
        cap_words=alert_form.CAP_WORDS,
        references=connection.execute(_QUERIES["references"], {"id": alert_id}).scalar(),
        blanks=alert_form.blanks_of(draft),
        event_category=find_event(alert.event, alert.phase).category,
        write_time=alert_form.write_time,
        desk=alert_words,
        script=town_map.small_map_script(town, language()),
        assets=town_map,
    )


def _read_again(event: str, stored: Draft) -> Draft:
    """Return what a refused form holds, so that the checker speaks of what is seen; else what is stored."""
    try:
        return alert_form.read_draft_form(request.form, event)
    except UsageError:  # it is the error that the page shows
        return stored
