"""Writing an alert from a situation: the row, its area and its words in every language."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from alerts.decision import Decision, Situation, Told
from alerts.events import event_code, find_event
from alerts.texts import Occasion, write_text
from gis.errors import UsageError
from gis.languages import LANGUAGES
from gis.queries import load_queries
from gis.town import Town

_QUERIES = load_queries(__file__)


def write_alert(
    connection: Connection, situation: Situation, decision: Decision, sent: Told | None, draft: Told | None, town: Town
) -> int:
    """Write an unsent alert about a situation and return its id; a `draft` is written over in place.

    The area is the town's; a withdrawal, which names no area of its own, takes that of the message it withdraws.

    Parameters
    ----------
    sent : the last alert that went out; an Update or Cancel references it.

    Raises
    ------
    UsageError : the layer `city_area` does not have the town.
    """
    is_withdrawal = decision.phase == "withdrawn"
    code = sent.event if is_withdrawal and sent else event_code(situation.kind, situation.facts)
    event = find_event(code, decision.phase)
    references_id = sent.alert_id if sent and decision.msg_type != "Alert" else None
    values: dict[str, Any] = {
        "alert_id": draft.alert_id if draft else None,
        "identifier": f"machimori-{town.code}-{uuid4()}",
        "references_id": references_id,
        "incident_fid": situation.incident_fid,
        "situation_id": situation.id,
        "kind": situation.kind,
        "cap_status": situation.status,
        "msg_type": decision.msg_type,
        "phase": decision.phase,
        "level": sent.level if is_withdrawal and sent else situation.level,
        "event": code,
        "urgency": event.urgency,
        "severity": event.severity,
        "certainty": event.certainty,
        "facts": json.dumps(dict(situation.facts), ensure_ascii=False),
        "effective_at": situation.reported_at,
        "town_code": town.code,
        "area_from": references_id if is_withdrawal else None,
    }
    alert_id = connection.execute(_QUERIES["update_draft" if draft else "insert_alert"], values).scalar()
    if alert_id is None:
        raise UsageError(
            "The layer city_area has no municipality %(town)s, so a warning has no area.",
            "Import the boundaries: ./machimori layers import FILE --layer city_area",
            town=town.code,
        )
    facts = sent.facts if is_withdrawal and sent else situation.facts
    occasion = Occasion(
        situation.kind, code, decision.phase, situation.status, situation.reported_at, situation.office, facts
    )
    for language in LANGUAGES:
        words = write_text(occasion, language, town)
        connection.execute(_QUERIES["write_text"], {"alert_id": alert_id, **vars(words)})
    return int(alert_id)
