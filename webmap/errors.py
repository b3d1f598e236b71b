"""Error pages in the languages of the house; machines get the same words as plain text."""

from __future__ import annotations

import structlog
from flask import Flask, Response, make_response, render_template, request
from psycopg.errors import InsufficientPrivilege
from sqlalchemy.exc import OperationalError, ProgrammingError
from werkzeug.exceptions import Forbidden, HTTPException, InternalServerError, ServiceUnavailable

from gis.errors import UsageError
from webmap.languages import gettext, mark
from webmap.spoken import say_error

log = structlog.get_logger()

# HTTP status → heading and what to do now.
_WORDS = {
    400: (mark("This cannot be done as asked"), mark("Please check what was entered and try again.")),
    403: (
        mark("You may not see this page"),
        mark("Your department has no right to it. Ask the disaster prevention section."),
    ),
    404: (mark("There is no such page"), mark("The address may be mistyped, or what it showed has been withdrawn.")),
    405: (mark("This cannot be done as asked"), mark("Please use the buttons on the page.")),
    429: (mark("Too many tries"), mark("Please wait a minute and try again.")),
    500: (mark("Something went wrong on our side"), mark("It has been recorded. Please try again in a moment.")),
    503: (mark("The service is not ready"), mark("The database does not answer. Please try again in a moment.")),
}


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(HTTPException, show_http_error)
    app.register_error_handler(UsageError, _usage_error)
    app.register_error_handler(OperationalError, _database_down)
    app.register_error_handler(ProgrammingError, _refused_by_database)
    app.register_error_handler(InsufficientPrivilege, _refused_by_driver)
    app.register_error_handler(Exception, _bug)


def missing_page(_error: Exception | None = None) -> Response:
    """Answer that there is no such page; a blueprint registers it for errors of its own that mean this."""
    return _page(404)


def _page(status: int, detail: str = "", hint: str = "") -> Response:
    heading, advice = (gettext(words) for words in _WORDS.get(status, _WORDS[400 if status < 500 else 500]))
    if request.accept_mimetypes.best_match(["text/html", "text/plain"], default="text/html") == "text/html":
        body = render_template(
            "errors/error.html", status=status, heading=heading, advice=hint or advice, detail=detail
        )
        return make_response(body, status)
    response = make_response(f"{status} {heading}\n{detail}\n{hint or advice}\n", status)
    response.mimetype = "text/plain"
    return response


def show_http_error(error: HTTPException) -> Response:
    """Answer an HTTP error in the reader's language."""
    if error.response is not None:  # abort(Response(…)) and redirects carry their own answer
        return make_response(error.response)
    response = _page(error.code or 500)
    response.headers.extend([item for item in error.get_headers() if item[0].lower() in ("allow", "retry-after")])
    return response


def _usage_error(error: UsageError) -> Response:
    return _page(400, *say_error(error))


def _database_down(error: OperationalError) -> Response:
    log.error("database does not answer", path=request.path, reason=str(error.orig))
    return _page(ServiceUnavailable.code)


def _refused_by_database(error: ProgrammingError) -> Response:
    """The database, not the view, decides who sees what: its refusal is a 403."""
    if isinstance(error.orig, InsufficientPrivilege):
        log.info("refused by the database", path=request.path, reason=str(error.orig).splitlines()[0])
        return _page(Forbidden.code)
    return _bug(error)


def _refused_by_driver(error: InsufficientPrivilege) -> Response:
    """The same refusal, of SQL that was composed for psycopg itself."""
    log.info("refused by the database", path=request.path, reason=str(error).splitlines()[0])
    return _page(Forbidden.code)


def _bug(error: Exception) -> Response:
    log.error("unexpected error", path=request.path, exc_info=error)
    return _page(InternalServerError.code)
