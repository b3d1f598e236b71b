"""Level and class of a warning, from the words of its name."""

from __future__ import annotations

import re
import unicodedata

_NAMED = re.compile(r"レベル([1-5])")
# From the worst: 危険警報 ends with 警報, too.
_ENDINGS = (("特別警報", 5), ("危険警報", 4), ("警報", 3), ("注意報", 2))
_CLASSES = {5: "special_warning", 4: "danger_warning", 3: "warning", 2: "advisory", 1: "notice", 0: "none"}


def named_level(name: str) -> int | None:
    """Return the level that a name says (レベル４土砂災害危険警報), None when it says none."""
    match = _NAMED.search(unicodedata.normalize("NFKC", name))
    return int(match[1]) if match else None


def warning_level(name: str) -> int | None:
    """Return the level of a warning: the one in its name, else by its class.

    特別警報 5, 危険警報 4, 警報 3, 注意報 2, as 警戒レベル since 2026-05-28. The names for wind, waves and snow have no
    level of their own; the city takes their class for one. None: the name is no warning's.
    """
    named = named_level(name)
    if named is not None:
        return named
    return next((level for ending, level in _ENDINGS if name.endswith(ending)), None)


def class_of(level: int) -> str:
    """Return the class of a level: special_warning, danger_warning, warning, advisory, notice or none."""
    return _CLASSES[level]
