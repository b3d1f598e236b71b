"""秘匿: which counts the public may read, so that none tells of fewer than five incidents that concern persons.

A count from one to four is suppressed. Because the total is shown, one suppressed count alone could be had by
subtraction: then the next smallest is suppressed with it, until what is suppressed together is five or more.
Every incident counts in one kind and one year only, so tables of different kinds or years cannot be subtracted either.
"""

from __future__ import annotations

from collections.abc import Mapping

LEAST_COUNT = 5


def suppress(counts: Mapping[str, int], least: int = LEAST_COUNT) -> dict[str, int | None]:
    """Return what of a table may be shown, None for what is suppressed; a 0 tells of nobody and stays.

    Parameters
    ----------
    counts : value of the dimension → count; together they are the total, which is known.

    Examples
    --------
    >>> suppress({"01": 2, "02": 9, "03": 30})
    {'01': None, '02': None, '03': 30}
    >>> suppress({})
    {}
    """
    hidden = {value for value, count in counts.items() if 0 < count < least}
    if not hidden:
        return dict(counts)
    rest = sorted((count, value) for value, count in counts.items() if value not in hidden and count > 0)
    # Two at least, and together enough: what is left after subtraction belongs to several values and several people.
    while rest and (len(hidden) < 2 or sum(counts[value] for value in hidden) < least):
        hidden.add(rest.pop(0)[1])
    return {value: None if value in hidden else count for value, count in counts.items()}


def suppress_total(total: int, least: int = LEAST_COUNT) -> int | None:
    """Return a total that may be shown."""
    return None if 0 < total < least else total
