"""The local mailbox in the browser: what the town's people would have got. Only while no relay is set."""

from __future__ import annotations

from flask import Response, abort, render_template, request
from sqlalchemy import text

from webmap import mail_reading
from webmap.services import services
from webmap.staff.access import blueprint, staff_connection

_ROWS = 50


@blueprint.app_context_processor
def _offer_mailbox() -> dict[str, object]:
    return {"has_mailbox": services().settings.has_local_mailbox}


def _require_mailbox() -> None:
    """404 when mails leave the house; 403 for a department that may not see the subscribers' addresses."""
    if not services().settings.has_local_mailbox:
        abort(404)
    with staff_connection() as connection:
        connection.execute(text("SELECT FROM alerts.subscriber LIMIT 0"))


@blueprint.get("/mailbox")
def show_mailbox() -> str:
    """List the mails, newest first; `?q=` filters, `?page=` turns the page."""
    _require_mailbox()
    wanted, page = request.args.get("q", "").strip(), max(request.args.get("page", 1, type=int), 1)
    mails = mail_reading.list_mails(services().settings.mailbox_dir, wanted, (page - 1) * _ROWS, _ROWS + 1)
    return render_template(
        "staff/mailbox.html", mails=mails[:_ROWS], wanted=wanted, page=page, has_more=len(mails) > _ROWS
    )


@blueprint.get("/mailbox/<key>")
def show_mail(key: str) -> str:
    """Show one mail: headers, text, and its HTML in a frame of its own."""
    _require_mailbox()
    mail = mail_reading.read_mail(services().settings.mailbox_dir, key)
    if mail is None:
        abort(404)
    plain, html = mail_reading.body_part(mail, "plain"), mail_reading.body_part(mail, "html")
    return render_template("staff/mail.html", mail=mail, key=key, plain=plain, has_html=bool(html))


@blueprint.get("/mailbox/<key>/html")
def show_mail_html(key: str) -> Response:
    """Answer a mail's HTML part for the frame: sandboxed, without scripts, forms and other hosts."""
    _require_mailbox()
    mail = mail_reading.read_mail(services().settings.mailbox_dir, key)
    if mail is None:
        abort(404)
    response = Response(mail_reading.body_part(mail, "html"), mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
    )
    return response
