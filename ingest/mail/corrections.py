"""誤 and 正: a correction names what was wrong, too, and that must not be read as what happened."""

from __future__ import annotations

import re

from ingest.mail.words import load_words

_DATE = re.compile(
    r"(?:(?:令和|平成)?\s?(?:元|\d{1,4})\s?年\s?)?\d{1,2}\s?月\s?\d{1,2}\s?日\s?(?:\(.{1,3}\))?|[本今昨]日|昨夜|\d{1,2}/\d{1,2}(?=\s)"
)
_CLOCK = re.compile(r"[\W_]*(?:午前|午後|正午|[AP]M|\d{1,2}\s?時|\d{1,2}:\d{2})", re.IGNORECASE)


def leave_out_wrong(said: str) -> str:
    """Return the words of a notice without what it calls wrong; of a day that only the wrong part names, the day stays.

    Parameters
    ----------
    said : in the form of `plain`.
    """
    action = load_words().action
    wrong, right = action["wrong_said"], action["right_said"]
    if not wrong.search(said):
        return said

    def keep_day(match: re.Match[str]) -> str:
        day = _DATE.search(match[0])
        return f" {day[0]} " if day and _CLOCK.match(right.sub(" ", said[match.end() :], count=1)) else " "

    kept = right.sub(" ", wrong.sub(keep_day, said))
    # A quotation mark between the day that stays and the right hour would part them.
    return re.sub(r" {2,}", " ", re.sub(r"[「」『』]", "", kept))
