"""The words of dispatches, as fire services write them."""

import pytest

from ingest.fire.words import find_stage, find_type, load_fire_words
from ingest.redaction import redact


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("建物火災", "建物火災"),
        ("一般住宅火災", "建物火災"),
        ("建物火災(中高層)", "建物火災"),
        ("林野火災", "林野火災"),
        ("下草火災", "林野火災"),
        ("枯草が燃えている", "林野火災"),
        ("車両火災", "車両火災"),
        ("船舶火災", "船舶火災"),
        ("その他火災", "その他火災"),
        ("その他の火災", "その他火災"),
        ("火災", "その他火災"),
        ("救急支援", "救急支援"),
        ("ＰＡ連携", "救急支援"),
        ("救助", "救助"),
        ("水難救助", "救助"),
        ("警戒", "警戒"),
        ("自動火災報知設備の作動", "警戒"),
        ("ガス漏れ", "危険物"),
        ("危険物流出", "危険物"),
        ("倒木", "風水害"),
        ("特命", "その他"),
    ],
)
def test_a_type_is_found(said, name):
    assert find_type(said).name == name


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("覚知", "called"),
        ("119番通報", "called"),
        ("出動", "dispatched"),
        ("出場中", "dispatched"),
        ("鎮圧", "contained"),
        ("延焼のおそれなし", "contained"),
        ("鎮火", "extinguished"),
        ("11時2分鎮火しました", "extinguished"),
        ("鎮火に至らず活動中", "dispatched"),
        ("未鎮火、消火中", "dispatched"),
        ("鎮火しておりません。延焼中", "dispatched"),
        ("鎮圧、鎮火", "extinguished"),
        ("誤報", "withdrawn"),
        ("いたずら", "withdrawn"),
        ("火災ではなく非火災でした", "withdrawn"),
    ],
)
def test_a_stage_is_found_as_said(said, code):
    assert find_stage(said).code == code


def test_what_says_nothing_is_nothing():
    assert find_type("お知らせ") is None and find_stage("") is None


def test_the_composed_words_name_nobody():
    words = load_fire_words()
    for kind in words.types:
        assert redact(kind.name).findings == () == redact(kind.advice).findings
    for stage in words.stages:
        said = stage.text.format(category="建物火災", advice="", at="11時2分ごろ", **words.ends[kind.kind])
        assert redact(said).findings == (), said
