"""All accounts, for administrators: add, roles, departments, disable. The database asks who it is, too."""

from __future__ import annotations

from contextlib import AbstractContextManager

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from gis.accounts import (
    add_account,
    grant_role,
    join_department,
    leave_department,
    list_accounts,
    list_events,
    revoke_role,
    set_active,
)
from gis.database import ADMIN
from gis.desk_sessions import end_sessions
from gis.passwords import set_password
from gis.rights import ROLES
from gis.roles import load_departments
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
    with staff_connection() as connection:
        titles = role_titles(connection)
    return render_template(
        "staff/accounts.html",
        accounts=accounts,
        all_roles=ROLES,
        departments=[(one.name, titles[one.name]) for one in load_departments()],
        wanted=wanted,
        events=events,
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
    """Make roles and departments those that are ticked; set a new password if one was written."""
    roles, departments = set(request.form.getlist("role")), request.form.getlist("department")
    with _administration() as connection:
        account = next((one for one in list_accounts(connection, with_disabled=True) if one.name == name), None)
        if account is None:
            abort(404)
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
        is_active = "is_active" in request.form
        set_active(connection, name, is_active)
        if not is_active:
            end_sessions(connection, name)
    flash(gettext("The account is changed."), "done")
    return redirect(url_for("staff.show_accounts"))


def _administration() -> AbstractContextManager[Connection]:
    account = staff_account()
    if not account.may("keep_accounts"):
        abort(403)
    return services().database.begin(ADMIN, account=account.name)
