"""Values inside a JSON document by a path in words: `properties.area.name`, `coordinates.0`."""

from __future__ import annotations

from typing import Any


def value_at(document: Any, path: str) -> Any:
    """Return what stands at a path, None when it is not there.

    Examples
    --------
    >>> value_at({"a": [{"b": 3}]}, "a.0.b")
    3
    >>> value_at({"a": 1}, "a.b") is None
    True
    """
    found = document
    for step in path.split("."):
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found
