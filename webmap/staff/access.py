"""Who is at the desk, and with which role the database lets them in."""

from __future__ import annotations

from contextlib import AbstractContextManager

from flask import Blueprint, Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, UserMixin, current_user
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from gis.accounts import Account, find_account
from gis.database import GATE
from webmap.languages import mark
from webmap.services import services

blueprint = Blueprint("staff", __name__, url_prefix="/staff")
limiter = Limiter(get_remote_address)
_logins = LoginManager()
_logins.login_view = "staff.log_in"
_logins.login_message = mark("Please log in first.")
_OPEN_TO_ALL = {"staff.log_in"}


class StaffMember(UserMixin):  # type: ignore[misc]  # flask-login has no types
    """The logged-in account, as Flask-Login wants it."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def get_id(self) -> str:
        """Return what the session cookie keeps."""
        return self.account.name


@_logins.user_loader  # type: ignore[untyped-decorator]  # flask-login has no types
def _load_member(name: str) -> StaffMember | None:
    """Look the account up on every request, so that a closed account is out at once."""
    with services().database.begin(GATE) as connection:
        account = find_account(connection, name)
    return StaffMember(account) if account else None


def staff_account() -> Account:
    """Return the account of the running request; only behind the login."""
    account: Account = current_user.account
    return account


def staff_connection(reason: str = "") -> AbstractContextManager[Connection]:
    """Open a transaction under the role of the account's department; `reason` goes into the history."""
    account = staff_account()
    return services().database.begin(account.role_name, account=account.name, reason=reason)


@blueprint.record_once
def _init_app(state: object) -> None:
    app: Flask = state.app  # type: ignore[attr-defined]  # BlueprintSetupState
    _logins.init_app(app)
    limiter.init_app(app)


@blueprint.before_request
def _require_login() -> AnyResponse | None:
    if request.endpoint in _OPEN_TO_ALL or current_user.is_authenticated:
        return None
    answer: AnyResponse = _logins.unauthorized()
    return answer


@blueprint.after_request
def _keep_private(response: Response) -> Response:
    """Nothing of the staff's pages stays in a shared cache or browser history."""
    response.headers["Cache-Control"] = "no-store"
    return response
