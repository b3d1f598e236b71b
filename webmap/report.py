"""Citizens' reports: the form `/report`, and the reporter's own page, whose address holds the key.

Neither needs a cookie or a login: the form carries a signed key of its own, so there is no session to ride on and no
CSRF token. Reading runs as `citizen`; what was sent is stored by the service (ingest/citizens.py).
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from functools import cache
from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from sqlalchemy import text
from werkzeug.wrappers import Response as AnyResponse

from gis.database import SERVICE
from gis.settings import Settings
from ingest.answers import KEY_NAME
from ingest.citizen_forms import Keys, has_proof
from ingest.citizen_policy import load_citizen_policy
from ingest.citizen_words import RefusedReportError, load_citizen_words
from ingest.citizens import Sender, add_to_report, check_limits, is_stormy, stop_mails, take_report, withdraw_report
from layers.attachment_files import CleanFile
from webmap import town_map
from webmap.languages import language
from webmap.report_form import Filled, Problem, make_report, read_filled, read_photos
from webmap.security import csrf
from webmap.services import citizen_connection, services

blueprint = Blueprint("report", __name__)
_COOKIE = "machimori_reporter"
_COOKIE_SECONDS = 30 * 24 * 3600
_FORM_BYTES = 100_000


@blueprint.url_value_preprocessor
def _allow_photos(endpoint: str | None, _values: object) -> None:
    """Let a form with photos be larger than others, before anything reads it."""
    if endpoint in ("report.send_report", "report.add"):
        policy = load_citizen_policy()
        request.max_content_length = policy.most_photos * policy.most_photo_bytes + _FORM_BYTES


@blueprint.after_request
def _keep_secret(response: Response) -> Response:
    """Addresses hold keys, forms what somebody wrote: no referrer, no cache, no search engine for the former."""
    response.headers["Referrer-Policy"] = "no-referrer" if request.endpoint != "report.show_form" else "same-origin"
    response.headers["Cache-Control"] = "no-store"
    if request.endpoint != "report.show_form":
        response.headers["X-Robots-Tag"] = "noindex"
    return response


@blueprint.get("/report")
def show_form() -> Response:
    """Show the empty form."""
    return _form(Filled(), keys().form(_now()))


@blueprint.post("/report")
@csrf.exempt  # type: ignore[untyped-decorator]  # flask-wtf has no types
def send_report() -> AnyResponse:
    """Take a report; the same form sent again leads to the same page."""
    filled, form, policy = read_filled(request.form), request.form.get("form", ""), load_citizen_policy()
    try:
        reference = keys().open_form(form, _now(), policy)
    except RefusedReportError as refusal:
        fresh = form if refusal.code == "fast" else keys().form(_now())
        return _mend(filled, fresh, refusal)
    sender, is_storm = _sender(filled, form), False
    sent = [one for one in request.files.getlist("photos") if one.filename]
    photos: tuple[CleanFile, ...] = ()
    database = services().database
    try:
        if sent:
            if _is_known(reference):
                return _own_page(reference)
            with database.begin(SERVICE, account="citizen") as connection:
                check_limits(connection, sender, policy)  # before a processor works on pictures
                is_storm = is_stormy(connection, policy)
            if not is_storm:
                photos, filled.problems = read_photos(sent, policy, language())
        report = make_report(filled, photos, _now(), language(), services().town, policy)
        if report is None:
            return _form(filled, form, 422)
        with database.begin(SERVICE, account="citizen") as connection:
            taken = take_report(connection, reference, report, sender, policy)
    except RefusedReportError as refusal:
        return _mend(filled, form, refusal)
    return _own_page(reference, photos_later=1 if is_storm or taken.has_photos_put_off else None)


@blueprint.get("/report/<token>")
def show_report(token: str) -> Response:
    """Show how it stands with a report."""
    return _page(_reference(token), token)


@blueprint.post("/report/<token>/add")
@csrf.exempt  # type: ignore[untyped-decorator]
def add(token: str) -> AnyResponse:
    """Add words or photos to a report."""
    reference, policy = _reference(token), load_citizen_policy()
    words = request.form.get("text", "").strip()
    sent = [one for one in request.files.getlist("photos") if one.filename]
    found = _find(reference)
    if found.parts > policy.additions or found.photos + len(sent) > policy.most_photos:  # before working on pictures
        return _page(reference, token, [Problem(RefusedReportError("additions").text(language()))], words, 422)
    photos, problems = read_photos(sent, policy, language())
    if not problems and not photos and not 3 <= len(words) <= policy.most_letters:
        problems = [Problem(RefusedReportError("text").text(language()), "text")]
    if problems:
        return _page(reference, token, problems, words, 422)
    try:
        with services().database.begin(SERVICE, account="citizen") as connection:
            add_to_report(connection, reference, words[: policy.most_letters], photos, _now(), policy)
    except RefusedReportError as refusal:
        return _page(reference, token, [Problem(refusal.text(language()))], words, 422)
    return redirect(url_for("report.show_report", token=token, done="added"), 303)


@blueprint.post("/report/<token>/withdraw")
@csrf.exempt  # type: ignore[untyped-decorator]
def withdraw(token: str) -> AnyResponse:
    """Take a report back, once its sender says to be sure."""
    reference = _reference(token)
    if "sure" in request.form:
        with services().database.begin(SERVICE, account="citizen", reason="withdrawn by its sender") as connection:
            withdraw_report(connection, reference, _now())
    return redirect(url_for("report.show_report", token=token), 303)


@blueprint.post("/report/<token>/stop")
@csrf.exempt  # type: ignore[untyped-decorator]
def stop(token: str) -> AnyResponse:
    """End the answers by mail: by the page's button, or by the mail program's one click (RFC 8058)."""
    reference = _reference(token)
    with services().database.begin(SERVICE, account="citizen") as connection:
        stop_mails(connection, reference)
    return redirect(url_for("report.show_report", token=token, done="stopped"), 303)


@blueprint.get("/report/<token>/stop")
def ask_stop(token: str) -> AnyResponse:
    """Lead who follows the link of the mail's header to the page; a scanner's GET never acts."""
    return redirect(url_for("report.show_report", token=token))


def keys() -> Keys:
    """Return the keys of this installation, read once for a process, as the key of the sessions is."""
    return _read_keys(services().settings)


@cache
def _read_keys(settings: Settings) -> Keys:
    return Keys(settings.secret(KEY_NAME))


def _reference(token: str) -> str:
    reference = keys().open_token(token)
    if reference is None or not _is_known(reference):
        abort(404)
    return reference


def _is_known(reference: str) -> bool:
    return _find(reference) is not None


def _find(reference: str) -> Any:
    with citizen_connection() as connection:
        query = text("SELECT * FROM open.citizen_report(:reference)")
        return connection.execute(query, {"reference": reference}).first()


def _own_page(reference: str, **values: Any) -> AnyResponse:
    address = url_for("report.show_report", token=keys().token(reference), done="sent", **values)
    return redirect(address, 303)


def _page(
    reference: str, token: str, problems: list[Problem] | None = None, words: str = "", status: int = 200
) -> Response:
    policy = load_citizen_policy()
    return make_response(
        render_template(
            "citizen/report_own.html",
            report=_find(reference),
            token=token,
            problems=problems or [],
            added_words=words,
            policy=policy,
            report_words=load_citizen_words(language()),
            done=request.args.get("done", ""),
            has_photos_later="photos_later" in request.args,
        ),
        status,
    )


def _mend(filled: Filled, form: str, refusal: RefusedReportError) -> Response:
    filled.problems.append(Problem(refusal.text(language())))
    return _form(filled, form, 429 if refusal.is_for_now else 422)


def _form(filled: Filled, form: str, status: int = 200) -> Response:
    policy, town = load_citizen_policy(), services().town
    with citizen_connection() as connection:
        quarters = connection.execute(
            text("SELECT name FROM open.town_block GROUP BY name ORDER BY min(name_kana), name")
        )
        names = [name for name in quarters.scalars() if name]
    with services().database.begin(SERVICE) as connection:
        is_storm = is_stormy(connection, policy)
    page = render_template(
        "citizen/report.html",
        filled=filled,
        form=form,
        policy=policy,
        is_storm=is_storm,
        quarters=names,
        report_words=load_citizen_words(language()),
        script=town_map.small_map_script(town, language()),
        assets=town_map,
    )
    response = make_response(page, status)
    if _COOKIE not in request.cookies:
        is_secure = services().settings.base_url.startswith("https://")
        response.set_cookie(
            _COOKIE, secrets.token_urlsafe(16), _COOKIE_SECONDS, httponly=True, samesite="Lax", secure=is_secure
        )
    return response


def _sender(filled: Filled, form: str) -> Sender:
    own = keys()
    return Sender(
        own.network(request.remote_addr or ""),
        own.device(request.cookies.get(_COOKIE, "")[:64]),
        own.words(filled.text),
        own.contact(filled.contact),
        has_proof(form, request.form.get("proof", ""), load_citizen_policy().proof_bits),
    )


def _now() -> datetime:
    return datetime.now(UTC)
