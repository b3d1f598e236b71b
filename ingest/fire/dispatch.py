"""A dispatch of the fire service, and the report that follows from it, whichever door it came through. Pure.

What the public reads is composed from data/fire_words.toml; address, position, caller, casualties are for moderators.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from gis.town import Town
from ingest.fire.words import DispatchType, Stage, load_fire_words, stage_of, type_of
from ingest.folding import Known
from ingest.latest_fold import fold_latest
from ingest.reports import Action, Place, Private, Report, Status

JST = timezone(timedelta(hours=9))
TELEGRAM = "dispatch"
# After so long without a word nobody believes that it goes on: notices vanish from a feed without saying why.
_LASTS = {"fire": timedelta(hours=24), "other": timedelta(hours=12)}
_LEVEL = {"fire": 2, "other": 1}
# What says by itself that it is a municipality; of 町 and 村 a quarter may be called, too.
_MUNICIPALITY = re.compile(r"^(?:\S{2,3}[都道府県])?[^\s市郡字]{1,6}[市郡]")
_NUMBER = re.compile(r"[\w][\w./:-]{0,63}")


@dataclass(frozen=True)
class Service:
    """Who sends.

    Attributes
    ----------
    office : as the public reads it. authority : whose dispatch numbers these are; sources of one authority speak of
        the same event by the same number.
    """

    office: str = "消防"
    authority: str = "fire"


@dataclass(frozen=True)
class Dispatch:
    """What one message says.

    Attributes
    ----------
    number : 出動番号. said_at : when it was sent; aware. stage : None when it says nothing of it (a correction).
    identity : tells two messages of one moment apart. serial : the sender's count of its messages, if it has one.
    called_at : 覚知. address, landmark : in the sender's words. place : None without coordinates that can be believed.
    original : all words of the message. details : caller, casualties, units and what else moderators may need.
    same_as : the number of the dispatch that this one belongs to (a second alarm for one fire).
    """

    number: str
    type: DispatchType
    stage: Stage | None
    said_at: datetime
    status: Status = "Actual"
    action: Action = "issue"
    identity: str = ""
    serial: int | None = None
    called_at: datetime | None = None
    address: str = ""
    landmark: str = ""
    place: Place | None = None
    original: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    same_as: str = ""


def read_number(text: str) -> str | None:
    """Return a dispatch number in its one form, None when it is none.

    Examples
    --------
    >>> read_number("Ｒ８－００１ ")
    'R8-001'
    """
    said = re.sub(r"[‐‑–—−ー]", "-", unicodedata.normalize("NFKC", text)).strip()
    return said if _NUMBER.fullmatch(said) else None


def report_of(dispatch: Dispatch, town: Town, service: Service, source: str) -> Report:
    """Return the report of a dispatch.

    Parameters
    ----------
    source : the source's name, so that the same message through two doors is two reports of one incident.
    """
    withdraws = dispatch.stage is not None and dispatch.stage.withdraws
    place, is_ours = _check_place(dispatch, town)
    words = " ".join(filter(None, (_whole_address(dispatch.address, town), dispatch.landmark)))
    facts = _facts(dispatch)
    if place is not None and words:
        facts["place_status"] = "given"
    headline, text = compose(dispatch.type, dispatch.stage, dispatch.said_at)
    serial = dispatch.serial
    if serial is None and dispatch.stage is not None:
        serial = dispatch.stage.rank  # two messages of one second follow the life of a fire
    return Report(
        source_id=f"{source}:{dispatch.status}:{dispatch.number}:{dispatch.said_at.timestamp():.3f}:{dispatch.identity}",
        telegram=TELEGRAM,
        kind=dispatch.type.kind,
        status=dispatch.status,
        action="withdraw" if withdraws else dispatch.action,
        event_key=f"dispatch:{service.authority}:{dispatch.status}:{dispatch.same_as or dispatch.number}",
        serial=serial,
        reported_at=dispatch.said_at,
        controlled_at=dispatch.said_at,
        office=service.office,
        headline=headline,
        text=text,
        facts=facts,
        concerns_town=is_ours,
        private=Private(place, words, dispatch.original, dict(dispatch.details)),
    )


def fold_dispatch(reports: Sequence[Report]) -> Known:
    """Fold a dispatch: the last stage that was named holds, a correction that names none changes the rest only."""
    known = fold_latest(reports)
    kind = type_of(str(known.facts["category"]))
    stage = stage_of(known.facts["stage"]) if known.facts.get("stage") else None
    said_at = next((report.reported_at for report in reversed(reports) if report.facts.get("stage")), None)
    headline, text = compose(kind, stage, said_at or reports[-1].reported_at)
    return replace(
        known,
        event=kind.kind,
        is_over=stage is not None and stage.is_over,
        headline=headline,
        columns={**known.columns, "description": text},
        is_personal=not kind.shows_place,
    )


def compose(kind: DispatchType, stage: Stage | None, said_at: datetime) -> tuple[str, str]:
    """Return headline and text as the public reads them."""
    stage = stage or stage_of("called")
    local = said_at.astimezone(JST)
    words = {
        "category": kind.name,
        "advice": kind.advice,
        "at": f"{local.hour}時{local.minute}分ごろ",
        **load_fire_words().ends[kind.kind],
    }
    return stage.headline.format(**words), stage.text.format(**words)


def _facts(dispatch: Dispatch) -> dict[str, Any]:
    kind = dispatch.type.kind
    facts: dict[str, Any] = {"category": dispatch.type.name, "level": _LEVEL[kind]}
    if dispatch.stage is not None:
        facts |= {"stage": dispatch.stage.code, "is_over": dispatch.stage.is_over}
    if dispatch.called_at is not None:
        called_at = dispatch.called_at.astimezone(JST)
        facts |= {"occurred_at": called_at.isoformat(), "time_precision": "minute"}
        if kind != "fire":
            # Of what is about a person the hour is enough: with the quarter, the minute may lead to them.
            hour = called_at.replace(minute=0, second=0, microsecond=0)
            facts |= {"occurred_at": hour.isoformat(), "time_precision": "hour"}
    if not (dispatch.stage is not None and (dispatch.stage.is_over or dispatch.stage.withdraws)):
        facts["valid_until"] = (dispatch.said_at + _LASTS[kind]).astimezone(JST).isoformat()
    return facts


def _whole_address(address: str, town: Town) -> str:
    """Write our town before an address that names no municipality: the fire service leaves it out at home."""
    plain = unicodedata.normalize("NFKC", address).strip()
    names_one = _MUNICIPALITY.match(plain) or plain.startswith(town.neighbours) or town.name_ja in plain
    return address if not plain or names_one else town.name_ja + plain


def _check_place(dispatch: Dispatch, town: Town) -> tuple[Place | None, bool]:
    """Return the place and whether it is ours; coordinates elsewhere under an address in our town are not believed."""
    place = dispatch.place
    if place is None:
        return None, True
    min_lon, min_lat, max_lon, max_lat = town.bbox
    if min_lon <= place.lon <= max_lon and min_lat <= place.lat <= max_lat:
        return place, True
    return (None, True) if town.name_ja in dispatch.address else (place, False)
