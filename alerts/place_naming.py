"""A person's places as one line: each name once, as many as a reader takes in, and how many more there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# A line of a mail; a push shows some 400 letters in all, and what to do must stay among them.
MAIL_LETTERS = 200
PUSH_LETTERS = 60


def distinct_names(place_names: Sequence[str]) -> list[str]:
    """Return the names in their order, each once and on one line: a quarter is a place for each of its blocks."""
    return list(dict.fromkeys(" ".join(name.split()) for name in place_names))


def join_names(names: Sequence[str], most_letters: int, frame: Mapping[str, str]) -> str:
    """Return the names joined; of those beyond `most_letters` only the number, but one name always stands.

    Parameters
    ----------
    names : distinct names.
    frame : the catalogue's `names_joiner` and `names_more` in the reader's language.

    Examples
    --------
    >>> join_names(["home", "work"], 5, {"names_joiner": ", ", "names_more": "{{ names }} and {{ n }} more"})
    'home and 1 more'
    """
    joined, shown = frame["names_joiner"].join(names), len(names)
    while shown > 1 and len(joined) > most_letters:
        shown -= 1
        joined = frame["names_joiner"].join(names[:shown])
    if shown == len(names):
        return joined
    # The names last: what a person calls a place is never read as a template.
    return frame["names_more"].replace("{{ n }}", str(len(names) - shown)).replace("{{ names }}", joined)
