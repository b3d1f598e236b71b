"""Standing approvals: what telegrams send by themselves; listed, proposed, approved by a second person, revoked."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from alerts.catalogue import JST
from alerts.standing import (
    OCCASIONS,
    Proposal,
    approve_standing,
    list_standing,
    list_subjects,
    propose,
    revoke_standing,
)
from gis.errors import UsageError
from webmap.languages import gettext
from webmap.spoken import say_error
from webmap.staff import alert_form, alert_words
from webmap.staff.access import blueprint, staff_account, staff_connection

_PROPOSED_DAYS = 90


@blueprint.get("/alerts/standing")
def show_standing() -> str:
    """List the standing approvals of all times, and what could be approved beforehand."""
    with staff_connection() as connection:
        return _render(connection)


@blueprint.post("/alerts/standing")
def propose_standing() -> AnyResponse | tuple[str, int]:
    """Propose one; a second person approves it. A refusal keeps what was typed."""
    staff_account().require("write_alerts")
    try:
        with staff_connection() as connection:
            propose(connection, _read_form(), staff_account().name)
    except UsageError as error:
        with staff_connection() as connection:
            return _render(connection, error), 400
    flash(gettext("Proposed. A second person has to approve it."), "done")
    return redirect(url_for("staff.show_standing"))


@blueprint.post("/alerts/standing/<int:standing_id>/approve")
def approve_proposal(standing_id: int) -> AnyResponse:
    """Approve a proposal as the second person."""
    return _decide(standing_id, is_approval=True)


@blueprint.post("/alerts/standing/<int:standing_id>/revoke")
def revoke_proposal(standing_id: int) -> AnyResponse:
    """Revoke one, with a reason; from now on such telegrams wait for people."""
    return _decide(standing_id, is_approval=False)


def _decide(standing_id: int, is_approval: bool) -> AnyResponse:
    account = staff_account()
    if is_approval:
        account.require("approve_alerts")
    try:
        with staff_connection() as connection:
            if is_approval:
                approve_standing(connection, standing_id, account.name)
                message = gettext("Approved. From now on such telegrams are sent by themselves.")
            else:
                revoke_standing(connection, standing_id, account.name, request.form.get("reason", "")[:500])
                message = gettext("Revoked. From now on such telegrams wait for people.")
    except UsageError as error:
        flash(str(say_error(error)), "error")
    else:
        flash(message, "done")
    return redirect(url_for("staff.show_standing"))


def _read_form() -> Proposal:
    telegram, _, occasion = request.form.get("subject", "").partition(" ")
    if occasion not in OCCASIONS:
        raise UsageError("The kind of telegram was not chosen.", "Choose one of the list.").at("subject")
    levels = tuple(int(level) for level in request.form.getlist("level") if level in {"0", "1", "2", "3", "4", "5"})
    valid_from = alert_form.read_time(request.form, "valid_from") or datetime.now(JST)
    valid_until = alert_form.read_time(request.form, "valid_until")
    if valid_until is None:
        raise UsageError("The end is missing.", "A standing approval ends within a year.").at("valid_until")
    reason = request.form.get("reason", "")[:500]
    return Proposal(telegram, occasion, levels, reason, valid_from, valid_until)


def _render(connection: Connection, error: UsageError | None = None) -> str:
    ends = datetime.now(JST).replace(second=0, microsecond=0) + timedelta(days=_PROPOSED_DAYS)
    return render_template(
        "staff/alert_standing.html",
        rows=list_standing(connection),
        subjects=list_subjects(connection),
        account=staff_account(),
        desk=alert_words,
        error=error,
        typed=request.form,
        proposed_end=alert_form.write_time(ends),
    )
