"""Messages that people write: begin one, change one, and answer one that went out.

A written message is `is_written`: no telegram writes it over. One that belongs to no earlier message stands apart from
its incident's thread (`about_incident` only), so that it cannot hide a later telegram from being told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

import shapely
from sqlalchemy import Connection, Row

from alerts.areas import Area, Piece, write_pieces
from alerts.catalogue import JST
from alerts.ending import write_ending
from alerts.events import find_event
from alerts.templates import mark_status
from alerts.texts import AlertText
from gis.errors import UsageError
from gis.languages import LANGUAGES
from gis.queries import load_queries
from gis.town import Town

_QUERIES = load_queries(__file__)
Answer = Literal["update", "cancel", "clear"]
# What answers an earlier message → CAP msgType and phase; 解除 is an Update with responseType AllClear.
ANSWERS: Mapping[str, tuple[str, str]] = {
    "update": ("Update", "updated"),
    "cancel": ("Cancel", "withdrawn"),
    "clear": ("Update", "cleared"),
}


class StaleDraft(UsageError):
    """Somebody else saved the draft meanwhile; what was typed is not saved."""


@dataclass(frozen=True)
class Draft:
    """What a person writes.

    Attributes
    ----------
    kind : kind of incident, by which people have asked for mails. event : code of `data/alert_events.toml`.
    level : 1 to 5. urgency, severity, certainty : CAP 1.2, section 3.2.2.
    onset_at : when it begins to hold; None: at once. expires_at : its end; None: by the event's rule after sending.
    texts : one per language.
    category, web : CAP's; None and "" stand for the event's category and the message's own page.
    effective_at : CAP effective; None: as it was, at first the moment of writing. In an incident's thread it is the
        source's time and is not changed.
    """

    kind: str
    event: str
    level: int
    urgency: str
    severity: str
    certainty: str
    area_name: str
    onset_at: datetime | None
    expires_at: datetime | None
    texts: tuple[AlertText, ...]
    category: str | None = None
    web: str = ""
    effective_at: datetime | None = None


def plan_draft(kind: str, event: str, level: int, area_name: str, texts: tuple[AlertText, ...], now: datetime) -> Draft:
    """Return a draft with the CAP words of its event, valid from `now` for the event's hours."""
    words = find_event(event, "issued")
    expires_at = now + timedelta(hours=words.valid_hours)
    return Draft(kind, event, level, words.urgency, words.severity, words.certainty, area_name, None, expires_at, texts)


def write_draft(
    connection: Connection, draft: Draft, area: Area, status: str, town: Town, about_incident: int | None = None
) -> int:
    """Write the first message of a thread of its own; return its id. The CAP status stays as it is for ever."""
    values = _values(draft, status) | _area_values(area) | {
        "identifier": f"machimori-{town.code}-{uuid4()}",
        "cap_status": status,
        "about_incident": about_incident,
    }  # fmt: skip
    alert_id = int(connection.execute(_QUERIES["insert_draft"], values).scalar_one())
    _write_texts(connection, alert_id, draft, status)
    return alert_id


def answer_alert(connection: Connection, alert_id: int, answer: Answer, town: Town) -> int:
    """Begin a message that updates, withdraws or clears one that went out, with its area; return the id.

    An update begins with the words of before; what ends a message has words of its own (`alerts.ending`).

    Raises
    ------
    UsageError : it did not go out, or is replaced or withdrawn already.
    """
    earlier = connection.execute(_QUERIES["read_draft"], {"alert_id": alert_id}).first()
    if earlier is None or earlier.state not in ("sending", "sent"):
        raise UsageError(
            "Message %(alert)s does not stand.", "Answer the newest message of its thread.", alert=alert_id
        )
    if earlier.phase in ("cleared", "withdrawn"):
        raise UsageError("Message %(alert)s has ended its thread.", "Begin a new message.", alert=alert_id)
    msg_type, phase = ANSWERS[answer]
    words = find_event(earlier.event, phase)
    now = datetime.now(JST)
    values = {
        "alert_id": alert_id,
        "identifier": f"machimori-{town.code}-{uuid4()}",
        "msg_type": msg_type,
        "phase": phase,
        "urgency": words.urgency,
        "severity": words.severity,
        "certainty": words.certainty,
        "expires_at": now + timedelta(hours=words.valid_hours),
    }
    answer_id = int(connection.execute(_QUERIES["insert_answer"], values).scalar_one())
    if phase == "updated":
        connection.execute(_QUERIES["copy_texts"], {"from_id": alert_id, "to_id": answer_id})
        return answer_id
    for row in connection.execute(_QUERIES["read_texts"], {"alert_id": alert_id}).all():
        ending = write_ending(AlertText(**row._mapping), phase, earlier.cap_status, earlier.area_name, now)
        connection.execute(_QUERIES["write_text"], {"alert_id": answer_id, **vars(ending)})
    return answer_id


def read_draft(connection: Connection, alert_id: int) -> Row[Any]:
    """Return a written draft's row and lock it.

    Raises
    ------
    UsageError : there is none, it was submitted already, or a telegram wrote it.
    """
    row = connection.execute(_QUERIES["lock_draft"], {"alert_id": alert_id}).first()
    if row is None:
        raise UsageError("There is no alert %(alert)s.", "See the list of messages.", alert=alert_id)
    if row.state != "draft":
        raise UsageError(
            "Alert %(alert)s is %(state)s, not a draft.",
            "Take it back first, or answer it.",
            alert=alert_id,
            state=row.state,
        )
    if not row.is_written:
        raise UsageError(
            "A telegram wrote alert %(alert)s; the next one would undo your words.", "Write your own.", alert=alert_id
        )
    return row


def save_draft(connection: Connection, alert_id: int, version: str, draft: Draft) -> None:
    """Save what was typed, unless somebody else saved since `version` (`updated_at` in ISO 8601).

    Raises
    ------
    StaleDraft : somebody else saved meanwhile. UsageError : it is no written draft.
    """
    row = _require_version(connection, alert_id, version)
    connection.execute(_QUERIES["update_draft"], _values(draft, row.cap_status) | {"alert_id": alert_id})
    _write_texts(connection, alert_id, draft, row.cap_status)


def set_area(connection: Connection, alert_id: int, version: str, area: Area, confirmed_by: str = "") -> None:
    """Give the draft another area; a doubtful one needs the name of who confirms it before it can be submitted."""
    row = _require_version(connection, alert_id, version)
    if row.msg_type == "Cancel":
        raise UsageError("A withdrawal has the area of the message it withdraws.", "Send an update instead.")
    values = _area_values(area) | {"alert_id": alert_id, "confirmed_by": confirmed_by if area.doubts else ""}
    connection.execute(_QUERIES["update_area"], values)


def take_back(connection: Connection, alert_id: int) -> None:
    """Make a submitted message a draft again, so that it can be changed; it needs submitting and approving anew.

    Raises
    ------
    UsageError : it is not submitted.
    """
    if connection.execute(_QUERIES["take_back"], {"alert_id": alert_id}).rowcount != 1:
        raise UsageError(
            "Alert %(alert)s does not wait for approval.", "Only what waits can be taken back.", alert=alert_id
        )


def recipe_of(row: Row[Any], pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Return a draft's pieces; one that answers a message without a recipe begins with that message's area."""
    if pieces or row.references_id is None:
        return pieces
    return (Piece("add", "alert", str(row.references_id), name=row.area_name),)


def _require_version(connection: Connection, alert_id: int, version: str) -> Row[Any]:
    row = read_draft(connection, alert_id)
    if row.updated_at.isoformat() != version:
        raise StaleDraft(
            "Somebody else saved this draft meanwhile, and yours is not saved yet.",
            "What only they changed is taken in; where both of you changed something, theirs stands below yours."
            " Read it and save again.",
        )
    return row


def _values(draft: Draft, status: str) -> dict[str, Any]:
    if not 1 <= draft.level <= 5:
        raise UsageError("There is no level %(level)s.", "Levels are 1 to 5.", level=draft.level).at("level")
    if {words.language for words in draft.texts} != set(LANGUAGES):
        raise UsageError(
            "A message has words in every language.", "The languages are %(known)s.", known=", ".join(LANGUAGES)
        )
    values = {name: value for name, value in vars(draft).items() if name != "texts"}
    return values | {"cap_status": status}


def _area_values(area: Area) -> dict[str, Any]:
    return {
        "area_wkb": shapely.to_wkb(area.shape),
        "recipe": write_pieces(area.pieces),
        "doubts": list(area.doubts),
    }


def _write_texts(connection: Connection, alert_id: int, draft: Draft, status: str) -> None:
    for words in draft.texts:
        connection.execute(_QUERIES["write_text"], {"alert_id": alert_id, **vars(mark_status(words, status))})
