"""Why a row of a file cannot be used, in the reader's language (layers/unfit.py has the English)."""

from __future__ import annotations

from layers.rows import Rejection
from webmap.languages import gettext, mark

# Every reason that layers/values.py, positions.py, rows.py and sheets.py give.
REASONS = (
    mark("is missing"),
    mark("is neither ○ (1) nor blank (0)"),
    mark("is no number"),
    mark("is no finite number"),
    mark("is no whole number"),
    mark("is less than %(limit)s"),
    mark("is more than %(limit)s"),
    mark("is no date (write 2026-03-11)"),
    mark("is no time (write 2026-03-11T14:46:00+09:00)"),
    mark("is none of %(names)s"),
    mark("has lost its leading zero"),
    mark("does not have the form %(pattern)s"),
    mark("has letters that its encoding does not know"),
    mark("is a %(found)s, but the layer holds %(wanted)s"),
    mark("has no finite coordinates"),
    mark("%(place)s looks like degrees, but is read as metres of %(crs)s: the reference system is wrong"),
    mark("%(place)s has latitude before longitude: lon and lat are swapped"),
    mark(
        "%(place)s is outside of longitude and latitude: metres read as degrees? If they are metres of the plane zone,"
        " say --crs EPSG:%(epsg)s"
    ),
    mark("is empty"),
    mark("is not valid: %(why)s"),
    mark("%(place)s is far from %(town)s (lon %(west)s-%(east)s, lat %(south)s-%(north)s)"),
    mark("longitude %(lon)s and latitude %(lat)s are no numbers (write degrees with decimals: 141.2103)"),
    mark("stands in row %(number)s, too"),
)


def say_rejection(rejection: Rejection) -> str:
    """Return why a row was rejected."""
    words = gettext(rejection.reason.template)
    return words % rejection.reason.blanks if rejection.reason.blanks else words
