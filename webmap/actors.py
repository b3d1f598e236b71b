"""Who did something, in people's words: an account is its own name; what went by itself says what it went by."""

from __future__ import annotations

from ingest.source import load_sources
from webmap.languages import gettext


def actor(name: str | None) -> str:
    """Return what people call who did a step.

    Parameters
    ----------
    name : an account; or as the database writes it: `source:<source>`, `policy:<telegram>:<level>`, `installation`, or
        the service's role.
    """
    kind, _, rest = (name or "").partition(":")
    if kind == "source" and rest:
        source = load_sources().get(rest)
        return source.title if source else rest
    if kind == "policy" and rest:
        telegram, _, level = rest.partition(":")
        return gettext("policy: %(telegram)s, level %(level)s", telegram=telegram, level=level)
    if name in ("machimori_service", "installation"):
        return gettext("by itself")
    return name or ""
