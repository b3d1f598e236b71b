"""A text to copy into a short-message service: what happens where, what to do, where more stands.

Lengths as X counts them (twitter-text configuration v3, https://github.com/twitter/twitter-text/tree/master/config):
280 in all, most letters of the West 1, everything else 2, an address 23 whatever its length.
"""

from __future__ import annotations

import unicodedata

from alerts.catalogue import load_texts
from alerts.texts import AlertText

LIMIT = 280
_URL_WEIGHT = 23
# Code points that weigh 1, first and last.
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
_SENTENCE_ENDS = "。．！？!?.\n"


def weigh(words: str) -> int:
    """Return the weight of a text without addresses.

    Examples
    --------
    >>> weigh("避難 now")
    8
    """
    composed = unicodedata.normalize("NFC", words)
    return sum(1 if any(first <= ord(sign) <= last for first, last in _LIGHT) else 2 for sign in composed)


def weigh_uncut(words: AlertText) -> int:
    """Return what headline, what to do and address weigh together; above `LIMIT` what to do is cut."""
    return weigh(f"{words.headline}\n{words.instruction}\n") + _URL_WEIGHT


def short_text(words: AlertText, url: str, phase: str = "issued") -> str:
    """Return headline, what to do and address, at most `LIMIT` heavy.

    The headline, which has the mark of a drill, the level and the place, stays whole as long as it fits by itself; what
    to do is cut after a sentence where one fits, else with "…". The address stays whole.

    Parameters
    ----------
    phase : of the message; an update says that it is one. What ends a message says so in its headline.
    """
    lead = load_texts("common", words.language)["short"].get(phase, "")
    headline = f"{lead}{words.headline}".strip()
    room = LIMIT - _URL_WEIGHT - 1
    if weigh(headline) > room:
        return f"{_cut(headline, room)} {url}"
    action = _cut_to_sentences(words.instruction.replace("\n", " ").strip(), room - weigh(headline) - 1)
    return f"{headline}\n{action}\n{url}" if action else f"{headline}\n{url}"


def _cut_to_sentences(words: str, room: int) -> str:
    if weigh(words) <= room:
        return words
    ends = [
        index + 1 for index, sign in enumerate(words) if sign in _SENTENCE_ENDS and weigh(words[: index + 1]) <= room
    ]
    return words[: ends[-1]] if ends else _cut(words, room)


def _cut(words: str, room: int) -> str:
    if room < weigh("…") + 2:
        return ""
    while weigh(words) + weigh("…") > room:
        words = words[:-1]
    return f"{words.rstrip()}…"
