"""A mail of the police to reports: what the public may read is composed, the mail's own words are for moderators."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from gis.town import Town
from ingest.mail.corrections import leave_out_wrong
from ingest.mail.message import Mail
from ingest.mail.notices import split_notices, without_advice
from ingest.mail.places import find_label, find_place, from_town_on
from ingest.mail.times import JST, Occurred, find_occurred
from ingest.mail.words import Category, find_category, find_features, find_status, load_words, plain
from ingest.reports import Action, Private, Rejected, Report, Unreadable

_STATION = re.compile(r"([一-龥]{1,6}警察署)")
_REPLY = re.compile(r"^(?:\s*(?:re|fw|fwd|転送)\s?:)+\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Office:
    """Who writes.

    Attributes
    ----------
    name : as the public reads it. source : the source's name, first part of the event keys.
    neighbours : names of other municipalities that concern the town, too → their codes (five digits).
    """

    source: str
    name: str
    neighbours: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Change:
    action: Action = "issue"
    is_over: bool = False

    @property
    def is_follow_up(self) -> bool:
        return self.action != "issue" or self.is_over


def read_notices(mail: Mail, town: Town, office: Office) -> list[Report | Rejected]:
    """Return a report for each notice of a mail, or why it is none; as many as there are notices.

    Raises
    ------
    Unreadable : the mail says nothing at all.
    """
    subject, text = _REPLY.sub("", plain(mail.subject)), plain(mail.text)

    def is_notice(part: str) -> bool:
        said = without_advice(part)
        occurred = find_occurred(said, mail.sent_at)
        has_place = bool(find_place(said, occurred.end if occurred else -1, ""))
        return (occurred is not None or has_place) and find_category(said, "") is not None

    notices = split_notices(text, is_notice) or [subject]
    if not any(notices):
        raise Unreadable("the mail says nothing")
    found: dict[str, Report] = {}
    rejected: list[Report | Rejected] = []
    for number, notice in enumerate(notices, 1):
        record = _read(mail, subject, text, notice, len(notices), town, office)
        if record is None:
            rejected.append(Rejected(f"notice {number}", "it names neither what happened nor when and where"))
        elif record.source_id in found:
            rejected.append(Rejected(f"notice {number}", "the same mail says the same thing twice"))
        else:
            found[record.source_id] = record
    return [*found.values(), *rejected]


def _read(mail: Mail, subject: str, text: str, notice: str, count: int, town: Town, office: Office) -> Report | None:
    said = leave_out_wrong(without_advice(notice))
    # Of several notices the subject names only one, or all.
    title = subject if count == 1 else ""
    occurred = _occurred(said, mail.sent_at)
    place = find_place(said, occurred.end if occurred else -1, title)
    category = find_category(said, title)
    if category is None and (occurred or place):
        category = find_category(said, subject)
    change = _change(said, title, category)
    if category is None:
        if occurred is None or not place:
            return None
        category = load_words().other
    status = "Exercise" if mail.is_exercise else find_status(subject, text)
    identity = _identity(notice, title, occurred, mail.sent_at)
    facts = _facts(category, change, occurred, said, place, office, town)
    headline, words = _public(category, change, occurred)
    return Report(
        source_id=f"{status}:{identity}",
        telegram="mail",
        kind=category.kind,
        status=status,
        action=change.action,
        event_key=f"{office.source}:{status}:{identity}",
        serial=None,
        reported_at=mail.sent_at,
        controlled_at=mail.sent_at,
        office=office.name,
        headline=headline,
        text=words,
        facts=facts,
        concerns_town=True,
        private=_private(mail, notice, said, occurred, from_town_on(place, town.name_ja)),
        seeks_event=change.is_follow_up,
    )


def _change(said: str, subject: str, category: Category | None) -> _Change:
    """Tell from the subject, or from what the words say as done, what a notice does to an earlier one."""
    action = load_words().action
    for name, what in (
        ("withdraw", _Change("withdraw")),
        ("over", _Change(is_over=True)),
        ("correct", _Change("correct")),
    ):
        if action[name].search(subject) or action[f"{name}_said"].search(said):
            return what
    if category and category.over.search(said):
        return _Change(is_over=True)
    return _Change()


def _occurred(said: str, sent_at: datetime) -> Occurred | None:
    """Prefer the time that stands behind a label; its end must still lead to the place that follows in the words."""
    label = find_label(said, "time_label")
    if label:
        start = said.find(label)
        found = find_occurred(label, sent_at)
        if found:
            return Occurred(found.at, found.until, found.precision, start + found.start, start + found.end)
    return find_occurred(said, sent_at)


def _identity(notice: str, subject: str, occurred: Occurred | None, sent_at: datetime) -> str:
    """Equal for the same notice through two lists; another text under the same Message-ID is another notice."""
    day = (occurred.at if occurred else sent_at).astimezone(JST).date()
    words = re.sub(r"[\s【】\[\]()]|" + r"^\W*\d{1,2}[.)]", "", f"{subject}|{notice}")
    return hashlib.sha256(f"{day}|{words}".encode()).hexdigest()[:32]


def _facts(
    category: Category, change: _Change, occurred: Occurred | None, said: str, place: str, office: Office, town: Town
) -> dict[str, Any]:
    facts: dict[str, Any] = {"category": category.name, "is_over": change.is_over}
    # Of a follow-up only an exact time can be that of the event; any other would keep the two apart.
    if occurred and not (change.is_follow_up and occurred.precision not in ("minute", "hour")):
        # To the hour: the minute, with the quarter, may lead to a person.
        facts["occurred_at"] = occurred.at.replace(minute=0).isoformat()
        facts["time_precision"] = "hour" if occurred.precision == "minute" else occurred.precision
        if occurred.until:
            facts["occurred_until"] = (occurred.until.replace(minute=0)).isoformat()
    if station := _STATION.search(said):
        facts["station"] = station[1]
    if town.name_ja not in place:
        for name, code in office.neighbours.items():
            if place.removeprefix(town.prefecture_ja).startswith(name):
                facts |= {"municipality": code, "place_name": name}
    return facts


def _public(category: Category, change: _Change, occurred: Occurred | None) -> tuple[str, str]:
    """Compose what everybody may read; nothing in it is from the mail but what a rule recognised."""
    public = load_words().public
    if change.action == "withdraw" or change.is_over:
        key = "withdraw" if change.action == "withdraw" else "over"
        headline, words = (
            public[f"{key}_{part}"].replace("{category}", category.name) for part in ("headline", "text")
        )
        return headline, words
    suffix = "" if occurred else "_without_time"
    values = {"{category}": category.name, "{advice}": category.advice, "{when}": _when(occurred) if occurred else ""}
    said = [public[f"{part}{suffix}"] for part in ("headline", "text")]
    for name, value in values.items():
        said = [words.replace(name, value) for words in said]
    return said[0], said[1]


def _when(occurred: Occurred) -> str:
    at = occurred.at.astimezone(JST)
    # What ends at midnight ended on the day before.
    last = occurred.until.astimezone(JST) - timedelta(microseconds=1) if occurred.until else at
    if occurred.precision == "third":
        return _span(f"{at.month}月{_third(at.day)}", f"{last.month}月{_third(last.day)}")
    if occurred.precision == "day" or last - at > timedelta(hours=6):
        return _span(f"{at.month}月{at.day}日", f"{last.month}月{last.day}日")
    day = f"{at.month}月{at.day}日"
    name = next(name for hour, name in reversed(load_words().bands) if at.hour >= hour)
    return f"{day}{name}"


def _third(day: int) -> str:
    return "上旬" if day < 11 else "中旬" if day < 21 else "下旬"


def _span(first: str, last: str) -> str:
    return first if first == last else f"{first}から{last}"


def _private(mail: Mail, notice: str, said: str, occurred: Occurred | None, place: str) -> Private:
    details: dict[str, Any] = {"features": find_features(said), "message_id": mail.message_id}
    if occurred:
        details["occurred_at"] = occurred.at.isoformat()
        if occurred.until:
            details["occurred_until"] = occurred.until.isoformat()
    return Private(None, place, "\n".join(filter(None, (mail.subject, notice))), details)
