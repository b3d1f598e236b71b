# ruff: noqa: E501 - a mail's line is as long as it is
"""A mail becomes reports: kind, time, place; persons private; follow-ups; nothing dropped."""

from email import message_from_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.town import load_town
from ingest.mail.records import Office
from ingest.reports import Rejected, Report, Unreadable
from ingest.sources.safety_mail import SOURCE, parse
from tests.ingest.mail.letters import SINGLE, mail

TOWN = load_town()
FOOTER = "\n\n--\nこのメールは送信専用です。配信停止はこちら"


def _parse(body):
    return list(SOURCE.parse(body, TOWN))


@pytest.mark.parametrize(("subject", "text", "expected"), SINGLE, ids=[case[0] for case in SINGLE])
@pytest.mark.parametrize("charset", ["iso-2022-jp", "utf-8"])
def test_each_style_is_one_report(subject, text, expected, charset):
    (report,) = _parse(mail(subject, text + FOOTER, charset))
    kind, category, at, place = expected
    assert (report.kind, report.facts["category"]) == (kind, category)
    assert report.facts.get("occurred_at", "")[5:13].replace("T", " ") == (at or "")
    assert report.private.place_text == place
    assert (report.status, report.action, report.facts["is_over"]) == ("Actual", "issue", False)
    assert report.concerns_town and not report.seeks_event


@pytest.mark.parametrize(("subject", "text", "expected"), SINGLE, ids=[case[0] for case in SINGLE])
def test_no_word_of_the_mail_is_public_but_its_category(subject, text, expected):
    (report,) = _parse(mail(subject, text, "utf-8"))
    public = f"{report.headline}{report.text}{report.facts}"
    for word in (
        "女児",
        "女性",
        "身長",
        "黒色",
        "ジャンパー",
        "小太り",
        "軽自動車",
        "高校生",
        "中学生",
        "大町",
        "アパート",
        "自宅",
        "男",
    ):
        assert word not in public, word
    assert expected[1] in report.headline


def test_features_of_a_person_are_for_moderators():
    text = (
        "11月20日午後3時ころ、東松島市矢本地内の路上で、女児が男に声をかけられました。\n"
        "男の特徴:30歳くらい、身長:170センチ位、小太り、短髪、黒色のジャンパー着用、白色の軽自動車、ナンバー:宮城500あ12-34"
    )
    (report,) = _parse(mail("声かけ", text, "utf-8"))
    features = report.private.details["features"]
    assert features["age"] == ["30歳くらい"] and features["height"][0] == "170センチ位"
    assert "小太り" in features["build"] and "短髪" in features["hair"]
    assert features["plate"] == ["宮城500あ12-34"]
    assert "軽自動車" in features["vehicle"][0] and "ジャンパー" in features["clothes"][0]
    assert "12-34" in report.private.original and report.private.details["occurred_at"].startswith("2025-11-20T15:00")


ONE = "11月20日午後3時ころ、東松島市矢本地内の路上で、女児が男に声をかけられました。"
TWO = "11月19日午後9時ころ、東松島市赤井地内の路上で、女性が男に後をつけられました。"


@pytest.mark.parametrize(
    "text",
    [
        f"①{ONE}\n②{TWO}",
        f"【１】{ONE}\n【２】{TWO}",
        f"(1) {ONE}\n(2) {TWO}",
        f"1 {ONE}\n2 {TWO}",
        f"■{ONE}\n■{TWO}",
        f"・{ONE}\n・{TWO}",
        f"{ONE}\n----------\n{TWO}\n----------\n気をつけましょう。",
        f"{ONE}\n\n{TWO}",
        "不審者情報が2件ありました。\n日時:11月20日午後3時ころ\n場所:東松島市矢本地内\n内容:声かけ\n"
        "日時:11月19日午後9時ころ\n場所:東松島市赤井地内\n内容:つきまとい",
    ],
)
def test_several_notices_are_as_many_reports(text):
    reports = _parse(mail("不審者情報", text + FOOTER, "utf-8"))
    assert [report.facts["category"] for report in reports] == ["声かけ", "つきまとい"]
    assert [report.facts["occurred_at"][:13] for report in reports] == ["2025-11-20T15", "2025-11-19T21"]
    assert len({report.event_key for report in reports}) == 2


def test_a_numbered_notice_that_is_not_understood_is_rejected_not_lost():
    reports = _parse(mail("不審者情報", f"①{ONE}\n②{TWO}\n③詳しくは来週。", "utf-8"))
    assert [type(record) for record in reports] == [Report, Report, Rejected]
    assert reports[-1].record == "notice 3"


@pytest.mark.parametrize(
    ("subject", "text", "action", "is_over"),
    [
        ("【解決】声かけ事案", f"{ONE}について、行為者を特定し警告しました。", "issue", True),
        ("声かけ事案の検挙", "11月20日午後3時ころの東松島市矢本地内の声かけ事案の被疑者を検挙しました。", "issue", True),
        ("【訂正】声かけ事案", "11月20日午後3時ころ、東松島市矢本地内の声かけは、白色の車でした。", "correct", False),
        ("続報 声かけ", ONE, "correct", False),
        ("声かけ（誤報）", "11月20日午後3時ころの東松島市矢本地内の声かけは誤報でした。", "withdraw", False),
        ("声かけ情報", "11月20日午後3時ころの東松島市矢本地内の声かけについて、事件性はありませんでした。", "withdraw", False),
        ("行方不明者の発見", "11月19日に配信した行方不明の女性は、無事に保護されました。", "issue", True),
        ("行方不明者", "11月19日午前10時ころ、東松島市赤井地内で行方不明の女性は、まだ発見されていません。", "issue", False),
        ("声かけ", f"{ONE}\n男は逮捕されておらず、逃走中です。", "issue", False),
        ("未解決の声かけ", ONE, "issue", False),
        ("クマ目撃", "11月20日午前6時ころ、東松島市大塩地内でクマが発見されました。", "issue", False),
        ("クマの捕獲", "11月20日午前6時ころの東松島市大塩地内のクマ目撃は、捕獲されました。", "issue", True),
        ("声かけ", f"{ONE}\n\n本メールは配信を解除しました方には届きません。", "issue", False),
    ],
)  # fmt: skip
def test_a_follow_up_is_told_from_news(subject, text, action, is_over):
    (report,) = _parse(mail(subject, text, "utf-8"))
    assert (report.action, report.facts["is_over"]) == (action, is_over)
    assert report.seeks_event is (action != "issue" or is_over)


@pytest.mark.parametrize(
    "said",
    [
        "誤　11月20日午後3時30分ころ\n正　11月20日午後5時30分ころ\n発生場所　東松島市矢本地内",
        "発生日時　11月20日(誤)午後3時30分ころ(正)午後5時30分ころ\n発生場所　東松島市矢本地内",
        "【誤】\n発生日時：11月20日午後3時\n発生場所：東松島市小松地内\n【正】\n発生日時：11月20日午後5時\n発生場所：東松島市矢本地内",
        "発生日時　11月20日午後3時とあるのは、11月20日午後5時の誤りでした。\n発生場所　東松島市矢本地内",
        "発生日時は「11月20日午後3時」ではなく、「午後5時」の誤りです。\n発生場所：東松島市矢本地内",
        "発生日時を、11月20日午後3時から午後5時に訂正します。\n発生場所：東松島市矢本地内",
        "発生日時：11月20日午後5時\n発生場所：（誤）東松島市小松地内→（正）東松島市矢本地内",
        "記載に誤りがありました。11月20日午後5時ころ、東松島市矢本地内の路上でした。",
    ],
)
def test_what_a_correction_calls_wrong_is_not_what_happened(said):
    (report,) = _parse(mail("【訂正】声かけ情報", said, "utf-8"))
    assert report.action == "correct"
    assert report.facts["occurred_at"].startswith("2025-11-20T17")
    assert "矢本" in report.private.place_text and "小松" not in report.private.place_text
    assert report.headline == "声かけ（11月20日夕方）"


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        ("11月18日から11月20日までの間", "11月18日から11月20日"),
        ("11月上旬から中旬ころ", "11月上旬から11月中旬"),
        ("10月下旬", "10月下旬"),
        ("11月19日昼頃", "11月19日昼頃"),
        ("11月19日午後9時ころから翌20日午前6時ころまでの間", "11月19日から11月20日"),
        ("11月19日", "11月19日"),
    ],
)
def test_the_public_reads_of_the_whole_time(when, shown):
    (report,) = _parse(mail("車上ねらい", f"{when}、東松島市矢本地内で車上ねらいが発生しました。", "utf-8"))
    assert report.headline == f"車上ねらい（{shown}）"
    assert report.text.startswith(f"{shown}の車上ねらいについて、警察から")


@pytest.mark.parametrize(
    ("subject", "text", "status"),
    [
        ("【訓練】不審者情報", ONE, "Exercise"),
        ("不審者情報", f"これは訓練です。\n{ONE}", "Exercise"),
        ("テスト配信", ONE, "Test"),
        ("【試験】不審者情報", ONE, "Test"),
        ("不審者情報", f"{ONE}\n避難訓練の帰りの女児でした。", "Actual"),
        ("声かけ（訓練帰りの児童）", ONE, "Actual"),
    ],
)
def test_a_drill_is_a_drill_and_the_real_thing_is_real(subject, text, status):
    (report,) = _parse(mail(subject, text, "utf-8"))
    assert report.status == status
    assert f":{status}:" in report.event_key


def test_our_own_drill_is_never_real():
    (report,) = _parse(SOURCE.as_exercise(mail("不審者情報", ONE)))
    assert report.status == "Exercise"


def test_the_same_notice_through_two_lists_is_one():
    first = _parse(mail("声かけ", ONE + FOOTER, "utf-8"))
    second = _parse(
        mail(
            "声かけ",
            f"{ONE}\n\n配信元:別の課",
            headers="List-Id: <two.example>\r\n",
            date="Thu, 20 Nov 2025 18:41:00 +0900",
        )
    )
    assert first[0].source_id == second[0].source_id


def test_one_message_id_with_two_texts_is_two_notices():
    one, two = _parse(mail("声かけ", ONE)), _parse(mail("声かけ", TWO))
    assert one[0].private.details["message_id"] == two[0].private.details["message_id"]
    assert one[0].source_id != two[0].source_id


def test_advice_names_no_category():
    text = f"{ONE}\n【防犯対策】\n刃物を持った男に気をつけ、盗撮されたら110番してください。"
    assert _parse(mail("不審者情報", text, "utf-8"))[0].facts["category"] == "声かけ"


def test_a_newsletter_is_rejected_with_its_reason():
    (record,) = _parse(mail("署からのお知らせ", "年末の警戒を始めます。戸締まりをしましょう。", "utf-8"))
    assert isinstance(record, Rejected) and "names neither" in record.reason


def test_an_empty_subject_is_no_hindrance():
    (report,) = _parse(mail("", ONE))
    assert report.facts["category"] == "声かけ"


def test_words_after_another_municipality_still_find_our_town():
    (report,) = _parse(mail("つきまとい", "日時:11月20日午後3時\n場所:石巻市蛇田から東松島市矢本まで", "utf-8"))
    assert report.private.place_text == "東松島市矢本まで"


def test_a_minute_is_not_public():
    (report,) = _parse(mail("声かけ", ONE.replace("3時", "3時47分"), "utf-8"))
    assert "47" not in f"{report.facts}{report.text}{report.headline}"
    assert "T15:47" in report.private.details["occurred_at"]


@given(subject=st.text(max_size=40), text=st.text(max_size=400))
@settings(max_examples=150, deadline=None)
def test_no_words_break_the_parser(subject, text):
    _survives(
        f"Date: Thu, 20 Nov 2025 18:30:00 +0900\nFrom: a@b\nSubject: {subject}\n\n{text}".encode("utf-8", "replace")
    )


@given(parts=st.lists(st.sampled_from([ONE, TWO, "①", "②", "\n", "訂正", "25日", "翌日", "13月", "午後12時", "から", "まで", "■", "---\n", "年", "99時", "場所:", "日時:"]), max_size=25))  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_no_order_of_words_breaks_the_parser(parts):
    _survives(mail("不審者情報", "".join(parts) or "あ", "utf-8"))


@given(body=st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_no_bytes_break_the_parser(body):
    _survives(body)
    _survives(b"Date: Thu, 20 Nov 2025 18:30:00 +0900\nContent-Type: text/plain; charset=iso-2022-jp\n\n\x1b$B" + body)


def _survives(body):
    try:
        records = _parse(body)
    except Unreadable:
        return
    assert records, message_from_bytes(body)


def test_a_neighbour_concerns_the_town_when_the_installation_says_so():
    office = Office("m", "県警", {"石巻市": "04202"})
    (report,) = parse(mail("声かけ", ONE.replace("東松島市矢本", "石巻市蛇田"), "utf-8"), TOWN, office)
    assert (report.facts["municipality"], report.facts["place_name"]) == ("04202", "石巻市")
