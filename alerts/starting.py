"""Begin a message from what is there already: what a source said, or an earlier message.

Both write a draft with a thread of its own; an update, a withdrawal or an all-clear is `drafting.answer_alert`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from alerts.areas import Piece, compose_area, parse_pieces
from alerts.catalogue import JST, write_moment
from alerts.checker import short_form
from alerts.decision import Situation
from alerts.drafting import Draft, plan_draft, write_draft
from alerts.events import WARNING_KINDS, event_code, find_event
from alerts.templates import fill_template, load_templates
from alerts.texts import AlertText, Occasion, write_text
from alerts.thread import read_situation
from gis.errors import UsageError
from gis.languages import LANGUAGES
from gis.queries import load_queries
from gis.town import Town

_QUERIES = load_queries(__file__)
# A fire or an accident is a point: people around it are meant.
_AROUND_POINT_M = 300.0


def situation_of(connection: Connection, incident_fid: int, report_id: int | None = None) -> int:
    """Return the newest word on an incident, or what one report said of it, as a row of the timeline.

    Raises
    ------
    UsageError : there is none.
    """
    values = {"incident_fid": incident_fid, "report_id": report_id}
    found = connection.execute(_QUERIES["situation_of"], values).scalar()
    if found is None:
        raise UsageError(
            "Nothing is known of incident %(incident)s.",
            "Write a message from a template instead.",
            incident=incident_fid,
        )
    return int(found)


def begin_from_situation(connection: Connection, situation_id: int, town: Town) -> int:
    """Write a draft about what a source said: its words where we have texts for the kind, else what the public reads.

    A drill's situation makes a drill. What the sources said of persons is never put in: of other kinds only the
    published incident's own words are used. Role: one that writes alerts and reads `ingest`.

    Raises
    ------
    UsageError : the town has no area in the layer `city_area`.
    """
    situation = read_situation(connection, situation_id)
    if _is_worded(situation):
        code = event_code(situation.kind, situation.facts)
        phase = "cleared" if situation.phase in ("cleared", "withdrawn") else "issued"
        occasion = Occasion(
            situation.kind, code, phase, situation.status, situation.reported_at, situation.office, situation.facts
        )
        written = [write_text(occasion, language, town) for language in LANGUAGES]
        texts = tuple(replace(words, short=short_form(words)) for words in written)
        words, now = find_event(code, phase), datetime.now(JST)
        ends = now + timedelta(hours=words.valid_hours)
        draft = Draft(
            situation.kind, code, max(situation.level, 1), words.urgency, words.severity, words.certainty,
            town.name_ja, None, ends, texts, words.category,
        )  # fmt: skip
        pieces: tuple[Piece, ...] = (Piece("add", "town", name=town.name_ja),)
    else:
        draft, pieces = _of_other_kind(connection, situation)
    area = compose_area(connection, pieces, town)
    return write_draft(connection, draft, area, situation.status, town, situation.incident_fid)


def begin_from_alert(connection: Connection, alert_id: int, town: Town) -> int:
    """Write a draft with the words and the area of any earlier message, as a new thread; a drill stays a drill.

    Raises
    ------
    UsageError : there is no such message.
    """
    alert = connection.execute(_QUERIES["alert"], {"alert_id": alert_id}).first()
    if alert is None:
        raise UsageError("There is no alert %(alert)s.", "See the list of messages.", alert=alert_id)
    rows = {row.language: row for row in connection.execute(_QUERIES["texts"], {"alert_id": alert_id})}
    texts = tuple(AlertText(**rows[language]._mapping) for language in LANGUAGES)
    planned = plan_draft(alert.kind, alert.event, max(alert.level, 1), alert.area_name, texts, datetime.now(JST))
    draft = replace(
        planned, urgency=alert.urgency, severity=alert.severity, certainty=alert.certainty,
        category=alert.category, web=alert.web,
    )  # fmt: skip
    pieces = parse_pieces(alert.area_recipe) or (Piece("add", "alert", str(alert_id), name=alert.area_name),)
    return write_draft(connection, draft, compose_area(connection, pieces, town), alert.cap_status, town, alert.about)


def _is_worded(situation: Situation) -> bool:
    """Whether `data/messages` has words for what the source said; a CAP feed's facts are other than a telegram's."""
    kind, facts = situation.kind, situation.facts
    if kind in WARNING_KINDS:
        return "hazard" in facts and not str(facts.get("event", "")).endswith(".cap")
    return (kind == "earthquake" and "city_intensity" in facts) or (kind == "tsunami" and "class" in facts)


def _of_other_kind(connection: Connection, situation: Situation) -> tuple[Draft, tuple[Piece, ...]]:
    template, now = load_templates()["message"], datetime.now(JST)
    found = connection.execute(_QUERIES["public_incident"], {"fid": situation.incident_fid}).first()
    place, said = "", ""
    pieces: tuple[Piece, ...] = ()
    if found is not None:
        place = found.place_name
        said = "\n".join(part for part in (found.headline, found.description) if part)
        around_m = 0.0 if found.is_area else _AROUND_POINT_M
        if found.has_shape:
            pieces = (Piece("add", "incident", str(situation.incident_fid), around_m, place),)
    if situation.facts.get("area"):
        pieces = (Piece("add", "drawn", json.dumps(situation.facts["area"]), name=place),)
    texts = tuple(
        fill_template(
            template,
            language,
            {
                "place": place if language != "en" else "",
                "time": write_moment(now, language),
                "message": said if language == "ja" else "",
            },
            situation.status,
        )
        for language in LANGUAGES
    )
    return plan_draft(situation.kind, template.event, template.level, place, texts, now), pieces
