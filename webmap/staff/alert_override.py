"""In an emergency: who is named for it sends the own message without a second person."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from alerts.approval import approve_alone, require_seen
from webmap.languages import gettext
from webmap.staff.access import blueprint, limiter, staff_account, staff_connection
from webmap.staff.proof import require_proof


@blueprint.post("/alerts/<int:alert_id>/approve-alone")
@limiter.limit("10 per minute")
def approve_alert_alone(alert_id: int) -> AnyResponse:
    """Approve with a reason and a fresh second factor; all approvers are told by mail at once."""
    account = staff_account()
    account.require("override_alerts")
    reason = request.form.get("reason", "").strip()[:500]
    require_proof()
    with staff_connection(reason) as connection:
        require_seen(connection, alert_id, request.form.get("version", ""))
        people = approve_alone(connection, alert_id, account.name, reason)
    flash(gettext("Sent by you alone to %(people)s people. The approvers are being told.", people=people), "done")
    return redirect(url_for("staff.show_alert", alert_id=alert_id))
