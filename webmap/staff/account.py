"""One's own account: sessions, department at work, password."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from gis.accounts import check_password
from gis.database import GATE
from gis.desk_sessions import choose_department, end_session, list_sessions
from gis.passwords import set_password
from webmap.languages import gettext
from webmap.services import services
from webmap.staff.access import blueprint, limiter, staff_account, staff_connection, staff_session_id
from webmap.staff.rights import role_titles


@blueprint.get("/account")
def show_account() -> str:
    """Show one's roles, departments and sessions."""
    account = staff_account()
    with services().database.begin(GATE) as connection:
        sessions = list_sessions(connection, account.name)
    with staff_connection() as connection:
        titles = role_titles(connection)
    return render_template(
        "staff/account.html", account=account, sessions=sessions, own_session=staff_session_id(), titles=titles
    )


@blueprint.post("/account/department")
def change_department() -> Response:
    """Work for another of one's departments from now on."""
    account = staff_account()
    with services().database.begin(GATE, account=account.name) as connection:
        choose_department(connection, staff_session_id(), account, request.form.get("department", ""))
    return redirect(url_for("staff.show_account"))


@blueprint.post("/account/sessions/<int:session_id>/end")
def revoke_session(session_id: int) -> Response:
    """End one of one's own sessions."""
    name = staff_account().name
    with services().database.begin(GATE, account=name) as connection:
        end_session(connection, session_id, name)
    flash(gettext("The session has ended."), "done")
    return redirect(url_for("staff.show_account"))


@blueprint.post("/account/password")
@limiter.limit("5 per minute")
def change_password() -> Response:
    """Set a new password after the present one was given; all other sessions end."""
    name, new = staff_account().name, request.form.get("new", "")[:200]
    with services().database.begin(GATE, account=name) as connection:
        is_known = check_password(connection, name, request.form.get("present", "")[:200]) is not None
    if not is_known:
        flash(gettext("The present password is wrong."), "error")
    elif new != request.form.get("again"):
        flash(gettext("The two new passwords differ."), "error")
    else:
        with services().database.begin(GATE, account=name) as connection:
            set_password(connection, name, new, keep_session=staff_session_id())
        flash(gettext("The password is changed; all other sessions have ended."), "done")
    return redirect(url_for("staff.show_account"))
