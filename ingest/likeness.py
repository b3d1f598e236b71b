"""How alike two incidents are: a score with its reasons, as codes and numbers that catalogues put into words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingest.policy import Policy

# At or above the first they are one by themselves, at or above the second a moderator is asked.
MERGE_AT = 0.8
PROPOSE_AT = 0.5
# What each likeness weighs; together 1.
_DISTANCE, _TIME, _CATEGORY, _WORDS = 0.35, 0.25, 0.25, 0.15
# One that names no category is neither for nor against.
_UNKNOWN_CATEGORY = 0.6
# Who reports two keys has told two events apart; that may still be wrong.
_SAME_SOURCE = 0.1


@dataclass(frozen=True)
class Traits:
    """What of an incident is compared.

    Attributes
    ----------
    accuracy_m : radius around its place within which it happened, metres. words : what the public may read of it.
    sources : names of the sources that report it.
    """

    category: str
    occurred_at: datetime
    accuracy_m: float
    words: str
    sources: frozenset[str]


@dataclass(frozen=True)
class Likeness:
    """A score from 0 to 1 and what it is made of.

    Attributes
    ----------
    reasons : each with `code` (distance, time, category, words, same_source), its numbers, and `part` of the score.
    """

    score: float
    reasons: tuple[dict[str, Any], ...]


def compare(one: Traits, other: Traits, distance_m: float, policy: Policy) -> Likeness:
    """Return how alike two incidents of one kind are; 0 when they are too far apart in space or time.

    Parameters
    ----------
    distance_m : between their places as precisely as they are known.
    """
    accuracy_m = one.accuracy_m + other.accuracy_m
    hours = abs((one.occurred_at - other.occurred_at).total_seconds()) / 3600
    near = _near(distance_m, accuracy_m, policy.merge_m)
    soon = max(0.0, 1 - hours / policy.merge_h)
    if not near or not soon:
        return Likeness(0.0, ())
    same = float(one.category == other.category) if one.category and other.category else _UNKNOWN_CATEGORY
    words = similar_words(one.words, other.words)
    reasons: list[dict[str, Any]] = [
        {"code": "distance", "metres": round(distance_m), "accuracy_m": round(accuracy_m), "part": _DISTANCE * near},
        {"code": "time", "minutes": round(hours * 60), "part": _TIME * soon},
        {"code": "category", "same": same, "part": _CATEGORY * same},
        {"code": "words", "percent": round(100 * words), "part": _WORDS * words},
    ]
    if one.sources & other.sources:
        reasons.append({"code": "same_source", "part": -_SAME_SOURCE})
    for reason in reasons:
        reason["part"] = round(reason["part"], 3)
    return Likeness(round(max(0.0, sum(reason["part"] for reason in reasons)), 3), tuple(reasons))


def similar_words(one: str, other: str) -> float:
    """Return how many pairs of neighbouring characters two texts share (Dice, 0–1); no words at all are not alike."""
    pairs, others = _pairs(one), _pairs(other)
    if not pairs or not others:
        return 0.0
    return 2 * len(pairs & others) / (len(pairs) + len(others))


def _near(distance_m: float, accuracy_m: float, merge_m: float) -> float:
    """1 where the accuracies overlap, falling to 0 at `merge_m` beyond; places known only roughly weigh less."""
    beyond = max(0.0, distance_m - accuracy_m)
    return max(0.0, 1 - beyond / merge_m) * min(1.0, 2 * merge_m / max(accuracy_m, 1.0))


def _pairs(text: str) -> set[str]:
    plain = "".join(text.split())
    return {plain[place : place + 2] for place in range(len(plain) - 1)}


def order_of_lead(candidates: Sequence[tuple[int, bool, bool, datetime]]) -> list[int]:
    """Return fids, the one that leads first: alerted about, then not only reported by citizens, then the earlier.

    Parameters
    ----------
    candidates : (fid, was alerted about, has another source than citizens, occurred at).
    """
    return [fid for fid, *_ in sorted(candidates, key=lambda c: (not c[1], not c[2], c[3], c[0]))]
