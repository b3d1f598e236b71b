"""Taking and forgetting the browsers that want push messages of a subscription; its token is the key.

The page's script gives what `PushManager.subscribe()` returned (`toJSON()`), with the language it is to be in.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, jsonify, request
from sqlalchemy import text
from werkzeug.exceptions import HTTPException

from alerts.channels.push.encryption import check_device, from_base64url
from alerts.channels.push.post import check_endpoint
from alerts.channels.push.vapid import Sender
from webmap.security import csrf
from webmap.services import citizen_connection, services

blueprint = Blueprint("push", __name__)
_LANGUAGES = ("ja", "ja-x-easy", "en")
_MOST_BYTES = 8000


@blueprint.get("/push/key")
def show_key() -> Response:
    """Return what a browser needs to subscribe: `{"key": applicationServerKey}`, base64url."""
    return jsonify(key=Sender(services().settings).public_key)


@blueprint.post("/subscription/<token>/push")
@csrf.exempt  # type: ignore[untyped-decorator]  # flask-wtf has no types
def add_device(token: str) -> tuple[str, int]:
    """Take a browser: `{"endpoint", "keys": {"p256dh", "auth"}, "language"}`; 204, or 409 when it cannot be taken."""
    sent = _read()
    keys, language = sent.get("keys"), sent.get("language", "ja")
    try:
        if not isinstance(keys, dict) or language not in _LANGUAGES:
            raise ValueError("keys and language are needed")
        check_endpoint(str(sent.get("endpoint", "")))
        key, secret = from_base64url(str(keys.get("p256dh"))), from_base64url(str(keys.get("auth")))
        check_device(key, secret)
    except ValueError as error:
        abort(400, str(error))
    values = {"token": token, "endpoint": sent["endpoint"], "key": key, "auth": secret, "language": language}
    with citizen_connection() as connection:
        is_taken = connection.execute(
            text("SELECT open.add_push_device(:token, :endpoint, :key, :auth, :language)"), values
        ).scalar_one()
    if not is_taken:
        abort(409, "the subscription is not in force, or has ten devices already")
    return "", 204


@blueprint.delete("/subscription/<token>/push")
@csrf.exempt  # type: ignore[untyped-decorator]  # flask-wtf has no types
def remove_device(token: str) -> tuple[str, int]:
    """Forget a browser: `{"endpoint"}`. Forgetting it twice is no error."""
    values = {"token": token, "endpoint": str(_read().get("endpoint", ""))}
    with citizen_connection() as connection:
        connection.execute(text("SELECT open.remove_push_device(:token, :endpoint)"), values)
    return "", 204


@blueprint.errorhandler(HTTPException)
def show_error(error: HTTPException) -> tuple[Response, int]:
    """Answer a script, not a person."""
    return jsonify(error=error.description), error.code or 500


@blueprint.after_request
def _keep_token_secret(response: Response) -> Response:
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


def _read() -> dict[str, Any]:
    if (request.content_length or 0) > _MOST_BYTES:
        abort(413, "too long")
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict):
        abort(400, "a JSON object is needed")
    return sent
