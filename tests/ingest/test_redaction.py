"""What names a person is taken out; what only looks like it stays."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.redaction import find_personal, redact

X = "〔非公開〕"


@pytest.mark.parametrize(
    ("said", "public"),
    [
        ("田中さんが声をかけられた", f"{X}さんが声をかけられた"),
        ("佐々木 花子さん（7）", f"{X}さん（7）"),
        ("鈴木容疑者を逮捕", f"{X}容疑者を逮捕"),
        ("タナカさん宅", f"{X}さん宅"),
        ("佐藤太郎（35）が", f"{X}（35）が"),
        ("090-1234-5678から電話", f"{X}から電話"),
        ("０９０－１２３４－５６７８から電話", f"{X}から電話"),
        ("連絡先 0225-82-1111（内線123）", f"連絡先 {X}"),
        ("08012345678", X),
        ("石巻 500 あ 12-34の軽自動車", f"{X}の軽自動車"),
        ("宮城300さ・・12の車", f"{X}の車"),
        ("矢本字上河戸36番地の1付近", f"矢本字上河戸{X}付近"),
        ("あおい一丁目4番5号の路上", f"あおい一丁目{X}の路上"),
        ("矢本1-2-3", f"矢本{X}"),
        ("矢本ハイツ203号室", X),
        ("tanaka@example.jp に連絡", f"{X} に連絡"),
        ("https://example.jp/user?id=12 を見た", f"{X} を見た"),
        ("赤井南小学校の3年生の女児", f"{X}{X}の女児"),
        ("小学4年生の男児", f"{X}の男児"),
        ("8歳の女児", f"{X}の女児"),
        ("口座 1234567", f"口座 {X}"),
        ("38.42351,141.20981 で目撃", f"{X} で目撃"),
    ],
)
def test_what_is_personal_is_taken_out(said, public):
    assert redact(said).text == public


@pytest.mark.parametrize(
    "said",
    [
        "震度5強を観測しました。",
        "午後3時30分ころ、矢本地内の路上で",
        "110番通報してください。119番も。",
        "国道45号線を通行止めにします。",
        "男は30歳代、身長170cmくらい",
        "60歳くらいの男",
        "市民の皆さんは注意してください。",
        "お子さんを一人にしないでください。",
        "2026年11月20日(金)",
        "2026-11-20に発生",
        "警察相談専用電話 #9110",
        "被害者は女性（20歳代）です。",
        "男性（60代）が軽傷",
        "15件の被害がありました。",
        "第2避難所を開設",
        "3人が10分から20分ほど",
        "気象庁は12時に発表しました。",
        "令和8年11月中旬",
        "赤井小学校に避難所を開設しました。",
        "津波の高さは10m超、3m、0.5m",
    ],
)
def test_what_only_looks_personal_stays(said):
    assert redact(said).text == said


def test_findings_say_where_and_what():
    said = "田中さんの電話090-1234-5678"
    assert [(said[f.start : f.end], f.what) for f in redact(said).findings] == [
        ("田中", "name"),
        ("090-1234-5678", "phone"),
    ]


@given(st.text(max_size=200))
def test_any_text_is_read_and_what_is_taken_out_does_not_overlap(said):
    findings = find_personal(said)
    assert all(0 <= f.start < f.end <= len(said) for f in findings)
    assert all(one.end <= other.start for one, other in pairwise(findings))


@pytest.mark.parametrize("bomb", ["あ" * 50_000, "1-" * 20_000, "田" * 30_000 + "さん", "ア" * 50_000, "0 " * 20_000])
def test_no_text_takes_for_ever(bomb):
    redact(bomb)
