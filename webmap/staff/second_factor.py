"""One's own second factor: set up with an authenticator app, new recovery codes, removal."""

from __future__ import annotations

import segno
from flask import flash, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from gis.accounts import check_password
from gis.database import GATE
from gis.desk_sessions import keep_only_session
from gis.second_factor import (
    begin_enrolment,
    check_code,
    confirm_enrolment,
    count_recovery_codes,
    enrolment_secret,
    provisioning_uri,
    remove_second_factor,
    renew_recovery_codes,
    second_factor_key,
)
from webmap.languages import gettext, language
from webmap.services import services
from webmap.staff.access import blueprint, limiter, staff_account, staff_session_id


@blueprint.get("/account/second-factor")
def show_second_factor() -> str:
    """Show how to set it up, the QR code of an enrolment that was begun, or what is left of the recovery codes."""
    account = staff_account()
    with services().database.begin(GATE, account=account.name) as connection:
        secret = enrolment_secret(connection, account.name, _key())
        left = count_recovery_codes(connection, account.name)
    groups = [secret[start : start + 4] for start in range(0, len(secret), 4)] if secret else []
    picture = _qr_code(provisioning_uri(account.name, secret, services().town.name(language()))) if secret else None
    return render_template(
        "staff/second_factor.html", account=account, groups=groups, picture=picture, recovery_codes_left=left
    )


@blueprint.post("/account/second-factor/begin")
@limiter.limit("5 per minute")
def begin_second_factor() -> Response:
    """Choose a secret, after the password was given: nobody sets up a phone at a desk that was left unlocked."""
    name = staff_account().name
    if _password_fits(name):
        with services().database.begin(GATE, account=name) as connection:
            begin_enrolment(connection, name)
    return redirect(url_for("staff.show_second_factor"))


@blueprint.post("/account/second-factor/confirm")
@limiter.limit("10 per minute")
def confirm_second_factor() -> str | Response:
    """Take the first code; show the recovery codes, this once. The person's other sessions end."""
    name = staff_account().name
    with services().database.begin(GATE, account=name) as connection:
        codes = confirm_enrolment(connection, name, _key(), request.form.get("code", "")[:20])
        if codes:
            keep_only_session(connection, staff_session_id(), name)
    if not codes:
        flash(gettext("The code does not fit. Is the clock of the phone right?"), "error")
        return redirect(url_for("staff.show_second_factor"))
    return render_template("staff/recovery_codes.html", codes=codes)


@blueprint.post("/account/second-factor/recovery-codes")
@limiter.limit("5 per minute")
def renew_codes() -> str | Response:
    """Make new recovery codes after password and code were given; the old ones are void."""
    name = staff_account().name
    if not (_password_fits(name) and _code_fits(name)):
        return redirect(url_for("staff.show_second_factor"))
    with services().database.begin(GATE, account=name) as connection:
        codes = renew_recovery_codes(connection, name, _key())
    return render_template("staff/recovery_codes.html", codes=codes)


@blueprint.post("/account/second-factor/remove")
@limiter.limit("5 per minute")
def remove_own_second_factor() -> Response:
    """Remove it after password and code were given; approvers and administrators then set up the next one."""
    name = staff_account().name
    if _password_fits(name) and _code_fits(name):
        with services().database.begin(GATE, account=name) as connection:
            remove_second_factor(connection, name)
        flash(gettext("The second factor is removed."), "done")
    return redirect(url_for("staff.show_second_factor"))


def _password_fits(name: str) -> bool:
    with services().database.begin(GATE, account=name) as connection:
        is_right = check_password(connection, name, request.form.get("present", "")[:200]) is not None
    if not is_right:
        flash(gettext("The present password is wrong."), "error")
    return is_right


def _code_fits(name: str) -> bool:
    with services().database.begin(GATE, account=name) as connection:
        is_right = check_code(connection, name, _key(), request.form.get("code", "")[:20])
    if not is_right:
        flash(
            gettext("The code is wrong or was used already. After five wrong ones none is taken for some minutes."),
            "error",
        )
    return is_right


def _key() -> str:
    return second_factor_key(services().settings)


def _qr_code(content: str) -> Markup:
    """An inline SVG that shrinks whole, black on white in any colour scheme, with the quiet zone that readers need."""
    return Markup(segno.make(content, error="l").svg_inline(omitsize=True, dark="#000", light="#fff"))  # noqa: S704  # our own
