"""After approval: how far a message is as JSON, its record as a file, and once more to whom it did not reach."""

from __future__ import annotations

from flask import Response, abort, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from alerts.progress import read_progress
from alerts.report import count_states
from alerts.report_file import write_csv
from alerts.resending import resend_failed
from webmap.languages import gettext
from webmap.staff import alert_words
from webmap.staff.access import blueprint, staff_account, staff_connection
from webmap.staff.alert_deliveries import delivery_values


@blueprint.get("/alerts/<int:alert_id>/progress.json")
def alert_progress(alert_id: int) -> Response:
    """Answer the numbers of the page, without any address."""
    with staff_connection() as connection:
        progress = read_progress(connection, alert_id)
        states = {row.state: row.messages for row in count_states(connection, alert_id)}
    if not states:
        abort(404)
    return jsonify(
        states=states,
        held=progress.counts.held,
        domains=[dict(row._mapping) for row in progress.domains],
        reasons=progress.reasons,
        per_second=round(progress.per_second, 2),
        ends_at=progress.ends_at.isoformat() if progress.ends_at else None,
        in_doubt=progress.in_doubt,
        resendable=progress.resendable,
    )


@blueprint.get("/alerts/<int:alert_id>/progress")
def show_progress(alert_id: int) -> str:
    """Show the same numbers and mails as the page does: the parts that its script puts in place again and again."""
    with staff_connection() as connection:
        values = delivery_values(connection, alert_id)
    if not values["progress"].counts.messages:
        abort(404)
    parts = ["parts/alert_progress.html", "parts/alert_deliveries.html"]
    shown = {**values, "alert": {"id": alert_id}, "account": staff_account(), "desk": alert_words}
    return "".join(render_template(part, **shown) for part in parts)


@blueprint.get("/alerts/<int:alert_id>/report.csv")
def alert_report(alert_id: int) -> Response:
    """Answer the record of an alert as a table."""
    with staff_connection() as connection:
        table = write_csv(connection, alert_id)
    disposition = f'attachment; filename="alert-{alert_id}.csv"'
    return Response(table, mimetype="text/csv", headers={"Content-Disposition": disposition})


@blueprint.post("/alerts/<int:alert_id>/resend")
def resend_alert(alert_id: int) -> AnyResponse:
    """Send once more to those whom it did not reach; approvers only."""
    staff_account().require("approve_alerts")
    note = request.form.get("note", "").strip()[:500]
    with staff_connection(note) as connection:
        messages = resend_failed(connection, alert_id, note)
    flash(gettext("%(messages)s messages are being sent once more.", messages=messages), "done")
    return redirect(url_for("staff.show_alert", alert_id=alert_id))
