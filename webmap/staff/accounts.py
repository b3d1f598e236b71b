"""All accounts, for administrators: add, roles, departments, disable, sessions, second factor.

The database asks who it is, too.
"""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from gis.accounts import (
    Account,
    add_account,
    grant_role,
    join_department,
    leave_department,
    list_accounts,
    list_events,
    revoke_role,
    set_active,
    set_email,
)
from gis.database import ADMIN
from gis.db_login import end_db_connections, list_db_logins
from gis.desk_sessions import end_sessions, list_sessions
from gis.passwords import set_password
from gis.rights import ROLES
from gis.roles import load_departments
from gis.second_factor import remove_second_factor
from webmap.languages import gettext
from webmap.services import services
from webmap.staff.access import blueprint, staff_account, staff_connection
from webmap.staff.rights import role_titles


@blueprint.get("/accounts")
def show_accounts() -> str:
    """List every account with its departments and roles, and one's history with `?account=`."""
    with _administration() as connection:
        accounts = list_accounts(connection, with_disabled=True)
        wanted = request.args.get("account", "")
        events = list_events(connection, wanted) if wanted else []
        sessions = Counter(session.account for session in list_sessions(connection))
        logins = {login.name: login for login in list_db_logins(connection) if login.department}
    with staff_connection() as connection:
        titles = role_titles(connection)
    return render_template(
        "staff/accounts.html",
        accounts=accounts,
        all_roles=ROLES,
        departments=[(one.name, titles[one.name]) for one in load_departments()],
        wanted=wanted,
        events=events,
        sessions=sessions,
        logins=logins,
        titles=titles,
    )


@blueprint.post("/accounts")
def add_new_account() -> Response:
    """Add an account; its roles are given in the list."""
    name, title, department = (request.form.get(key, "").strip() for key in ("name", "title", "department"))
    with _administration() as connection:
        add_account(connection, name, title, department, request.form.get("password", "")[:200])
    flash(gettext("The account is added."), "done")
    return redirect(url_for("staff.show_accounts"))


@blueprint.post("/accounts/<name>")
def change_account(name: str) -> Response:
    """Make roles and departments those that are ticked; set the address, and a new password if one was written."""
    roles, departments = set(request.form.getlist("role")), request.form.getlist("department")
    with _administration() as connection:
        account = _known(connection, name)
        for role in roles - account.roles:
            grant_role(connection, name, role)
        for role in account.roles - roles:
            revoke_role(connection, name, role)
        for department in sorted(set(departments) - set(account.departments)):
            join_department(connection, name, department)
        for department in sorted(set(account.departments) - set(departments)):
            leave_department(connection, name, department)
        if password := request.form.get("password", "")[:200]:
            set_password(connection, name, password)
        if (email := request.form.get("email")) is not None:
            set_email(connection, name, email.strip()[:254])
        is_active = "is_active" in request.form
        set_active(connection, name, is_active)
        if not is_active:
            end_sessions(connection, name)
        is_other = (set(account.roles), set(account.departments), account.is_active) != (
            roles,
            set(departments),
            is_active,
        )
    if is_other:
        with _administration() as connection:  # after the commit: see there
            end_db_connections(connection, name)
    flash(gettext("The account is changed."), "done")
    return redirect(url_for("staff.show_accounts"))


@blueprint.post("/accounts/<name>/sessions/end")
def end_all_sessions(name: str) -> Response:
    """End all sessions of an account."""
    with _administration() as connection:
        end_sessions(connection, _known(connection, name).name)
    flash(gettext("All sessions have ended."), "done")
    return redirect(url_for("staff.show_accounts"))


@blueprint.post("/accounts/<name>/second-factor/reset")
def reset_second_factor(name: str) -> Response:
    """Take the second factor of someone who lost the phone; their sessions end, and the log names who did it."""
    with _administration() as connection:
        remove_second_factor(connection, _known(connection, name).name)
        end_sessions(connection, name)
    flash(gettext("The second factor is removed."), "done")
    return redirect(url_for("staff.show_accounts"))


def _known(connection: Connection, name: str) -> Account:
    account = next((one for one in list_accounts(connection, with_disabled=True) if one.name == name), None)
    return account or abort(404)


def _administration() -> AbstractContextManager[Connection]:
    account = staff_account()
    if not account.may("keep_accounts"):
        abort(403)
    return services().database.begin(ADMIN, account=account.name)
