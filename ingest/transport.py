"""Ask another host for a document: bounded in size and in time, whatever it sends and however slowly."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import requests
import urllib3

from ingest.documents import Body, read_body

_CONNECT_TIMEOUT_S = 5.0
_SILENCE_TIMEOUT_S = 10.0
_CHUNK_BYTES = 65_536


class TransportError(Exception):
    """The other side did not give the document; the message says what happened, with the URL."""


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes
    ----------
    body : None for 304 Not Modified.
    validators : `etag` and `last_modified` as the server gave them, for the next conditional request.
    """

    body: Body | None
    validators: dict[str, str]


def get(
    session: requests.Session, url: str, limit_bytes: int, deadline_s: float, validators: dict[str, str] | None = None
) -> Answer:
    """Get `url` with a conditional request; redirects are not followed.

    Parameters
    ----------
    limit_bytes : of the decoded body; what is longer is read no further and comes back marked as truncated.
    deadline_s : for everything together. The per-read timeout alone would let a server drip one byte at a time.
    validators : as in an earlier `Answer`.

    Raises
    ------
    TransportError : no connection, an HTTP status other than 200 and 304, or the deadline has passed.
    """
    ends_at = time.monotonic() + deadline_s
    outcome: list[Answer | Exception] = []

    def work() -> None:
        try:
            outcome.append(_get(session, url, limit_bytes, ends_at, validators or {}))
        except Exception as error:  # handed over to the caller's thread below
            outcome.append(error)

    # In a thread of its own, because a dripped header cannot be interrupted from inside.
    thread = threading.Thread(target=work, name=f"get {url}", daemon=True)
    thread.start()
    thread.join(deadline_s)
    if not outcome:
        raise TransportError(f"{url}: no complete answer within {deadline_s:g} s")
    if isinstance(outcome[0], (requests.RequestException, urllib3.exceptions.HTTPError, OSError)):
        raise TransportError(f"{url}: {_words(outcome[0])}") from outcome[0]
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def _words(error: Exception) -> str:
    """Return what went wrong at the bottom, without the names of the libraries above it."""
    root: BaseException = error
    while (deeper := root.__cause__ or root.__context__) is not None:
        root = deeper
    said = (isinstance(root, OSError) and root.strerror) or str(root) or type(root).__name__
    return f"no connection: {said}" if isinstance(error, requests.ConnectionError) else said


def _get(session: requests.Session, url: str, limit_bytes: int, ends_at: float, validators: dict[str, str]) -> Answer:
    names = {"etag": "If-None-Match", "last_modified": "If-Modified-Since"}
    headers = {names[name]: value for name, value in validators.items()}
    with session.get(
        url, headers=headers, stream=True, allow_redirects=False, timeout=(_CONNECT_TIMEOUT_S, _SILENCE_TIMEOUT_S)
    ) as response:
        if response.status_code == 304:
            return Answer(None, validators)
        if response.status_code != 200:
            raise TransportError(f"{url}: HTTP {response.status_code}")
        body = read_body(_chunks(response, url, ends_at), limit_bytes, reads_on=False)
        received = {"etag": response.headers.get("ETag"), "last_modified": response.headers.get("Last-Modified")}
        return Answer(body, {name: value for name, value in received.items() if value})


def _chunks(response: requests.Response, url: str, ends_at: float) -> Iterator[bytes]:
    # read1 returns what has come; read and iter_content would wait until a whole chunk is there.
    while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
        yield chunk
        if time.monotonic() > ends_at:
            raise TransportError(f"{url}: the body did not end in time")
    if not response.raw.isclosed() and response.raw.length_remaining:
        raise TransportError(f"{url}: the body ended early")
