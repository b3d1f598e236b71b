"""Where a report says in words that it happened: a quarter with its accuracy, or nothing; never a false point."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from gis.town import Town
from ingest.gazetteer import Gazetteer, Quarter, distance_m
from ingest.reports import Place, Private, Report

PlaceStatus = Literal["placed", "elsewhere", "unknown_place", "no_place"]

_PREFECTURE = re.compile(r"^(?:北海道|東京都|(?:京都|大阪)府|[^\s都道府県]{2,3}県)")
# 郡 with its 町 or 村, or one municipality; the town's own quarters may end in the same characters.
_MUNICIPALITY = re.compile(r"^(?:[^\s市区町村郡]{1,4}郡)?[^\s市区町村郡、。]{1,6}?[市区町村]")


@dataclass(frozen=True)
class Placed:
    """What became of a place in words.

    Attributes
    ----------
    name : the quarter as the public may read it, without any 小字; "" when there is none.
    """

    status: PlaceStatus
    place: Place | None = None
    name: str = ""


def find_place(text: str, gazetteer: Gazetteer, town: Town) -> Placed:
    """Find the place that a text names.

    "AからBまで" is the middle between both, with an accuracy that covers both. A name of another municipality, or
    none that the gazetteer has, gives no position at all.

    Parameters
    ----------
    text : the place in the source's words, with or without prefecture and municipality.
    """
    if not text.strip():
        return Placed("no_place")
    plain = _PREFECTURE.sub("", unicodedata.normalize("NFKC", text).strip())
    words = plain.removeprefix(town.name_ja)
    quarters = gazetteer.find_all(words)
    # Who begins with our town speaks of it, even if the quarter ends in 町 and the gazetteer lacks it.
    if words == plain and _is_elsewhere(words, quarters, gazetteer):
        return Placed("elsewhere")
    if not quarters:
        return Placed("unknown_place")
    first, last = quarters[0], quarters[-1]
    if len(quarters) == 1:
        return Placed("placed", Place(first.lon, first.lat, first.radius_m, text), first.name)
    between = Place(
        (first.lon + last.lon) / 2,
        (first.lat + last.lat) / 2,
        distance_m(first, last) / 2 + max(first.radius_m, last.radius_m),
        text,
    )
    names = dict.fromkeys(quarter.name for quarter in (first, last))
    return Placed("placed", between, "・".join(names))


def place_report(report: Report, find: Callable[[str], Placed]) -> Report:
    """Give a report whose place stands only in words (`private.place_text`) its position.

    `facts.place_name` becomes the quarter, `facts.place_status` what was found; what happened elsewhere does not
    concern the town, unless the source knows better by a code (`facts.municipality`). A report that has a position, or
    names no place, comes back as it is; with `facts.place_status` "given" its words name the quarter of its position.

    Parameters
    ----------
    find : `find_place` for the town, with whatever memory the caller gives it.
    """
    is_given = report.facts.get("place_status") == "given"
    if not report.private.place_text or (report.private.place is not None and not is_given):
        return report
    found = find(report.private.place_text)
    facts = {**report.facts, "place_status": "given" if is_given else found.status}
    if found.name:
        facts["place_name"] = found.name
    said = report.private
    private = said if is_given else Private(found.place, said.place_text, said.original, said.details)
    concerns_town = report.concerns_town and (found.status != "elsewhere" or "municipality" in report.facts)
    return replace(report, facts=facts, private=private, concerns_town=concerns_town)


def _is_elsewhere(words: str, quarters: list[Quarter], gazetteer: Gazetteer) -> bool:
    """Whether the text begins with a municipality that is not ours (ours is cut away already)."""
    match = _MUNICIPALITY.match(words)
    if match is None:
        return False
    named = gazetteer.find_all(match[0])
    return not named and not (quarters and gazetteer.find_all(words[: match.end() + 1]))
