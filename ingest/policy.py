"""What becomes of an incident by its kind and source: publication, privacy, retention, likeness to others."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, Literal

from gis.errors import UsageError
from gis.settings import DATA_DIR


@dataclass(frozen=True)
class Policy:
    """The rule for one kind of incident from one source (data/incident_policy.toml).

    Attributes
    ----------
    publication : what a new incident begins as; `pending` waits for a moderator.
    is_personal : persons are concerned: the public position is an area of at least eight households.
    public_days : days after it happened that the public sees it, 0 = without end.
    precise_days : days after it happened that precise place and original words are kept, 0 = for ever.
    merge_m, merge_h : metres and hours within which another report of the kind may be the same event, 0 = never.
    """

    publication: Literal["published", "pending"] = "pending"
    is_personal: bool = False
    public_days: int = 0
    precise_days: int = 0
    merge_m: float = 0
    merge_h: float = 0


# A kind that nobody thought of is treated with the most care.
CAREFUL = Policy(is_personal=True, public_days=90, precise_days=365)
# Anybody may write anything there, and stands near what they write about: no rule in the file makes this less careful.
_ALWAYS_MODERATED = ("citizen",)


def find_policy(kind: str, source: str) -> Policy:
    """Return the rule of a kind for a source."""
    rules = _load()
    policy = rules.get((kind, source)) or rules.get((kind, "")) or CAREFUL
    if source in _ALWAYS_MODERATED:
        days = (policy.public_days or CAREFUL.public_days, policy.precise_days or CAREFUL.precise_days)
        return replace(policy, publication="pending", is_personal=True, public_days=days[0], precise_days=days[1])
    return policy


def policies() -> Mapping[tuple[str, str], Policy]:
    """Return all rules by (kind, source); source "" = every other one."""
    return _load()


@cache
def _load() -> Mapping[tuple[str, str], Policy]:
    with (DATA_DIR / "incident_policy.toml").open("rb") as file:
        kinds: dict[str, dict[str, Any]] = tomllib.load(file)
    found: dict[tuple[str, str], Policy] = {}
    for kind, entries in kinds.items():
        plain = {name: value for name, value in entries.items() if not isinstance(value, dict)}
        found[kind, ""] = _policy(kind, plain)
        for source, own in entries.items():
            if isinstance(own, dict):
                found[kind, source] = _policy(f"{kind}.{source}", plain | own)
    return found


def _policy(where: str, values: Mapping[str, Any]) -> Policy:
    unknown = set(values) - {field.name for field in fields(Policy)}
    if unknown or values.get("publication", "pending") not in ("published", "pending"):
        wrong = ", ".join(sorted(unknown)) or values["publication"]
        raise UsageError(
            f"incident_policy.toml, [{where}]: {wrong} is not understood.",
            f"Keys are: {', '.join(field.name for field in fields(Policy))}.",
        )
    return Policy(**values)
