"""What the city says about warnings of the weather, landslides, storm surges and floods, in three languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.events import event_code, find_event, told_facts
from alerts.texts import AlertText, Occasion, write_text
from alerts.warning_phrases import write_title
from gis.languages import LANGUAGES
from gis.town import load_town
from tests.alerts.alert_town import FIRST, SquareTown

KANJI = re.compile(r"[一-龠々]+")
MOMENT = datetime(2031, 8, 31, 21, 0, tzinfo=UTC)
CLASSES = ("special_warning", "danger_warning", "warning", "advisory", "none")
CODES = [
    *(f"weather.{hazard}.{name}" for hazard in ("heavy_rain", "wind", "waves", "snow", "other") for name in CLASSES),
    *(f"weather.{hazard}.notice" for hazard in ("record_rain", "rain_band", "snow_burst", "tornado", "bulletin")),
    *(f"{kind}.{name}" for kind in ("landslide", "storm_surge", "flood") for name in CLASSES),
]


def facts(code: str, name: str = "レベル４土砂災害危険警報", **more: Any) -> dict[str, Any]:
    """Return facts as the ingest side writes them for an event."""
    warnings = [{"name": name, "code": "49", "status": "発表", "level": 4, "condition": "", "sentences": []}]
    hazard = code.split(".")[-2]
    return {"event": code, "hazard": hazard, "level": 4, "warnings": warnings, "area_name": "東松島市"} | more


def write(code: str, language: str, phase: str = "issued", **more: Any) -> AlertText:
    kind = code.partition(".")[0]
    occasion = Occasion(kind, code, phase, "Actual", MOMENT, "仙台管区気象台", facts(code, **more))
    return write_text(occasion, language, load_town())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("phase", ["issued", "updated", "cleared", "withdrawn"])
@pytest.mark.parametrize("code", CODES)
def test_every_warning_has_words_for_every_occasion(code: str, phase: str, language: str) -> None:
    words = write(code, language, phase)
    for part in (words.event, words.headline, words.description, words.instruction):
        assert part and "{" not in part and "None" not in part


@pytest.mark.parametrize("code", CODES)
def test_every_warning_has_its_words_of_cap(code: str) -> None:
    assert event_code(code.partition(".")[0], facts(code)) == code
    assert find_event(code, "issued").category == "Met"


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("phase", ["issued", "updated", "cleared", "withdrawn"])
def test_easy_japanese_has_furigana_on_every_kanji(code: str, phase: str) -> None:
    words = write(code, "ja-x-easy", phase)
    text = f"{words.headline}\n{words.description}\n{words.instruction}".replace(load_town().name_easy, "まち")
    assert [m.group() for m in KANJI.finditer(text) if not text[m.end() :].startswith("（")] == []
    spoken = re.sub(r"（[ぁ-ん]+）", "", text)
    assert max(len(sentence) for sentence in re.split(r"[。\n]", spoken)) <= 45


@pytest.mark.parametrize("code", [code for code in CODES if not code.startswith("flood")])
def test_english_needs_no_japanese(code: str) -> None:
    words = write(code, "en")
    assert not KANJI.search(f"{words.headline}{words.description}{words.instruction}")


def test_japanese_says_it_in_the_words_of_the_source() -> None:
    words = write("landslide.danger_warning", "ja")
    assert words.headline == "レベル4土砂災害危険警報 東松島市"
    assert "仙台管区気象台が東松島市にレベル4土砂災害危険警報を発表しました。" in words.description
    assert "全員避難" in words.instruction


def test_when_it_is_expected_is_told() -> None:
    sentence = {"name": "暴風警報", "level": 3, "sentences": ["２３日１時から５時まで、暴風"]}
    assert "23日1時から5時まで、暴風" in write("weather.wind.warning", "ja", warnings=[sentence]).description


def test_a_flood_names_its_river() -> None:
    words = write("flood.danger_warning", "en", area_name="鳴瀬川・吉田川")
    assert "the river 鳴瀬川・吉田川 near Higashi-Matsushima" in words.description


def test_a_notice_says_until_when() -> None:
    until = {"valid_until": "2031-09-01T09:00:00+09:00"}
    assert "In force until 09:00 on 1 September" in write("weather.record_rain.notice", "en", **until).description


def test_the_hours_of_a_warning_are_no_news_but_its_class_is() -> None:
    before = facts("landslide.danger_warning")
    later = facts("landslide.danger_warning", valid_until="2031-09-01T09:00:00+09:00")
    assert told_facts("landslide", before) == told_facts("landslide", later)
    assert told_facts("landslide", before) != told_facts(
        "landslide", facts("landslide.warning", "レベル３土砂災害警報")
    )


@pytest.mark.parametrize(
    ("language", "title"),
    [("ja", "大雨警報"), ("en", "Heavy Rain Warning (level 3)"), ("ja-x-easy", "大雨（おおあめ）の 警報（けいほう）")],
)
def test_a_warning_has_a_title_of_its_own(language: str, title: str) -> None:
    assert write_title("weather.heavy_rain.warning", language) == title


def test_a_warning_waits_for_people_and_its_draft_goes_when_it_is_lifted(
    town: SquareTown, considered: Callable[..., int | None]
) -> None:
    place = {"kind": "landslide", "telegram": "VPWW56"}
    first = considered(facts("landslide.warning", "レベル３土砂災害警報"), level=3, phase="issued", **place)
    later = {"level": 4, "phase": "updated", "reported_at": FIRST + timedelta(hours=1)}
    assert considered(facts("landslide.danger_warning"), **place, **later) == first
    assert town.execute("SELECT state, event, level FROM alerts.alert") == [("draft", "landslide.danger_warning", 4)]
    over = {"level": 0, "phase": "cleared", "reported_at": FIRST + timedelta(hours=5)}
    considered(facts("landslide.none", warnings=[]), **place, **over)
    assert town.scalar("SELECT state FROM alerts.alert") == "discarded"


def test_an_advisory_alone_writes_nothing(town: SquareTown, considered: Callable[..., int | None]) -> None:
    rain = facts("weather.heavy_rain.advisory", "レベル２大雨注意報")
    assert considered(rain, kind="weather", telegram="VPWW55", level=2, phase="issued") is None
    assert town.scalar("SELECT count(*) FROM alerts.alert") == 0
