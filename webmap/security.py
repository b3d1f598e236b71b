"""Headers that keep a page from doing more than it says (Content Security Policy Level 3 and friends)."""

from __future__ import annotations

import secrets

from flask import Flask, Response, g
from flask_wtf import CSRFProtect

# The only other host a page ever talks to: GSI's background tiles (国土地理院, 地理院タイル).
BACKGROUND_TILES_ORIGIN = "https://cyberjapandata.gsi.go.jp"


csrf = CSRFProtect()


def nonce() -> str:
    """Return the nonce of this response; only inline scripts that carry it run."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def init_app(app: Flask) -> None:
    """Set the headers on every response, guard every form, and give templates `nonce()`."""
    csrf.init_app(app)
    app.context_processor(lambda: {"nonce": nonce})
    app.after_request(_set_headers)


def _set_headers(response: Response) -> Response:
    policy = (
        "default-src 'none'; "
        f"script-src 'self' 'nonce-{nonce()}'; "
        "style-src 'self'; connect-src 'self'; font-src 'self'; frame-src 'self'; "
        f"img-src 'self' data: {BACKGROUND_TILES_ORIGIN}; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    # GSI counts users of its tiles by Referer; addresses of our pages with tokens set no-referrer themselves.
    response.headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    return response
