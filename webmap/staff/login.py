"""Log in, with a code of the second factor where there is one, and out."""

from __future__ import annotations

import time
from contextlib import suppress
from urllib.parse import urlsplit

import structlog
from flask import flash, redirect, render_template, request, session, url_for
from flask_limiter.util import get_remote_address
from flask_login import current_user, login_user, logout_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from gis.accounts import Account, check_password, find_account
from gis.database import GATE
from gis.desk_sessions import end_session, start_session
from gis.errors import UsageError
from gis.second_factor import check_code, second_factor_key
from webmap.languages import gettext
from webmap.services import services
from webmap.staff.access import blueprint, limiter, load_member, staff_account, staff_session_id

log = structlog.get_logger()

# For whom the password was right, and when: half a login. The cookie is signed.
_HALF = "half_login"
_HALF_LASTS_S = 300


class LoginForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Name and password; the labels are in the template."""

    name = StringField(validators=[InputRequired(), Length(max=40)])
    password = PasswordField(validators=[InputRequired(), Length(max=200)])


def _person_at_address() -> str:
    return f"{get_remote_address()} {request.form.get('name', '')}"


@blueprint.route("/login", methods=["GET", "POST"])
@limiter.limit("5 per minute", key_func=_person_at_address, methods=["POST"])
@limiter.limit("30 per minute", methods=["POST"])
def log_in() -> str | Response:
    """Check name and password; the answer does not say which of the two was wrong."""
    if current_user.is_authenticated:
        return redirect(url_for("staff.show_overview"))
    form = LoginForm()
    if form.validate_on_submit():
        with services().database.begin(GATE) as connection:
            account = check_password(connection, form.name.data, form.password.data)
        if account and account.has_second_factor:
            session.clear()
            session[_HALF] = [account.name, time.time()]
            return redirect(url_for("staff.ask_code", next=_safe_target(request.args.get("next"))))
        if account:
            _begin_session(account)
            return redirect(_safe_target(request.args.get("next")))
        log.warning("login refused", name=form.name.data, address=get_remote_address())
        flash(gettext("Name or password is wrong."), "error")
    return render_template("staff/login.html", form=form)


def _half_at_address() -> str:
    return f"{get_remote_address()} {_half_name()}"


@blueprint.route("/login/code", methods=["GET", "POST"])
@limiter.limit("5 per minute", key_func=_half_at_address, methods=["POST"])
@limiter.limit("30 per minute", methods=["POST"])
def ask_code() -> str | Response:
    """Take the second step of a login whose password was right in the last five minutes."""
    if (name := _half_name()) is None:
        return redirect(url_for("staff.log_in"))
    if request.method == "POST":
        with services().database.begin(GATE, account=name) as connection:
            key = second_factor_key(services().settings)
            is_right = check_code(connection, name, key, request.form.get("code", "")[:20])
            account = find_account(connection, name)
        if is_right and account:
            _begin_session(account, with_code=True)
            return redirect(_safe_target(request.args.get("next")))
        log.warning("code refused", name=name, address=get_remote_address())
        flash(
            gettext("The code is wrong or was used already. After five wrong ones none is taken for some minutes."),
            "error",
        )
    return render_template("staff/login_code.html")


def _half_name() -> str | None:
    name, at = session.get(_HALF, (None, 0))
    return name if time.time() - at < _HALF_LASTS_S else None


@blueprint.post("/logout")
def log_out() -> Response:
    """End the session, here and in the database."""
    if current_user.is_authenticated:
        name = staff_account().name
        with suppress(UsageError), services().database.begin(GATE, account=name) as connection:  # ended meanwhile
            end_session(connection, staff_session_id(), name)
    logout_user()
    session.clear()
    return redirect(url_for("staff.log_in"))


def _begin_session(account: Account, *, with_code: bool = False) -> None:
    with services().database.begin(GATE, account=account.name) as connection:
        agent, address = request.user_agent.string, get_remote_address()
        token = start_session(connection, account, agent, address, with_code=with_code)
    session.clear()  # nothing of the time before the login goes on
    session.permanent = True
    login_user(load_member(token))


def _safe_target(target: str | None) -> str:
    """Return a path of ours to go on to; an address of another host would make the login a phisher's tool."""
    parts = urlsplit(target or "")
    is_ours = not parts.scheme and not parts.netloc and parts.path.startswith("/staff") and "\\" not in parts.path
    return target if target and is_ours else url_for("staff.show_overview")
