"""What the forms of the alert console say: the words, times and levels of a draft."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text
from werkzeug.datastructures import MultiDict

from alerts.catalogue import JST, write_moment
from alerts.drafting import Draft, plan_draft
from alerts.templates import PARTS, Template, fill_blanks, fill_template, find_blanks
from alerts.texts import AlertText
from gis.errors import UsageError
from gis.languages import LANGUAGES
from layers.codes import load_code_list

_LONGEST = 4000
# Levels and CAP words, section 3.2.2 of CAP 1.2.
CAP_WORDS = {
    "category": (
        "Geo",
        "Met",
        "Safety",
        "Security",
        "Rescue",
        "Fire",
        "Health",
        "Env",
        "Transport",
        "Infra",
        "CBRNE",
        "Other",
    ),
    "urgency": ("Immediate", "Expected", "Future", "Past", "Unknown"),
    "severity": ("Extreme", "Severe", "Moderate", "Minor", "Unknown"),
    "certainty": ("Observed", "Likely", "Possible", "Unlikely", "Unknown"),
}
Form = MultiDict[str, str]


def begin_draft(template: Template, kind: str, area_name: str, places: Mapping[str, str], status: str) -> Draft:
    """Return a draft from a template with place, hazard and time filled in; other blanks stay."""
    if template.kinds and kind not in template.kinds:
        kind = template.kinds[0]
    now = datetime.now(JST)
    codes = {code.value: code for code in load_code_list("incident_kind").codes}
    if kind not in codes:
        raise UsageError("There is no kind %(kind)s.", "Choose one of the list.", kind=kind).at("kind")
    texts = tuple(
        fill_template(
            template,
            language,
            {
                "place": places.get(language, ""),
                "hazard": codes[kind].name(language).lower() if language == "en" else codes[kind].name(language),
                "time": write_moment(now, language),
            },
            status,
        )
        for language in LANGUAGES
    )
    return plan_draft(kind, template.event, template.level, area_name, texts, now)


def read_draft_form(form: Form, event: str) -> Draft:
    """Return the draft as typed; the event's code stays the template's.

    Raises
    ------
    UsageError : a time, a level or a CAP word cannot be read.
    """
    for name, allowed in CAP_WORDS.items():
        if form.get(name) not in allowed:
            raise UsageError(
                "%(value)s is no %(name)s.",
                "Choose one of %(known)s.",
                value=form.get(name),
                name=name,
                known=", ".join(allowed),
            ).at(name)
    return Draft(
        kind=require_kind(form.get("kind", "")),
        event=event,
        level=form.get("level", 0, type=int),
        urgency=form["urgency"],
        severity=form["severity"],
        certainty=form["certainty"],
        area_name=form.get("area_name", "").strip()[:200],
        onset_at=read_time(form, "onset_at"),
        expires_at=read_time(form, "expires_at"),
        texts=tuple(_fill_typed(read_words(form, language), form) for language in LANGUAGES),
        category=form["category"],
        web=_web(form.get("web", "").strip()),
        effective_at=read_time(form, "effective_at"),
    )


def blanks_of(draft: Draft) -> dict[str, list[str]]:
    """Return language → names of the blanks that are still to be filled."""
    found = {words.language: find_blanks(" ".join(getattr(words, part) for part in PARTS)) for words in draft.texts}
    return {language: names for language, names in found.items() if names}


def draft_of(alert: Row[Any], texts: Sequence[Row[Any]]) -> Draft:
    """Return a stored draft as the checker and the form read it."""
    names = [field.name for field in fields(Draft) if field.name != "texts"]
    words = {row.language: AlertText(**row._mapping) for row in texts}
    return Draft(**{name: getattr(alert, name) for name in names}, texts=tuple(words[tag] for tag in LANGUAGES))


def write_time(moment: datetime | None) -> str:
    """Write a time for `<input type=datetime-local>`, Japan time; "" for none."""
    return moment.astimezone(JST).strftime("%Y-%m-%dT%H:%M") if moment else ""


def read_words(form: Form, language: str) -> AlertText:
    """Return what was typed in one language: fields `<part>-<language>`."""
    parts = {part: form.get(f"{part}-{language}", "").replace("\r\n", "\n").strip()[:_LONGEST] for part in PARTS}
    # A headline is a mail's subject, an event a line of CAP: one line each.
    parts |= {part: " ".join(parts[part].split()) for part in ("event", "headline")}
    return AlertText(language=language, **parts)


def require_kind(kind: str) -> str:
    """Return the kind of incident.

    Raises
    ------
    UsageError : the code list does not have it.
    """
    if kind not in {code.value for code in load_code_list("incident_kind").codes}:
        raise UsageError("There is no kind %(kind)s.", "Choose one of the list.", kind=kind).at("kind")
    return kind


def _fill_typed(words: AlertText, form: Form) -> AlertText:
    """Put what was typed for the blanks (fields `blank-<name>-<language>`) into every part."""
    suffix = f"-{words.language}"
    blanks = {
        name.removeprefix("blank-").removesuffix(suffix): value.strip()[:_LONGEST]
        for name, value in form.items()
        if name.startswith("blank-") and name.endswith(suffix)
    }
    return replace(words, **{part: fill_blanks(getattr(words, part), blanks) for part in PARTS})


def _web(address: str) -> str:
    if address and not re.fullmatch(r"https?://[^\s\"<>]{1,500}", address):
        raise UsageError("The address on the web cannot be read.", "It begins with https://").at("web")
    return address


def read_time(form: Form, name: str) -> datetime | None:
    """Read `<input type=datetime-local>` of a form, Japan time; None for nothing.

    Raises
    ------
    UsageError : it is no time, has no hour, or names another zone: taken for Japan's it would be hours off.
    """
    words = form.get(name, "")
    if not words:
        return None
    try:
        moment = datetime.fromisoformat(words)
        if moment.tzinfo is not None or len(words) <= len("2031-05-03"):
            raise ValueError(words)
        return moment.replace(tzinfo=JST)
    except ValueError as error:
        raise UsageError("%(words)s is no time.", "Write it as 2031-05-03T16:05.", words=words).at(name) from error


def incident_beginning(connection: Connection, fid: int) -> Row[Any] | None:
    """Return kind, status and place of an incident that a message is to be begun from."""
    return connection.execute(
        text("SELECT kind, status, coalesce(place_name, '') AS place_name FROM layers.incident WHERE fid = :fid"),
        {"fid": fid},
    ).first()
