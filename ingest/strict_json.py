"""JSON from outside without its traps: no depth, no double keys, no numbers that are none, no text unfit to be kept.

RFC 8259 leaves open what a double key or 1e999 means, so two readers may understand two things; here neither is read.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from ingest.reports import Unreadable

_MOST_LEVELS = 16
_MOST_DIGITS = 30
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)
_UNFIT = re.compile(r"[\x00\ud800-\udfff]")


def read_json(body: bytes) -> Any:
    """Return what a JSON document says.

    Raises
    ------
    Unreadable : no JSON in UTF-8, deeper than 16 levels, a key stands twice in one object, a number is infinite, not a
        number, over 64 bits or longer than 30 digits, or a text holds NUL or half a surrogate pair.

    Examples
    --------
    >>> read_json(b'{"a": [1]}')
    {'a': [1]}
    """
    _check_depth(body)
    try:
        said = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_no_number,
            parse_float=_float,
            parse_int=_int,
        )
    except UnicodeDecodeError as error:
        raise Unreadable(f"the document is not UTF-8: {error.reason} at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise Unreadable(f"the document is no JSON: {error.msg} at character {error.pos}") from error
    _check_text(said, "")
    return said


def _check_depth(body: bytes) -> None:
    """Count brackets outside of texts, so that no parser has to climb down first."""
    level = 0
    for match in _TOKEN.finditer(body):
        token = match[0]
        if token in (b"[", b"{"):
            level += 1
            if level > _MOST_LEVELS:
                raise Unreadable(f"the document is deeper than {_MOST_LEVELS} levels")
        elif token in (b"]", b"}"):
            level -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise Unreadable(f"the key {twice[:50]!r} stands twice in one object")
    return found


def _no_number(word: str) -> Any:
    raise Unreadable(f"{word} is no number of JSON")


def _float(digits: str) -> float:
    number = float(digits)
    if len(digits) > _MOST_DIGITS or not math.isfinite(number):
        raise Unreadable(f"the number {digits[:_MOST_DIGITS]} is too large or too long")
    return number


def _int(digits: str) -> int:
    if len(digits) > _MOST_DIGITS or not -(2**63) <= int(digits) < 2**63:
        raise Unreadable(f"the number {digits[:_MOST_DIGITS]} is too long")
    return int(digits)


def _check_text(said: Any, pointer: str) -> None:
    if isinstance(said, str) and _UNFIT.search(said):
        raise Unreadable(f"the text at {pointer or '/'} holds NUL or half a surrogate pair")
    if isinstance(said, dict):
        for key, value in said.items():
            _check_text(key, pointer)
            _check_text(value, f"{pointer}/{escape(key)}")
    elif isinstance(said, list):
        for number, value in enumerate(said):
            _check_text(value, f"{pointer}/{number}")


def escape(key: str) -> str:
    """Write a key as a step of a JSON pointer (RFC 6901).

    Examples
    --------
    >>> escape("a/b~c")
    'a~1b~0c'
    """
    return key.replace("~", "~0").replace("/", "~1")
