"""The text for a short-message service: never too heavy, and what must not be lost is never cut."""

from __future__ import annotations

import pytest

from alerts.short_text import LIMIT, short_text, weigh, weigh_uncut
from alerts.texts import AlertText

URL = "https://machimori.example.lg.jp/alerts/12345?lang=ja"


def write(headline: str, instruction: str, language: str = "ja") -> AlertText:
    return AlertText(language, "e", headline, "d", instruction)


def weigh_post(post: str) -> int:
    assert post.endswith(URL)
    return weigh(post.removesuffix(URL)) + 23


def test_japanese_weighs_two_and_western_letters_one() -> None:
    assert weigh("大曲 A") == 6 and weigh("é–") == 2 and weigh("e\u0301") == 1 and weigh("🌊") == 2


@pytest.mark.parametrize(
    "instruction", ["高台へ避難してください。" * 30, "高" * 500, "Go up now. " * 60, "x" * 600, ""]
)
@pytest.mark.parametrize(
    "headline", ["【訓練】【警戒レベル4】避難指示：大曲", "[DRILL] [Level 4] Evacuation Order: Omagari"]
)
def test_mark_level_place_and_link_stay_whole_and_the_rest_fits(headline: str, instruction: str) -> None:
    post = short_text(write(headline, instruction), URL)
    assert post.startswith(headline) and weigh_post(post) <= LIMIT


def test_what_to_do_is_cut_after_a_sentence() -> None:
    post = short_text(write("避難指示：大曲", "高台へ避難してください。" * 30), URL)
    assert post.removesuffix(f"\n{URL}").endswith("ください。") and weigh_post(post) > LIMIT - 30
    assert weigh_uncut(write("避難指示：大曲", "高台へ避難してください。" * 30)) > LIMIT


def test_a_headline_too_long_by_itself_keeps_its_beginning_and_the_link() -> None:
    post = short_text(write("【訓練】" + "長" * 300, "高台へ"), URL)
    assert post.startswith("【訓練】長") and "…" in post and weigh_post(post) <= LIMIT


def test_an_update_says_so() -> None:
    assert short_text(write("避難指示：大曲", "高台へ"), URL, "updated").startswith("【続報】避難指示")
    assert short_text(write("Order", "Go", "en"), URL, "updated").startswith("[Update] Order")
