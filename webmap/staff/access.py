"""Who is at the desk, and with which role the database lets them in."""

from __future__ import annotations

from contextlib import AbstractContextManager

from flask import Blueprint, Flask, Response, redirect, request, url_for
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, UserMixin, current_user
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from gis.accounts import Account
from gis.database import GATE
from gis.desk_sessions import resume_session
from webmap.languages import mark
from webmap.services import services

blueprint = Blueprint("staff", __name__, url_prefix="/staff")
limiter = Limiter(get_remote_address)
_logins = LoginManager()
_logins.login_view = "staff.log_in"
_logins.login_message = mark("Please log in first.")
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
        found = resume_session(connection, token)
    return StaffMember(found[1], token, found[0]) if found else None


def staff_account() -> Account:
    """Return the account of the running request; only behind the login."""
    account: Account = current_user.account
    return account


def staff_session_id() -> int:
    """Return the number of the session of the running request; only behind the login."""
    return int(current_user.session_id)


def staff_connection(reason: str = "") -> AbstractContextManager[Connection]:
    """Open a transaction under the account's role in its department; `reason` goes into the history."""
    account = staff_account()
    return services().database.begin(account.role_name, account=account.name, reason=reason)


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
        answer: AnyResponse = _logins.unauthorized()
        return answer
    if staff_account().must_enrol and request.endpoint not in _ENROLMENT:
        return redirect(url_for("staff.show_second_factor"))
    return None


@blueprint.after_request
def _keep_private(response: Response) -> Response:
    """Nothing of the staff's pages stays in a shared cache or browser history; a file may stay in the own browser's."""
    if not response.cache_control.private:
        response.headers["Cache-Control"] = "no-store"
    return response
