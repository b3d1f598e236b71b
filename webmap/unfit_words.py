"""Why a file or a row of it cannot be used, in the reader's language (layers/unfit.py has the English)."""

from __future__ import annotations

from gis.errors import UsageError
from layers.importer import NoReferenceSystemError
from layers.reference_system import OlderDatumError
from layers.refusals import NotAllowedError
from layers.rows import RejectedRowsError, Rejection
from layers.sheets import NoPositionsError
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


_EXPLANATIONS: dict[type[UsageError], str] = {
    NoPositionsError: mark(
        "The table has no columns for longitude and latitude. Name them below if it has; a table of addresses alone"
        " cannot be drawn."
    ),
    OlderDatumError: mark(
        "The file is in an older reference system (Tokyo Datum or JGD2000), off by metres to hundreds of metres."
        " Convert it to JGD2011 with the correction of the Geospatial Information Authority first; it is never shifted"
        " silently."
    ),
    NoReferenceSystemError: mark(
        "The file does not say its coordinate reference system. Ask who made it, and fill it in below."
    ),
    RejectedRowsError: mark("Rows of the file cannot be right. Mend them, or tick that they are left out."),
    NotAllowedError: mark("Your department may not do this in this layer"),
}


def explain(error: UsageError) -> str:
    """Return what a mistake means, "" where only its own English words say it."""
    return next((gettext(words) for kind, words in _EXPLANATIONS.items() if isinstance(error, kind)), "")
