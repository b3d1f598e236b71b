"""The push door `POST /ingest/<source>`: signed, sent once or many times alike, stored before it is answered.

Answers are JSON for machines, in English. What each means stands in docs/push-door.md. A request bears no cookie that
counts and its body is signed, so there is no session to ride on and no CSRF token.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import structlog
from flask import Blueprint, Response, abort, make_response, request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import RequestEntityTooLarge

from gis.database import SERVICE
from gis.errors import UsageError
from ingest.documents import read_body
from ingest.push_secrets import load_push_secrets
from ingest.pushing import PER_MINUTE, WINDOW_S, OtherBodyError, is_allowed, is_signed, store_pushed, work_on
from ingest.source import Source, find_source
from webmap.security import csrf
from webmap.services import services

blueprint = Blueprint("ingest_door", __name__)

MOST_BYTES = 1_000_000
# As many requests of one process may work on what they brought; what comes besides is stored, and a worker takes it.
_SLOTS = threading.BoundedSemaphore(2)
_MOST_FAILURES_PER_MINUTE = 60
_KEY = re.compile(r"[A-Za-z0-9._:-]{1,200}")
_SIGNATURE = re.compile(r"v1=([0-9a-fA-F]{64})")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")

_log = structlog.get_logger(__name__)


class Limits:
    """How often someone may come; each web process counts for itself."""

    def __init__(self) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def take(self, per_minute: int, *who: str) -> None:
        """Count one more; refuse with 429 when there were too many."""
        item = RateLimitItemPerMinute(per_minute)
        if not self._limiter.hit(item, *who):
            wait_s = max(1, int(self._limiter.get_window_stats(item, *who).reset_time - time.time()) + 1)
            abort(_error(429, "too many requests", headers={"Retry-After": str(wait_s)}))


_limits = Limits()


@blueprint.url_value_preprocessor
def _limit_body(_endpoint: str | None, _values: object) -> None:
    """Bound the body before anything reads it."""
    # One more, since a body without an announced length is cut there and not refused.
    request.max_content_length = MOST_BYTES + 1


@blueprint.errorhandler(RequestEntityTooLarge)
def _too_large(_error_: RequestEntityTooLarge) -> Response:
    return _error(413, f"the body is over {MOST_BYTES} bytes; send its messages in several requests")


@blueprint.errorhandler(OperationalError)
def _database_down(error: OperationalError) -> Response:
    _log.error("database does not answer", path=request.path, reason=str(error.orig))
    return _error(503, "the database does not answer; send it again", headers={"Retry-After": "10"})


@blueprint.post("/ingest/<source_name>")
@csrf.exempt  # type: ignore[untyped-decorator]  # flask-wtf has no types
def push(source_name: str) -> Response:
    """Take a signed body; 202 when it is stored, with the numbers of its reports when it was worked on."""
    source, key, content = _authenticate(source_name)
    _limits.take(int(source.options.get("per_minute", PER_MINUTE)), "source", source.name)
    database = services().database
    body = read_body([content], MOST_BYTES)
    with _slot() as has_slot:
        try:
            with database.begin(SERVICE, account=f"source:{source.name}") as connection:
                pushed = store_pushed(connection, source, key, body, is_later=not has_slot)
        except OtherBodyError:
            return _error(409, "this idempotency key was used for another body")
        stored = {"document": pushed.document_id, "state": "stored", "reports": []}
        if not has_slot and pushed.status is None:
            return _json(202, stored)
        try:
            status, answer = work_on(database, source, pushed, content)
        except Exception as error:
            # It is stored, so nothing is lost: the clock takes it up within a minute, and the trace is for us.
            _log.error("a pushed document could not be worked on", document=pushed.document_id, exc_info=error)
            return _json(202, stored)
    return _json(status, answer)


def _authenticate(name: str) -> tuple[Source, str, bytes]:
    """Return source, idempotency key and body of a request that is what it says; everything else ends here.

    A source that is unknown, one without a secret, and a wrong signature are answered alike.
    """
    address = request.remote_addr or ""
    if (request.content_length or 0) > MOST_BYTES:
        raise RequestEntityTooLarge
    try:
        source: Source | None = find_source(name)
    except UsageError:
        source = None
    secrets = load_push_secrets(services().settings, source) if source else ()
    content = request.get_data(cache=False)
    if len(content) > MOST_BYTES:
        raise RequestEntityTooLarge
    key = request.headers.get("Idempotency-Key", "")
    signature = _SIGNATURE.fullmatch(request.headers.get("X-Machimori-Signature", ""))
    timestamp = _TIMESTAMP.fullmatch(request.headers.get("X-Machimori-Timestamp", ""))
    if not (signature and timestamp):
        _fail(address, "X-Machimori-Signature (v1=…) or X-Machimori-Timestamp (seconds since 1970) is missing")
    if source is None or not is_signed(secrets, int(timestamp[0]), request.path, key, content, signature[1]):
        _fail(address, "the signature is not right for this source, or the source takes nothing here")
    if abs(time.time() - int(timestamp[0])) > WINDOW_S:
        _fail(address, f"the timestamp is more than {WINDOW_S} s off; our clock says {int(time.time())}")
    if not is_allowed(source, address):
        abort(_error(403, "this address may not push to this source"))
    if request.mimetype not in source.accepts or request.headers.get("Content-Encoding", "identity") != "identity":
        abort(_error(415, f"send {' or '.join(source.accepts)}, not compressed"))
    if not _KEY.fullmatch(key):
        abort(_error(400, "Idempotency-Key is missing or has other characters than letters, digits and . _ : -"))
    return source, key, content


def _fail(address: str, reason: str) -> NoReturn:
    """Refuse; who fails often learns no more, and fills no log. Whoever signs rightly beside them is not held up."""
    _limits.take(_MOST_FAILURES_PER_MINUTE, "failures", address)
    _log.warning("a push was refused", path=request.path, address=address, reason=reason)
    abort(_error(401, reason, headers={"WWW-Authenticate": "Machimori-Signature"}))


@contextmanager
def _slot() -> Iterator[bool]:
    has_slot = _SLOTS.acquire(blocking=False)
    try:
        yield has_slot
    finally:
        if has_slot:
            _SLOTS.release()


def _error(status: int, reason: str, headers: Mapping[str, str] | None = None) -> Response:
    return _json(status, {"error": reason}, headers)


def _json(status: int, said: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    response = make_response(dict(said), status)
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(headers or {})
    return response
