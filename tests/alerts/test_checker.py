"""The checker finds what a hurried author overlooks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from alerts.catalogue import JST, write_moment
from alerts.checker import check_draft, read_numbers
from alerts.drafting import Draft, plan_draft
from alerts.templates import fill_template, find_blanks, load_templates
from gis.languages import LANGUAGES

NOW = datetime(2031, 5, 3, 16, 5, tzinfo=JST)
PLACES = {"ja": "大曲", "ja-x-easy": "大曲", "en": "Omagari"}
TIMES = {"ja": "5月3日 16時05分", "ja-x-easy": "5月3日 16時05分", "en": "16:05 on 3 May"}
HAZARDS = {"ja": "洪水", "ja-x-easy": "洪水", "en": "flood"}


def write(name: str = "order", status: str = "Actual") -> Draft:
    template = load_templates()[name]
    texts = tuple(
        fill_template(
            template,
            tag,
            {"place": PLACES[tag], "time": TIMES[tag], "hazard": HAZARDS[tag], "message": "m", "action": "a"},
            status,
        )
        for tag in LANGUAGES
    )
    return plan_draft("flood", template.event, template.level, "大曲", texts, NOW)


def codes(draft: Draft, phase: str = "issued") -> set[tuple[str, str]]:
    return {(finding.code, finding.language) for finding in check_draft(draft, PLACES, phase, NOW)}


def change(draft: Draft, language: str, **parts: str) -> Draft:
    return replace(draft, texts=tuple(replace(w, **parts) if w.language == language else w for w in draft.texts))


@pytest.mark.parametrize("name", ["emergency", "order", "elderly", "tsunami", "message"])
@pytest.mark.parametrize("status", ["Actual", "Exercise"])
def test_a_filled_template_has_nothing_wrong(name: str, status: str) -> None:
    assert codes(write(name, status)) == set()


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"instruction": " "}, "no_action"),
        ({"headline": ""}, "no_headline"),
        ({"description": "避難指示"}, "no_time"),
        ({"description": "5月3日 16時50分、大曲に避難指示"}, "numbers_differ"),
        ({"instruction": "{{ shelter }}へ"}, "blank"),
        ({"event": "緊急安全確保", "headline": "大曲", "description": "16時05分"}, "no_phrase"),
        ({"headline": "緊急安全確保 大曲"}, "wrong_phrase"),
    ],
)
def test_a_flaw_in_the_japanese_is_found(parts: dict[str, str], code: str) -> None:
    assert code in {found for found, _ in codes(change(write(), "ja", **parts))}


def test_words_that_name_another_place_are_found() -> None:
    draft = change(write(), "en", headline="Evacuation Order: Yamoto", description="At 16:05 on 3 May, go. Level 4")
    assert ("no_place", "en") in codes(draft)


@pytest.mark.parametrize(
    ("times", "code", "stops"),
    [
        ({"expires_at": NOW}, "past_end", True),
        ({"onset_at": NOW + timedelta(days=9)}, "end_before_start", True),
        ({"onset_at": NOW - timedelta(minutes=1)}, "past_onset", False),
    ],
)
def test_wrong_times_are_found(times: dict[str, datetime], code: str, stops: bool) -> None:
    findings = check_draft(replace(write(), **times), PLACES, "issued", NOW)  # type: ignore[arg-type]
    assert [(finding.code, finding.stops) for finding in findings] == [(code, stops)]


def test_an_all_clear_needs_no_phrase() -> None:
    draft = change(write(), "ja", event="解除", headline="大曲 4 解除", description="5月3日 16時05分、解除")
    assert not {"no_phrase", "wrong_phrase"} & {code for code, _ in codes(draft, "cleared")}


def test_a_blank_without_a_value_stays_and_a_value_is_no_template() -> None:
    template = load_templates()["message"]
    words = fill_template(template, "en", {"place": "{{ time }}", "time": "16:05", "message": ""}, "Actual")
    assert find_blanks(words.description) == ["time", "message"], "the place's braces are words, not filled again"


def test_a_drill_is_marked_once_in_every_part() -> None:
    for words in write(status="Exercise").texts:
        for part in (words.event, words.headline, words.description, words.instruction):
            assert part != next(w for w in write().texts if w.language == words.language).headline
    english = next(words for words in write(status="Exercise").texts if words.language == "en")
    assert english.headline.count("[DRILL]") == 1


def test_numbers_agree_across_the_ways_of_writing_them() -> None:
    assert read_numbers("５月３日　１６時５分") == read_numbers("16:05 on 3 May")
    assert read_numbers("16時05分") != read_numbers("16:50")
    moments = [write_moment(NOW, language) for language in LANGUAGES]
    assert len({frozenset(read_numbers(moment)) for moment in moments}) == 1, moments
