"""What of a feature came together by itself, in words."""

from __future__ import annotations

from collections.abc import Iterable

from layers.changes import Merged
from layers.definition import Definition
from layers.editing_words import word
from webmap.languages import gettext, language


def merge_text(definition: Definition, merged: Merged | None, is_personal: bool = False) -> str:
    """Return which values were kept from others and which were set; "" when it concerns none of the wanted ones.

    Parameters
    ----------
    is_personal : tell the personal attributes only, or all others only: who sees the one may not see the other.
    """
    if merged is None:
        return ""
    shown = definition.personal_attributes if is_personal else definition.table_attributes
    labels = {attribute.name: attribute.title(language()) for attribute in shown}
    if not is_personal:
        labels["geom"] = word("word", "geometry", language())
    theirs, mine = _labels(labels, merged.theirs), _labels(labels, merged.mine)
    if not theirs and not mine:
        return ""
    return gettext(
        "Merged by itself with version %(version)s. Kept from others: %(theirs)s. Set here: %(mine)s.",
        version=merged.theirs_version,
        theirs=theirs or "–",
        mine=mine or "–",
    )


def _labels(labels: dict[str, str], names: Iterable[str]) -> str:
    return gettext(", ").join(labels[name] for name in names if name in labels)
