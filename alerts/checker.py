"""What is doubtful or wrong in a message before it goes out: pure rules over its words, times and level."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.catalogue import load_texts
from alerts.drafting import Draft
from alerts.events import find_event
from alerts.short_text import LIMIT, weigh_uncut
from alerts.templates import find_blanks, load_templates
from alerts.texts import AlertText

_NUMBER = re.compile(r"\d+(?::\d{2})?")
_CLOCK = re.compile(r"(\d{1,2})時\s*(\d{1,2})分")
_FURIGANA = re.compile(r"\([ぁ-ゖー・]+\)")
_MONTHS: list[str] = load_texts("common", "en")["time"]["months"]
_MONTH = re.compile(rf"\b({'|'.join(_MONTHS)})\b")
SEVERITIES = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")  # CAP 1.2, the gravest first
# Characters: a subject that old phones do not cut, and a push message.
LIMITS = {"subject": 60, "push": 120}


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes
    ----------
    code : blank, no_action, no_headline, no_description, no_place, no_time, past_end, end_before_start, past_onset,
        piece_unnamed, numbers_differ, wrong_phrase, no_phrase, push_long, end_before_effective, urgency_past,
        milder_than_event.
    language : the words it is about; "" for the whole message.
    detail : the words or numbers in question.
    stops : whether the message cannot be sent with it; otherwise it is a warning.
    """

    code: str
    language: str = ""
    detail: str = ""
    stops: bool = False


def check_draft(
    draft: Draft, place_names: Mapping[str, str], phase: str, now: datetime, parts: Sequence[str] = ()
) -> list[Finding]:
    """Return what is wrong or doubtful, what stops the message first.

    Parameters
    ----------
    place_names : language → a name of the area that the words should hold; a language without one is not asked.
    phase : of the message; one that clears or withdraws needs no phrase.
    parts : names of the parts that were put into the area; people there must know that they are meant.
    """
    findings = _check_times(draft, now) + _check_parts(draft, parts)
    if phase in ("issued", "updated"):
        findings += _check_cap(draft)
    for words in draft.texts:
        findings += _check_words(words, place_names.get(words.language, ""))
        if phase in ("issued", "updated"):
            findings += _check_phrase(draft, words)
    findings += _compare_numbers(draft.texts)
    return sorted(findings, key=lambda finding: not finding.stops)


def read_numbers(words: str) -> set[str]:
    """Return the numbers and clock times of a text in one form, so that languages can be compared.

    Examples
    --------
    >>> sorted(read_numbers("１６時０５分、警戒レベル４"))
    ['16:05', '4']
    >>> sorted(read_numbers("At 16:05 on 3 May, level 4")) == sorted(read_numbers("5月3日 16時5分、レベル4"))
    True
    """
    plain = _FURIGANA.sub("", unicodedata.normalize("NFKC", words))
    plain = _CLOCK.sub(lambda found: f"{int(found[1])}:{int(found[2]):02}", plain)
    plain = _MONTH.sub(lambda found: str(_MONTHS.index(found[1]) + 1), plain)
    return {number.lstrip("0") or "0" for number in _NUMBER.findall(plain)}


def _check_times(draft: Draft, now: datetime) -> list[Finding]:
    findings = []
    if draft.expires_at is not None and draft.expires_at <= now:
        findings.append(Finding("past_end", stops=True))
    if draft.expires_at is not None and draft.onset_at is not None and draft.expires_at <= draft.onset_at:
        findings.append(Finding("end_before_start", stops=True))
    if draft.expires_at is not None and draft.effective_at is not None and draft.expires_at <= draft.effective_at:
        findings.append(Finding("end_before_effective", stops=True))
    if draft.onset_at is not None and draft.onset_at < now:
        findings.append(Finding("past_onset"))
    return findings


def _check_parts(draft: Draft, parts: Sequence[str]) -> list[Finding]:
    japanese = next(words for words in draft.texts if words.language == "ja")
    said = f"{draft.area_name} {japanese.headline} {japanese.description} {japanese.instruction}"
    return [Finding("piece_unnamed", detail=name) for name in dict.fromkeys(parts) if name not in said]


def _check_cap(draft: Draft) -> list[Finding]:
    """CAP's words against the event's: a receiver that filters by them must not miss the message (CAP 1.2, 3.2.2)."""
    findings = []
    if draft.urgency == "Past":
        findings.append(Finding("urgency_past"))
    usual = find_event(draft.event, "issued").severity
    if SEVERITIES.index(draft.severity) > SEVERITIES.index(usual):
        findings.append(Finding("milder_than_event", detail=f"{draft.severity} < {usual}"))
    return findings


def _check_words(words: AlertText, place: str) -> list[Finding]:
    whole = f"{words.headline} {words.description} {words.instruction}"
    blanks = find_blanks(f"{words.event} {whole} {words.short}")
    findings = [Finding("blank", words.language, blank, stops=True) for blank in blanks]
    for code, part in (("no_headline", words.headline), ("no_description", words.description)):
        if not part.strip():
            findings.append(Finding(code, words.language, stops=True))
    if not words.instruction.strip():
        findings.append(Finding("no_action", words.language))
    if place and place not in whole:
        findings.append(Finding("no_place", words.language, place))
    if not any(":" in number for number in read_numbers(words.description)):
        findings.append(Finding("no_time", words.language))
    if len(push_text(words)) > LIMITS["push"]:
        findings.append(Finding("push_long", words.language))
    return findings


def _check_phrase(draft: Draft, words: AlertText) -> list[Finding]:
    """A level's official phrase belongs to its messages, and to no other level's."""
    whole = f"{words.event} {words.headline} {words.description}"
    own = [t.phrases.get(words.language, "") for t in load_templates().values() if t.event == draft.event]
    findings = []
    if any(own) and not any(phrase and phrase in whole for phrase in own):
        findings.append(Finding("no_phrase", words.language, next(phrase for phrase in own if phrase)))
    for template in load_templates().values():
        phrase = template.phrases.get(words.language, "")
        fits = phrase in own or template.level == draft.level
        if phrase and not fits and phrase in whole and not any(phrase in mine for mine in own):
            findings.append(Finding("wrong_phrase", words.language, phrase))
    return findings


def _compare_numbers(texts: tuple[AlertText, ...]) -> list[Finding]:
    """Name the numbers that one language has and another lacks; Japanese is what the others are held against."""
    numbers = {words.language: read_numbers(f"{words.headline} {words.description}") for words in texts}
    findings = []
    for language, found in numbers.items():
        different = found ^ numbers["ja"]
        if different:
            findings.append(Finding("numbers_differ", language, ", ".join(sorted(different))))
    return findings


def count_characters(words: AlertText) -> dict[str, tuple[int, int]]:
    """Return subject, push and short text → (length, limit): characters, and what `alerts.short_text` weighs."""
    return {
        "subject": (len(words.headline), LIMITS["subject"]),
        "push": (len(push_text(words)), LIMITS["push"]),
        "x": (weigh_uncut(words), LIMIT),
    }


def push_text(words: AlertText) -> str:
    """Return what a push message shows: the short form, without one headline and what to do."""
    return words.short or f"{words.headline}\n{words.instruction}"


def short_form(words: AlertText) -> str:
    """Return a short form for words too long for a push message: the headline and as many lines of what to do as fit.

    "" when the words fit as they are.
    """
    if len(push_text(words)) <= LIMITS["push"]:
        return ""
    short = words.headline[: LIMITS["push"]]
    for line in words.instruction.split("\n"):
        if len(short) + 1 + len(line) > LIMITS["push"]:
            break
        short = f"{short}\n{line}"
    return short
