"""Make a drill of a real telegram: the same words with the status 訓練."""

from __future__ import annotations

import re

_REAL_STATUS = re.compile(r"(<(?:\w+:)?Status>\s*)通常(\s*</)".encode())


def as_exercise(body: bytes) -> bytes:
    """Return the telegram with 通常 (real) replaced by 訓練 (drill); everything else stays.

    It becomes another document and another event, so that it can neither touch nor hold back the real one.
    """
    return _REAL_STATUS.sub(lambda match: match.group(1) + "訓練".encode() + match.group(2), body, count=1)
