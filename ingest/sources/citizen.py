"""通報 of citizens from the page `/report`: one JSON document each (ingest/citizens.py writes them)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, get_args

import orjson

from gis.languages import DEFAULT_LANGUAGE
from gis.town import Town
from ingest.citizen_policy import load_citizen_policy
from ingest.citizen_words import load_citizen_words
from ingest.citizens import SOURCE_NAME
from ingest.latest_fold import fold_latest
from ingest.reports import Action, Place, Private, Rejected, Report, Unreadable
from ingest.source import Source
from layers.codes import load_code_list


def parse_citizen_report(body: bytes, town: Town) -> Sequence[Report | Rejected]:
    """Read one report of a citizen.

    Nothing that the citizen wrote is public: words and place are for moderators, who write what the public reads.

    Raises
    ------
    Unreadable : it is no report of ours.
    """
    try:
        said = orjson.loads(body)
        return [_report(said, town)]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise Unreadable(f"not a citizen's report: {type(error).__name__}: {error}") from error


def _report(said: dict[str, Any], town: Town) -> Report:
    reference, part, kind, action = str(said["reference"]), int(said["part"]), str(said["kind"]), said["action"]
    if kind not in load_citizen_policy().kinds or action not in get_args(Action):
        raise ValueError(f"kind {kind!r}, action {action!r}")
    sent_at = datetime.fromisoformat(said["sent_at"])
    place = _place(said, town)
    facts: dict[str, Any] = {"level": 0}
    if said.get("happened_at"):
        # To the hour, as of mails: the minute, with the quarter, may lead to a person. The document has it.
        hour = datetime.fromisoformat(said["happened_at"]).replace(minute=0, second=0, microsecond=0)
        facts |= {"occurred_at": hour.isoformat(), "time_precision": "hour"}
    words = load_citizen_words(DEFAULT_LANGUAGE)
    return Report(
        source_id=f"{reference}:{part}",
        telegram="",
        kind=kind,
        status="Actual",
        action=action,
        event_key=f"citizen:{reference}",
        serial=part,
        reported_at=sent_at,
        controlled_at=sent_at,
        office=words["office"],
        headline=words["headline"].replace("{kind}", _kind_name(kind)),
        text="",
        facts=facts,
        concerns_town=True,
        private=Private(
            place,
            str(said.get("place_text") or ""),
            str(said.get("text") or ""),
            {"language": str(said["language"])},
        ),
    )


def _kind_name(kind: str) -> str:
    return next(code.name(DEFAULT_LANGUAGE) for code in load_code_list("incident_kind").codes if code.value == kind)


def _place(said: dict[str, Any], town: Town) -> Place | None:
    if said.get("lon") is None or said.get("lat") is None:
        return None
    lon, lat, accuracy_m = float(said["lon"]), float(said["lat"]), float(said["accuracy_m"])
    min_lon, min_lat, max_lon, max_lat = town.bbox
    if not (min_lon <= lon <= max_lon and min_lat <= lat <= max_lat):
        raise ValueError("the position is not in the town")
    return Place(lon, lat, accuracy_m, str(said.get("place_text") or ""))


SOURCE = Source(
    SOURCE_NAME,
    "市民からの通報",
    parse_citizen_report,
    dict.fromkeys(load_citizen_policy().kinds, fold_latest),
    is_private=True,
)
