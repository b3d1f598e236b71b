"""Codes of the alert console in people's words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from alerts.channels.outgoing import titles
from alerts.checker import Finding
from webmap.languages import gettext, language, mark

FINDINGS = {
    "blank": mark("A blank is not filled"),
    "no_headline": mark("There is no headline"),
    "no_description": mark("There is no text"),
    "no_action": mark("It does not say what to do"),
    "no_place": mark("It does not name the place"),
    "no_time": mark("It names no time"),
    "past_end": mark("Its end is past"),
    "end_before_start": mark("It ends before it begins"),
    "past_onset": mark("Its beginning is past"),
    "numbers_differ": mark("Numbers or times differ from the Japanese"),
    "no_phrase": mark("The official phrase of its level is missing"),
    "wrong_phrase": mark("It has the official phrase of another level"),
    "piece_unnamed": mark("The area has a part that the words do not name"),
    "push_long": mark("Too long for a push message: write a short form"),
    "end_before_effective": mark("It ends before it takes effect"),
    "urgency_past": mark("Its CAP urgency says that it is over"),
    "milder_than_event": mark("Its CAP severity is milder than usual for the event"),
}
# The field that a finding is about; those with the language stand for each language's.
FIELD_OF = {
    "no_headline": "headline-{}",
    "no_description": "description-{}",
    "no_action": "instruction-{}",
    "no_place": "description-{}",
    "no_time": "description-{}",
    "numbers_differ": "description-{}",
    "no_phrase": "headline-{}",
    "wrong_phrase": "headline-{}",
    "push_long": "short-{}",
    "past_end": "expires_at",
    "end_before_start": "expires_at",
    "end_before_effective": "expires_at",
    "past_onset": "onset_at",
    "urgency_past": "urgency",
    "milder_than_event": "severity",
    "piece_unnamed": "area_name",
}
DOUBTS = {
    "crosses_itself": mark("A shape crosses itself; the parts it encloses are taken."),
    "outside": mark("The area lies partly outside the town."),
    "empty": mark("The area is empty."),
}
OPERATIONS = {"add": mark("add"), "cut": mark("cut out"), "keep": mark("keep only what is inside")}
SOURCES = {
    "quarter": mark("quarter, by its name"),
    "town": mark("the whole town"),
    "incident": mark("incident, by its number"),
    "alert": mark("area of a message, by its number"),
    "feature": mark("feature of a layer (layer:number)"),
    "drawn": mark("drawn on the map"),
}
TEMPLATES = {
    "emergency": mark("Level 5: Emergency Safety Measures"),
    "order": mark("Level 4: Evacuation Order"),
    "elderly": mark("Level 3: Evacuation of the Elderly"),
    "tsunami": mark("Tsunami: Evacuation Order"),
    "message": mark("Message with own words"),
}
# The blanks of the shipped templates; those of the staff's own are called as the staff called them.
BLANKS = {
    "place": mark("Name of the place"),
    "hazard": mark("What threatens"),
    "time": mark("Time"),
    "message": mark("What happens"),
    "action": mark("What to do"),
}
OCCASIONS = {"first": mark("first message"), "follow_up": mark("what follows a message that was sent")}
STANDING_STATES = {
    "proposed": mark("waiting for the second person"),
    "in_force": mark("in force"),
    "future": mark("not yet in force"),
    "ended": mark("ended"),
    "revoked": mark("revoked"),
}
EVENTS = {
    "evacuation.emergency": mark("Emergency Safety Measures"),
    "evacuation.order": mark("Evacuation Order"),
    "evacuation.elderly": mark("Evacuation of the Elderly"),
    "city.message": mark("Message from the city"),
}
ANSWERS = {"update": mark("Update it"), "clear": mark("Write the all-clear"), "cancel": mark("Withdraw it")}
STATUSES = {"Actual": mark("real"), "Exercise": mark("drill"), "Test": mark("test")}
COUNTERS = {"subject": mark("subject"), "push": mark("push message"), "x": mark("short text")}
# The parts of a message's words, as the form shows them: field → label.
PARTS = {
    "event": mark("Event"),
    "headline": mark("Headline"),
    "description": mark("Text"),
    "instruction": mark("What to do"),
    "short": mark("Short form for push messages (empty: headline and what to do)"),
}
# Why a message has not arrived: the kinds of `alerts.refusals`, and no answer at all.
REASONS = {
    "hard": mark("the address does not exist"),
    "soft": mark("the mailbox is full"),
    "policy": mark("the mail server refuses us"),
    "greylisted": mark("the mail server asks to come back later"),
    "later": mark("the mail server is busy"),
    "gone": mark("the device is gone"),
    "connection": mark("no connection to the mail server"),
}


def channel_title(name: str) -> str:
    """Return what people call a channel; one that is no more by its name."""
    return gettext("e-mail") if name == "mail" else titles(name).get(language(), name)


def field_of(finding: Finding) -> str:
    """Return the form's field that a finding is about."""
    if finding.code == "blank":
        return f"blank-{finding.detail}-{finding.language}"
    return FIELD_OF[finding.code].format(finding.language)


def sort_findings(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    """Return field → what was found of it; a field of which nothing was found has an empty list."""
    by_field = defaultdict[str, list[Finding]](list)
    for finding in findings:
        by_field[field_of(finding)].append(finding)
    return by_field
