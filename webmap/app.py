"""The Flask application: settings in, windows registered, nothing else."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from gis.settings import Settings, load_settings
from webmap import (
    alert_documents,
    citizen,
    citizen_attachments,
    errors,
    feeds,
    ingest_door,
    languages,
    operations,
    push,
    report,
    security,
    services,
    spoken,
    staff,
    statistics,
    subscription,
    tiles,
    wording,
)


def create_app(settings: Settings | None = None) -> Flask:
    """Return the web application of one installation.

    It opens no connection before the first request, so it starts while the database is down
    and says so at `/readyz`.
    """
    settings = settings or load_settings()
    app = Flask("webmap")
    app.config.update(
        SECRET_KEY=settings.secret("session_key"),
        SESSION_COOKIE_NAME="machimori_staff",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.base_url.startswith("https://"),
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        # A tile's answer that comes late must not put an older cookie back: a notice that was set meanwhile is lost.
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session; a warning may stay open on a desk for hours
        MAX_CONTENT_LENGTH=1_000_000,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(hours=1),
        RATELIMIT_STORAGE_URI="memory://",
    )
    if settings.proxies:
        hops = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    services.init_app(app, settings)
    languages.init_app(app)
    wording.init_app(app)
    spoken.init_app(app)
    security.init_app(app)
    errors.init_app(app)
    for window in (
        citizen,
        alert_documents,
        citizen_attachments,
        feeds,
        tiles,
        subscription,
        push,
        report,
        ingest_door,
        statistics,
        operations,
        staff,
    ):
        app.register_blueprint(window.blueprint)
    return app
