"""Tables in the form of the police's open data, made by code: nobody's theft."""

from __future__ import annotations

HEADER = (
    "罪名,手口,管轄警察署（発生地）,管轄交番・駐在所（発生地）,市区町村コード（発生地）,都道府県（発生地）,市区町村（発生地）,"
    "町丁目（発生地）,発生年月日（始期）,発生時（始期）,発生場所の属性,被害者の性別,被害者の年齢,被害者の職業,現金被害の有無"
)
WOMAN = "女性,30歳代,会社員,あり"


def theft(
    day: str = "2024/5/3",
    hour: str = "20",
    block: str = "矢本字上河戸",
    code: str = "042145",
    place: str = "宮城県,東松島市",
    victim: str = WOMAN,
    kind: str = "ひったくり",
    location: str = "道路上",
) -> str:
    """Return one row under `HEADER`."""
    return f"窃盗,{kind},石巻,矢本,{code},{place},{block},{day},{hour},{location},{victim}"


def table(*rows: str, header: str = HEADER, encoding: str = "cp932", newline: str = "\r\n") -> bytes:
    """Return a file of these rows."""
    return newline.join([header, *rows, ""]).encode(encoding)
