"""Who is at the desk, and with which role the database lets them in."""

from __future__ import annotations

from contextlib import AbstractContextManager
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, flash, redirect, request, url_for
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, UserMixin, current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from gis.accounts import Account
from gis.database import GATE
from gis.desk_sessions import resume_session
from webmap.errors import show_http_error
from webmap.languages import gettext, mark
from webmap.services import services

blueprint = Blueprint("staff", __name__, url_prefix="/staff")
limiter = Limiter(get_remote_address)
_logins = LoginManager()
_logins.login_view = "staff.log_in"
_logins.login_message = mark("Please log in first.")
# What an open page asks again and again.
_BY_ITSELF = {"staff.show_progress", "staff.alert_reach"}
_OPEN_TO_ALL = {"staff.log_in", "staff.ask_code"}
# What someone may do who needs a second factor and has none.
_ENROLMENT = {
    "staff.show_second_factor",
    "staff.begin_second_factor",
    "staff.confirm_second_factor",
    "staff.log_out",
}


class StaffMember(UserMixin):  # type: ignore[misc]  # flask-login has no types
    """The account at the desk and its session, as Flask-Login wants them."""

    def __init__(self, account: Account, token: str, session_id: int) -> None:
        self.account = account
        self.session_id = session_id
        self._token = token

    def get_id(self) -> str:
        """Return what the cookie keeps: the session's token."""
        return self._token


@_logins.user_loader  # type: ignore[untyped-decorator]  # flask-login has no types
def load_member(token: str) -> StaffMember | None:
    """Look the session up on every request, so that an ended session or a closed account is out at once."""
    with services().database.begin(GATE) as connection:
        found = resume_session(connection, token, is_at_work=request.endpoint not in _BY_ITSELF)
    return StaffMember(found[1], token, found[0]) if found else None


def staff_account() -> Account:
    """Return the account of the running request; only behind the login."""
    account: Account = current_user.account
    return account


def staff_session_id() -> int:
    """Return the number of the session of the running request; only behind the login."""
    return int(current_user.session_id)


def staff_connection(reason: str = "", *, at_one_moment: bool = False) -> AbstractContextManager[Connection]:
    """Open a transaction under the account's role in its department; `reason` goes into the history."""
    account = staff_account()
    return services().database.begin(account.role_name, account.name, reason, at_one_moment=at_one_moment)


@blueprint.record_once
def _init_app(state: object) -> None:
    app: Flask = state.app  # type: ignore[attr-defined]  # BlueprintSetupState
    _logins.init_app(app)
    limiter.init_app(app)


@blueprint.before_request
def _require_login() -> AnyResponse | None:
    if request.endpoint in _OPEN_TO_ALL:
        return None
    if not current_user.is_authenticated:
        return _ask_login()
    if staff_account().must_enrol and request.endpoint not in _ENROLMENT:
        return redirect(url_for("staff.show_second_factor"))
    return None


def _ask_login() -> AnyResponse:
    """Lead to the login, and from there back to the page: of a form to the page that it stood on."""
    if request.method == "GET":
        answer: AnyResponse = _logins.unauthorized()
        return answer
    flash(gettext(_logins.login_message))
    return redirect(url_for("staff.log_in", next=_page_of_form()))


def _page_of_form() -> str | None:
    """Return the path of our page that sent a form; None when the browser does not say it."""
    parts = urlsplit(request.referrer or "")
    return parts.path if parts.netloc == request.host and parts.path.startswith("/staff") else None


@blueprint.app_errorhandler(CSRFError)
def _refuse_old_form(error: CSRFError) -> AnyResponse:
    """Lead who sent a form of a login that has ended back to its page, where the browser still has the words."""
    page = _page_of_form()
    if request.blueprint != blueprint.name or page is None or request.headers.get("Sec-Fetch-Mode") != "navigate":
        return show_http_error(error)
    if not current_user.is_authenticated:
        return _ask_login()
    flash(
        gettext("You logged in anew since this page was opened. Nothing was saved; please look and press again."),
        "error",
    )
    return redirect(page)


@blueprint.after_request
def _keep_private(response: Response) -> Response:
    """Nothing of the staff's pages stays in a shared cache or browser history; a file may stay in the own browser's."""
    if not response.cache_control.private:
        response.headers["Cache-Control"] = "no-store"
    return response
