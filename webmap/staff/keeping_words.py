"""Why a layer's definition cannot be changed as asked, in the reader's language."""

from __future__ import annotations

from gis.errors import UsageError
from layers.fitting import Misfit, MisfitError
from layers.refusals import ChangedMeanwhileError
from layers.reshaping import ReshapeRefusedError
from webmap.languages import gettext, mark

REFUSALS = {
    "unknown": mark("There is no attribute %(name)s."),
    "not_retired": mark("The attribute %(name)s is not out of use."),
    "taken": mark("The name %(name)s is taken, perhaps by an attribute out of use."),
    "relied_on": mark("Pages or programs read %(name)s by its name: it stays. Its label can be changed."),
    "key": mark("%(name)s is the key. Make another attribute the key first."),
    "open_when": mark("%(name)s decides what citizens see. It has to stay in use."),
    "style": mark("The map draws the layer by %(name)s. Change the style first."),
    "fixed": mark("%(name)s cannot be changed this way. Add a new attribute and retire the old one."),
    "personal_key": mark("%(name)s cannot be the key: the key is a text that is not personal."),
}
MISFITS = {
    "required": mark("%(name)s must be filled in, and %(count)s features have nothing there."),
    "filled": mark("%(name)s must be filled in, and %(count)s features have only blanks there."),
    "code": mark("%(count)s features have a value of %(name)s that is not in the code list."),
    "pattern": mark("%(count)s features have a value of %(name)s that does not match the pattern."),
    "minimum": mark("%(count)s features have a value of %(name)s below the least."),
    "maximum": mark("%(count)s features have a value of %(name)s above the greatest."),
    "finite": mark("%(count)s features have a value of %(name)s that is no number."),
    "unique": mark("%(count)s features share their value of %(name)s with another: it cannot be the key."),
}


def say_misfit(misfit: Misfit) -> str:
    """Return what does not fit, with its number."""
    return gettext(MISFITS[misfit.rule]) % {"name": misfit.attribute, "count": f"{misfit.count:,}"}


def say_refusal(error: UsageError) -> str:
    """Return the reader's words for a refusal; "" for one that only its own message tells."""
    if isinstance(error, ReshapeRefusedError):
        return gettext(REFUSALS[error.code]) % {"name": error.name}
    if isinstance(error, MisfitError):
        return gettext("Nothing was changed: the layer holds values that would break the new rules.")
    if isinstance(error, ChangedMeanwhileError):
        return gettext(
            "Somebody works in the layer or changed it meanwhile. Nothing was changed; look at it and repeat."
        )
    return ""
