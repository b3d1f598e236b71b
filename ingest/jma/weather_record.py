"""From a telegram that runs on (warnings, floods, notices) to its reports: one per hazard."""

from __future__ import annotations

from typing import Any

from gis.town import Town
from ingest.jma.hazards import kind_of
from ingest.jma.kinds import SILENT_KINDS
from ingest.jma.statements import hazards_of, is_overtaken, state_facts
from ingest.jma.telegram import Telegram
from ingest.reports import Report

# Telegrams whose EventID names the place for good: a forecast region, a volcano.
_PLACE_CODES = frozenset({"VXKOii", "VFVO50", "VFVO54", "VFVO55", "VFVO56"})
_KIND_BY_PREFIX = {"VP": "weather", "VF": "other"}


def weather_reports(telegram: Telegram, town: Town, identity: str) -> list[Report]:
    """Return a report for each hazard that the telegram speaks about.

    Their event key names a series without end: the hazard and the office that writes about it, or the
    river, or the volcano. Where an incident begins and ends in it, the fold finds out.
    """
    if is_overtaken(telegram):
        return [silent_report(telegram, identity, "the split warnings say the same since 2026-05-28")]
    reports = []
    for hazard in hazards_of(telegram):
        facts, concerns_town = state_facts(telegram, hazard, town)
        place = telegram.event_ids[0] if telegram.code in _PLACE_CODES and telegram.event_ids else telegram.editor
        reports.append(
            _report(
                telegram,
                source_id=f"{identity}|{hazard}",
                kind=kind_of(hazard),
                event_key=f"jma:{hazard}:{place}:{telegram.status}",
                facts=facts,
                concerns_town=concerns_town,
            )
        )
    return reports


def silent_report(telegram: Telegram, identity: str, reason: str | None = None) -> Report:
    """Return the record of a telegram that says nothing of its own about the town."""
    place = telegram.event_ids[0] if telegram.event_ids else telegram.editor
    return _report(
        telegram,
        source_id=identity,
        kind=_KIND_BY_PREFIX.get(telegram.code[:2], "earthquake"),
        event_key=f"jma:silent:{telegram.code}:{place}:{telegram.status}",
        facts={"silent": reason or SILENT_KINDS[telegram.title][1]},
        concerns_town=False,
    )


def _report(
    telegram: Telegram, *, source_id: str, kind: str, event_key: str, facts: dict[str, Any], concerns_town: bool
) -> Report:
    sentences = [text for warning in facts.get("warnings", ()) for text in warning["sentences"]]
    return Report(
        source_id=source_id,
        telegram=telegram.code,
        kind=kind,
        status=telegram.status,
        action=telegram.action,
        event_key=event_key,
        serial=telegram.serial,
        reported_at=telegram.reported_at,
        controlled_at=telegram.controlled_at,
        office=telegram.office,
        headline=telegram.headline,
        text=telegram.text or "\n".join(sentences),
        facts=facts,
        concerns_town=concerns_town,
    )
