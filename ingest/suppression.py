"""秘匿: which counts the public may read, so that none tells of fewer than five incidents that concern persons.

A count from one to four is suppressed. Because the total is shown, what is suppressed can be added up by subtraction:
five incidents in five quarters would be one in each. So the smallest count above is suppressed with it, and others
equal to that (whoever knows the rule would see that it was not needed), and the next, until each may be five or more as
far as anybody can calculate. Where a table has nothing left to suppress, every table of the kind and year would tell
its total: none shows a number (`suppress_tables`).
Every incident counts in one kind and one year only, so tables of different kinds or years cannot be subtracted either.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

LEAST_COUNT = 5
Shown = dict[str, int | None]


def suppress_tables(tables: Mapping[str, Mapping[str, int]], least: int = LEAST_COUNT) -> dict[str, Shown]:
    """Return what may be shown of all tables of one kind and year: dimension → value → count, None where suppressed.

    Parameters
    ----------
    tables : each counts the same incidents, so that each tells the total.
    """
    shown = {dimension: suppress(counts, least) for dimension, counts in tables.items()}
    if all(_is_vague(_hidden(counts, shown[dimension]), least) for dimension, counts in tables.items()):
        return shown
    return {
        dimension: {value: None if count else 0 for value, count in counts.items()}
        for dimension, counts in tables.items()
    }


def suppress(counts: Mapping[str, int], least: int = LEAST_COUNT) -> Shown:
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
    rest = sorted(((count, value) for value, count in counts.items() if count >= least), reverse=True)
    last = 0  # the first one goes along always: who sees only small ones together knows how small they are
    while hidden and rest and (last == 0 or rest[-1][0] == last or not _is_vague([counts[v] for v in hidden], least)):
        last, value = rest.pop()
        hidden.add(value)
    return {value: None if value in hidden else count for value, count in counts.items()}


def _is_vague(hidden: Collection[int], least: int) -> bool:
    """Whether each of these counts (one or more, their sum and number known) may be `least` as far as anybody knows."""
    return not hidden or (len(hidden) > 1 and sum(hidden) - (len(hidden) - 1) >= least)


def _hidden(counts: Mapping[str, int], shown: Shown) -> list[int]:
    return [count for value, count in counts.items() if shown[value] is None]
