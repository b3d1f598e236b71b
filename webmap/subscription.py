"""A subscription's page: what it holds, its quiet hours, and its end by a button or by the mail program's one click.

RFC 8058: a mail program sends a POST without cookies or a person; scanners fetch links with GET, so
GET never acts. The token in the address is the key, so there is no cookie to forge and no CSRF token.
"""

from __future__ import annotations

from datetime import time

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from sqlalchemy import text
from werkzeug.wrappers import Response as AnyResponse

from webmap.languages import gettext
from webmap.security import csrf
from webmap.services import citizen_connection

blueprint = Blueprint("subscription", __name__)


@blueprint.after_request
def _keep_token_secret(response: Response) -> Response:
    """The address holds the token: no referrer, no cache, no search engine."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@blueprint.get("/subscription/<token>")
def show_subscription(token: str) -> str:
    """Show a subscription, the address masked; change nothing."""
    return _page(token)


@blueprint.post("/subscription/<token>")
@csrf.exempt  # type: ignore[untyped-decorator]  # flask-wtf has no types
def end_subscription(token: str) -> Response:
    """End a subscription: by the page's button, or by RFC 8058 one-click. Ending it twice is no error."""
    with citizen_connection() as connection:
        is_known = connection.execute(text("SELECT open.unsubscribe(:token)"), {"token": token}).scalar_one()
    if not is_known:
        abort(404)
    return make_response(_page(token))


@blueprint.post("/subscription/<token>/quiet")
@csrf.exempt  # type: ignore[untyped-decorator]  # flask-wtf has no types
def set_quiet_hours(token: str) -> AnyResponse | tuple[str, int]:
    """Set or end the hours in which lesser messages wait; both fields empty end them."""
    written = [request.form.get(name, "").strip() for name in ("from", "until")]
    try:
        begins, ends = (time.fromisoformat(value) if value else None for value in written)
    except ValueError:
        return _page(token, gettext("A time is not written as 22:00.")), 400
    if (begins is None) != (ends is None) or (begins is not None and begins == ends):
        return _page(token, gettext("Write both times, and two different ones; or leave both empty.")), 400
    values = {"token": token, "begins": begins, "ends": ends}
    with citizen_connection() as connection:
        is_set = connection.execute(text("SELECT open.set_quiet_hours(:token, :begins, :ends)"), values).scalar_one()
    if not is_set:
        abort(404)
    return redirect(url_for(".show_subscription", token=token, saved=1), 303)


def _page(token: str, problem: str = "") -> str:
    with citizen_connection() as connection:
        found = connection.execute(text("SELECT * FROM open.subscription(:token)"), {"token": token}).first()
    if found is None:
        abort(404)
    return render_template(
        "citizen/subscription.html",
        subscription=found,
        token=token,
        problem=problem,
        is_saved="saved" in request.args and not problem,
    )
