"""The JSON that the fire service pushes: one message, or `{"messages": [...]}`; what is wrong is named by its pointer.

{
  "number": "R8-01234",                      出動番号: all messages of one number are one event
  "sent_at": "2026-11-22T10:16:00+09:00",
  "type": "建物火災",                         in words; one that is not known becomes その他
  "stage": "出動",                            覚知, 出動, 鎮圧, 鎮火, 誤報; a correction may leave it out
  "message_id": "…", "serial": 2,            optional: of this message
  "status": "actual",                        or exercise, test
  "action": "issue",                         or correct, withdraw
  "called_at": "2026-11-22T10:15:00+09:00",  覚知時刻
  "address": "東松島市矢本字大町1-2", "landmark": "…",
  "position": {"lon": 141.21, "lat": 38.42, "datum": "JGD2011", "accuracy_m": 50},
  "same_as": "R8-01230",                     this number belongs to that one; to be said in each message
  "caller": …, "casualties": …, "units": …, "note": …    for moderators only, as is every other key
}
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import orjson

from gis.town import Town
from ingest.fire.dispatch import Dispatch, Service, read_number, report_of
from ingest.fire.position import read_place
from ingest.fire.words import find_stage, find_type, type_of
from ingest.reports import Action, Place, Rejected, Report, Status, Unreadable
from ingest.strict_json import read_json

MOST_MESSAGES = 500
_Code = TypeVar("_Code")
_MOST_LETTERS = 4000
_STATUS: Mapping[str, Status] = {"actual": "Actual", "exercise": "Exercise", "test": "Test"}
_ACTIONS: Mapping[str, Action] = {"issue": "issue", "correct": "correct", "withdraw": "withdraw"}
_KNOWN = frozenset(
    {"number", "sent_at", "type", "stage", "message_id", "serial", "status", "action", "called_at", "address"}
    | {"landmark", "position", "same_as"}
)


class WrongError(ValueError):
    """A value that cannot be: where it stands (a JSON pointer), and why."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(reason)
        self.pointer = pointer
        self.reason = reason


def read_messages(body: bytes, town: Town, service: Service, source: str) -> list[Report | Rejected]:
    """Return a report for each message, or why it is none, with the JSON pointer of the wrong value as its record.

    Raises
    ------
    Unreadable : it is no JSON, or neither a message nor a list of them.
    """
    said = read_json(body)
    if not isinstance(said, dict):
        raise Unreadable("the document is no JSON object")
    messages, base = [said], [""]
    if "messages" in said:
        messages = said["messages"]
        if not isinstance(messages, list) or not 1 <= len(messages) <= MOST_MESSAGES:
            raise Unreadable(f"/messages is no list of 1 to {MOST_MESSAGES} messages")
        base = [f"/messages/{number}" for number in range(len(messages))]
    found: dict[str, Report] = {}
    rejected = []
    for message, pointer in zip(messages, base, strict=True):
        try:
            report = report_of(_read(message, pointer), town, service, source)
        except WrongError as wrong:
            rejected.append(Rejected(wrong.pointer, wrong.reason))
        else:
            if report.source_id in found and found[report.source_id] != report:
                rejected.append(Rejected(pointer, "another message of this number and moment says something else"))
            found.setdefault(report.source_id, report)
    return [*found.values(), *rejected]


def mark_exercise(body: bytes) -> bytes:
    """Turn every message of a document into a drill.

    Raises
    ------
    Unreadable : as for `read_messages`.
    """
    said = read_json(body)
    messages = said.get("messages", [said]) if isinstance(said, dict) else []
    for message in messages if isinstance(messages, list) else []:
        if isinstance(message, dict):
            message["status"] = "exercise"
    return orjson.dumps(said)


def _read(message: Any, pointer: str) -> Dispatch:
    if not isinstance(message, dict):
        raise WrongError(pointer, "no object")
    said_at = _time(message, "sent_at", pointer)
    if said_at is None:
        raise WrongError(f"{pointer}/sent_at", "is missing")
    action = _one_of(message, "action", pointer, _ACTIONS, "issue")
    type_words, stage_words = _text(message, "type", pointer, is_needed=True), _text(message, "stage", pointer)
    if not stage_words and action == "issue":
        raise WrongError(f"{pointer}/stage", "is missing; only a correction may leave it out")
    address, landmark = _text(message, "address", pointer), _text(message, "landmark", pointer)
    return Dispatch(
        number=_number(message, "number", pointer, is_needed=True),
        type=find_type(type_words) or type_of("その他"),
        stage=find_stage(stage_words),
        said_at=said_at,
        status=_one_of(message, "status", pointer, _STATUS, "actual"),
        action=action,
        identity=_identity(message, pointer),
        serial=_serial(message, pointer),
        called_at=_time(message, "called_at", pointer),
        address=address,
        landmark=landmark,
        place=_place(message, pointer, " ".join(filter(None, (address, landmark)))),
        original=" ".join(filter(None, (type_words, stage_words, address, landmark))),
        details={key: value for key, value in message.items() if key not in _KNOWN},
        same_as=_number(message, "same_as", pointer),
    )


def _identity(message: Mapping[str, Any], pointer: str) -> str:
    """Prefer the sender's own; without one, what is said tells two messages of one moment apart."""
    given = _text(message, "message_id", pointer)
    return hashlib.sha256(given.encode() if given else orjson.dumps(message, option=orjson.OPT_SORT_KEYS)).hexdigest()[
        :24
    ]


def _text(message: Mapping[str, Any], key: str, pointer: str, is_needed: bool = False) -> str:
    value = message.get(key)
    if value is None and not is_needed:
        return ""
    if not isinstance(value, str) or len(value) > _MOST_LETTERS or (is_needed and not value.strip()):
        raise WrongError(f"{pointer}/{key}", f"no text of {int(is_needed)} to {_MOST_LETTERS} characters")
    return value.strip()


def _number(message: Mapping[str, Any], key: str, pointer: str, is_needed: bool = False) -> str:
    text = _text(message, key, pointer, is_needed)
    found = read_number(text) if text else ""
    if found is None:
        raise WrongError(f"{pointer}/{key}", "a dispatch number has up to 64 letters, digits and . / : -")
    return found


def _time(message: Mapping[str, Any], key: str, pointer: str) -> datetime | None:
    text = _text(message, key, pointer)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WrongError(f"{pointer}/{key}", "no time such as 2026-11-22T10:16:00+09:00") from None
    if moment.tzinfo is None:
        raise WrongError(f"{pointer}/{key}", "the offset from UTC is missing, e.g. +09:00")
    if not 2000 <= moment.year <= 2200:
        raise WrongError(f"{pointer}/{key}", "the year cannot be")
    return moment


def _serial(message: Mapping[str, Any], pointer: str) -> int | None:
    serial = message.get("serial")
    if serial is not None and (isinstance(serial, bool) or not isinstance(serial, int) or not 0 <= serial < 2**31):
        raise WrongError(f"{pointer}/serial", "no whole number from 0 on")
    return serial


def _one_of(message: Mapping[str, Any], key: str, pointer: str, codes: Mapping[str, _Code], default: str) -> _Code:
    value = _text(message, key, pointer) or default
    if value not in codes:
        raise WrongError(f"{pointer}/{key}", f"none of {', '.join(codes)}")
    return codes[value]


def _place(message: Mapping[str, Any], pointer: str, words: str) -> Place | None:
    position = message.get("position")
    if position is None:
        return None
    where = f"{pointer}/position"
    if not isinstance(position, dict):
        raise WrongError(where, 'no object such as {"lon": 141.21, "lat": 38.42, "datum": "JGD2011"}')
    try:
        return read_place(
            position.get("lon"), position.get("lat"), _text(position, "datum", where), position.get("accuracy_m"), words
        )
    except WrongError:
        raise
    except ValueError as error:
        raise WrongError(where, str(error)) from error
