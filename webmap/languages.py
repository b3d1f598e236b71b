"""Which language a page speaks, and its words.

Message ids are English; `translations/<language>.po` holds the other languages. The catalogues are
read at start as they are: there is no compile step that could be forgotten.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from babel.messages.pofile import read_po
from flask import Flask, Response, g, has_request_context, request

from gis.languages import DEFAULT_LANGUAGE, LANGUAGE_NAMES, LANGUAGES

TRANSLATIONS_DIR = Path(__file__).with_name("translations")
SOURCE_LANGUAGE = "en"
_COOKIE = "language"
_COOKIE_SECONDS = 365 * 24 * 3600


@cache
def load_catalogue(language: str) -> dict[str, str]:
    """Return msgid → text; empty for the source language, whose msgids are the text."""
    if language == SOURCE_LANGUAGE:
        return {}
    with (TRANSLATIONS_DIR / f"{language}.po").open("rb") as file:
        catalogue = read_po(file)
    return {str(message.id): str(message.string) for message in catalogue if message.id and message.string}


def choose_language() -> str:
    """Return the request's language: `?lang=`, then the cookie, then Accept-Language (RFC 9110 section 12.5.4).

    A browser that asks only for languages we do not have gets English; one that asks for none, Japanese.
    """
    for wish in (request.args.get("lang"), request.cookies.get(_COOKIE)):
        if wish in LANGUAGES:
            return wish
    if not request.accept_languages:
        return DEFAULT_LANGUAGE
    return request.accept_languages.best_match(LANGUAGES, default="en")


def language() -> str:
    """Return the language of the running request, chosen once."""
    if not has_request_context():
        return DEFAULT_LANGUAGE
    if "language" not in g:
        g.language = choose_language()
    return str(g.language)


def gettext(message: str, **values: object) -> str:
    """Return `message` in the request's language, its `%(name)s` filled."""
    words = load_catalogue(language()).get(message, message)
    return words % values if values else words


def mark(message: str) -> str:
    """Mark a text for the catalogue; it is translated later with `gettext`."""
    return message


def init_app(app: Flask) -> None:
    """Give templates `_()`, `language` and the switch; remember an explicit choice in a cookie."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # added by the extension
        lambda message: load_catalogue(language()).get(message, message),
        lambda one, many, count: one if count == 1 else many,
        newstyle=True,
    )
    app.context_processor(lambda: {"language": language(), "language_names": LANGUAGE_NAMES, "query_with": _query_with})
    app.after_request(_remember_choice)
    for name in LANGUAGES:
        load_catalogue(name)


def _query_with(**changes: str) -> str:
    """Return the request's query string with some values changed, for links to the same page."""
    return urlencode({**request.args.to_dict(), **changes})


def _remember_choice(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.headers.setdefault("Content-Language", language())
        response.vary.update(("Accept-Language", "Cookie"))
        if request.args.get("lang") in LANGUAGES:
            response.set_cookie(_COOKIE, request.args["lang"], max_age=_COOKIE_SECONDS, samesite="Lax", httponly=True)
    return response
