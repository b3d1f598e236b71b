"""The words that end a message: an all-clear 解除 or a withdrawal 取り消し never repeats what it ends as if it held."""

from __future__ import annotations

from datetime import datetime

from alerts.catalogue import fill, load_texts, write_moment
from alerts.templates import mark_status, unmark_status
from alerts.texts import AlertText


def write_ending(earlier: AlertText, phase: str, status: str, place: str, ended_at: datetime) -> AlertText:
    """Return the first wording of what ends a message, for a person to go on from.

    Parameters
    ----------
    earlier : the words that went out; only their event and headline are named again.
    phase : `cleared` or `withdrawn`.
    status : CAP status; a drill's ending is marked as one.
    place : the area's name, in Japanese; English names the area by the headline alone.
    """
    told = unmark_status(earlier, status)
    texts = load_texts("common", earlier.language)["ending"][phase]
    blanks = {
        "event": told.event,
        "headline": told.headline,
        "place": place,
        "moment": write_moment(ended_at, earlier.language),
    }
    parts = {name: fill(texts[name], blanks) for name in ("event", "headline", "description", "instruction")}
    return mark_status(AlertText(language=earlier.language, **parts), status)
