"""What the city says, in three languages."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from jinja2 import UndefinedError

from alerts.catalogue import fill
from alerts.texts import AlertText, Occasion, write_text
from gis.languages import LANGUAGES
from gis.settings import DATA_DIR
from gis.town import load_town
from tests.alerts.alert_town import FIRST, MAJOR, QUAKE

TSUNAMI_CODES = [f"tsunami.{name}" for name in ("major_warning", "warning", "advisory", "forecast", "none")]
KANJI = re.compile(r"[一-龠々]+")


def write(facts: dict[str, Any], language: str = "ja", **occasion: str) -> AlertText:
    values = {"kind": "tsunami", "code": "tsunami.major_warning", "phase": "issued", "status": "Actual"} | occasion
    return write_text(Occasion(**values, reported_at=FIRST, office="気象庁", facts=facts), language, load_town())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("phase", ["issued", "updated", "cleared", "withdrawn"])
@pytest.mark.parametrize("status", ["Actual", "Exercise", "Test"])
@pytest.mark.parametrize("code", [*TSUNAMI_CODES, "earthquake.intensity"])
def test_every_event_has_words_for_every_occasion(code: str, phase: str, status: str, language: str) -> None:
    facts = QUAKE if code.startswith("earthquake") else MAJOR
    words = write(facts, language, kind=code.partition(".")[0], code=code, phase=phase, status=status)
    for part in (words.event, words.headline, words.description, words.instruction):
        assert part and "{" not in part and "None" not in part


@pytest.mark.parametrize(
    ("language", "worst"), [("ja", "最悪"), ("ja-x-easy", "一番（いちばん）あぶない"), ("en", "expect the worst")]
)
def test_a_huge_tsunami_reads_as_the_worst_and_not_as_a_missing_number(language: str, worst: str) -> None:
    description = write(MAJOR, language).description
    assert worst in description
    assert "nan" not in description.lower()


@pytest.mark.parametrize(
    ("language", "words"),
    [("ja", "10 mを超える"), ("ja-x-easy", "10 メートルより 高（たか）い"), ("en", "over 10 m")],
)
def test_more_than_ten_metres_reads_as_more(language: str, words: str) -> None:
    assert words in write({**MAJOR, "height_text": "１０ｍ超", "height_m": 10.0}, language).description


@pytest.mark.parametrize(
    ("arrival", "words"),
    [
        ("津波到達中と推測", "the tsunami is thought to be arriving now"),
        ("第１波の到達を確認", "the first wave has arrived; more will follow"),
        ("ただちに津波来襲と予測", "the tsunami is expected to arrive immediately"),
    ],
)
def test_an_arrival_without_a_time_is_told_in_words(arrival: str, words: str) -> None:
    assert words in write({**MAJOR, "arrival_at": None, "arrival_text": arrival}, "en").description


def test_times_are_written_out_in_japan_time() -> None:
    assert "2011年3月11日 14時49分" in write(MAJOR).description
    assert "14:49 on 11 March 2011 (Japan time)" in write(MAJOR, "en").description


@pytest.mark.parametrize(
    ("status", "language", "mark"),
    [
        ("Exercise", "ja", "訓練"),
        ("Test", "ja", "試験"),
        ("Exercise", "ja-x-easy", "訓練"),
        ("Exercise", "en", "DRILL"),
    ],
)
def test_a_drill_says_so_in_every_part(status: str, language: str, mark: str) -> None:
    words = write(MAJOR, language, status=status)
    for part in (words.event, words.headline, words.instruction):
        assert mark in part
    assert mark.lower() in words.description.lower()


def test_the_end_of_the_warning_is_not_called_by_the_name_of_the_warning() -> None:
    words = write({"class": "forecast"}, code="tsunami.forecast", phase="cleared")
    assert words.event == "津波の警報・注意報の解除"


def test_a_withdrawal_names_what_is_withdrawn() -> None:
    assert write(MAJOR, phase="withdrawn").headline == "大津波警報の取り消し 東松島市"


def test_the_towns_intensity_replaces_that_of_the_region() -> None:
    region = write(QUAKE, "en", kind="earthquake", code="earthquake.intensity")
    assert "intensity 6 upper in the region of Higashi-Matsushima City" in region.description
    city = write(QUAKE | {"city_intensity": "6+"}, "en", kind="earthquake", code="earthquake.intensity")
    assert "intensity 6 upper in Higashi-Matsushima City" in city.description


def test_an_unfilled_blank_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        fill("{{ nobody_fills_this }}", {})


def test_a_template_cannot_reach_into_python() -> None:
    with pytest.raises(Exception, match="unsafe"):
        fill("{{ ''.__class__.__mro__ }}", {})


@pytest.mark.parametrize("name", ["common", "tsunami", "earthquake"])
def test_all_languages_have_the_same_texts(name: str) -> None:
    def keys(language: str) -> set[str]:
        texts = tomllib.loads((DATA_DIR / "messages" / f"{name}.{language}.toml").read_text(encoding="utf-8"))
        return {f"{table}.{key}" for table, row in texts.items() for key in row if table != "office"}

    assert keys("ja") == keys("ja-x-easy") == keys("en")


@pytest.mark.parametrize("code", TSUNAMI_CODES)
def test_easy_japanese_has_furigana_on_every_kanji_and_short_sentences(code: str) -> None:
    words = write(MAJOR, "ja-x-easy", code=code)
    text = f"{words.headline}\n{words.description}\n{words.instruction}".replace(load_town().name_easy, "まち")
    bare = [match.group() for match in KANJI.finditer(text) if not text[match.end() :].startswith("（")]
    assert bare == []
    spoken = re.sub(r"（[ぁ-ん]+）", "", text)
    assert max(len(sentence) for sentence in re.split(r"[。\n]", spoken)) <= 45


def test_a_magnitude_without_a_number_is_told_in_the_readers_language() -> None:
    giant = MAJOR | {"magnitude": None, "magnitude_text": "Ｍ８を超える巨大地震"}
    assert "M8を超える巨大地震" in write(giant, "ja").description
    in_english = write(giant, "en").description
    assert "giant, above magnitude 8" in in_english
    assert not KANJI.search(in_english)
