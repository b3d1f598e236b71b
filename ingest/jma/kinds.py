"""The kinds of telegram: their titles and codes, and which of them are read."""

from __future__ import annotations

# Control/Title → data type code (配信資料に関する仕様). The titles of the split warnings (Ｒ０６) changed while they
# were announced; both spellings are known.
KINDS = {
    "震度速報": "VXSE51",
    "震源に関する情報": "VXSE52",
    "震源・震度に関する情報": "VXSE53",
    "顕著な地震の震源要素更新のお知らせ": "VXSE61",
    "長周期地震動に関する観測情報": "VXSE62",
    "津波警報・注意報・予報a": "VTSE41",
    "津波情報a": "VTSE51",
    "沖合の津波観測に関する情報": "VTSE52",
    "北海道・三陸沖後発地震注意情報": "VYSE60",
    "気象警報・注意報（Ｒ０６）（大雨）": "VPWW55",
    "気象警報・注意報（Ｒ０６）（土砂）": "VPWW56",
    "気象警報・注意報（Ｒ０６）（土砂災害）": "VPWW56",
    "気象警報・注意報（Ｒ０６）（高潮）": "VPWW57",
    "気象警報・注意報（Ｒ０６）（暴風）": "VPWW58",
    "気象警報・注意報（Ｒ０６）（波浪）": "VPWW59",
    "気象警報・注意報（Ｒ０６）（大雪）": "VPWW60",
    "気象警報・注意報（Ｒ０６）（その他注意報）": "VPWW61",
    "気象警報・注意報（Ｒ０６）（その他）": "VPWW61",
    "気象警報・注意報（Ｈ２７）": "VPWW54",
    "土砂災害警戒情報": "VXWW50",
    "指定河川洪水予報": "VXKOii",
    "記録的短時間大雨情報": "VPOA50",
    "竜巻注意情報": "VPHW50",
    "竜巻注意情報（目撃情報付き）": "VPHW51",
    "気象特別警報報知": "VPNO50",
    "府県気象防災速報": "VPBS50",
    "噴火警報・予報": "VFVO50",
    "噴火速報": "VFVO56",
    "降灰予報（速報）": "VFVO54",
    "降灰予報（詳細）": "VFVO55",
}

# Kinds that are known and say nothing of their own about one town: recorded as such when one comes, and not fetched.
SILENT_KINDS = {
    "気象特別警報・警報・注意報": ("VPWW53", "the same as VPWW54, in the layout before it"),
    "緊急地震速報配信テスト": ("VXSE42", "a test of the line"),
    "緊急地震速報（警報）": ("VXSE43", "over before a mail can be written"),
    "緊急地震速報（予報）": ("VXSE44", "over before a mail can be written"),
    "緊急地震速報（地震動予報）": ("VXSE45", "over before a mail can be written"),
    "地震の活動状況等に関する情報": ("VXSE56", "words about an activity, no place and no measure"),
    "地震回数に関する情報": ("VXSE60", "counts of an activity, no place and no measure"),
    "南海トラフ地震臨時情報": ("VYSE50", "the Nankai trough does not reach this coast"),
    "南海トラフ地震関連解説情報": ("VYSE51", "the Nankai trough does not reach this coast"),
    "地震・津波に関するお知らせ": ("VZSE40", "about the service itself"),
    "火山の状況に関する解説情報": ("VFVO51", "words about a volcano, no municipalities"),
    "噴火に関する火山観測報": ("VFVO52", "an observation, no municipalities"),
    "降灰予報（定時）": ("VFVO53", "what would fall if it erupted"),
    "推定噴煙流向報": ("VFVO60", "where smoke drifts, no municipalities"),
}

# Kinds of one event with an EventID of its own; the others run on under one key, or have none.
EVENT_CODES = frozenset({"VXSE51", "VXSE52", "VXSE53", "VXSE61", "VXSE62", "VTSE41", "VTSE51", "VTSE52"})

# Kinds of one forecast office, whose entry in the feed names its prefecture.
PREFECTURE_CODES = frozenset(
    {"VPWW54", "VPWW55", "VPWW56", "VPWW57", "VPWW58", "VPWW59", "VPWW60", "VPWW61"}
    | {"VXWW50", "VPOA50", "VPHW50", "VPHW51", "VPNO50", "VPBS50"}
)


def code_of(title: str) -> str | None:
    """Return the code for a Control/Title, None for a title that nobody has heard of."""
    if title in SILENT_KINDS:
        return SILENT_KINDS[title][0]
    return KINDS.get(title)


def is_silent(title: str) -> bool:
    """Whether telegrams of this title are recorded only."""
    return title in SILENT_KINDS
