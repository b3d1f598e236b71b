"""Tables of dispatches, as offices save them."""

import pytest

from gis.errors import UsageError
from gis.town import load_town
from ingest.configuration import SourceConfig
from ingest.fire.dispatch import Service, fold_dispatch
from ingest.fire.table import TableForm, read_form, read_table
from ingest.folding import timeline
from ingest.reports import Rejected, Unreadable
from ingest.schedule import Schedule
from ingest.sources.fire_csv import make_source

TOWN = load_town()
HEAD = "出動番号,種別,覚知時刻,出動時刻,鎮圧時刻,鎮火時刻,結果,住所,経度,緯度,通報者\n"
ROW = "8-1,建物火災,2026/11/22 10:15,10:17,10:40,11:02,,東松島市矢本字大町1-2,141.21,38.42,佐藤花子\n"


FORM = TableForm(datum="JGD2011")


def read(text, form=FORM, encoding="utf-8"):
    return read_table(text.encode(encoding), TOWN, Service(), "t", form)


def rejected(text, **more):
    return [(one.record, one.reason) for one in read(text, **more) if isinstance(one, Rejected)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_row_is_the_whole_life_of_a_fire(encoding, newline):
    reports = read(("消防本部 出動一覧\n" + HEAD + ROW).replace("\n", newline), encoding=encoding)
    states = timeline(reports, fold_dispatch)
    assert [state.report.facts["stage"] for state in states] == ["called", "dispatched", "contained", "extinguished"]
    assert (states[-1].state, states[-1].resolved_at.isoformat()) == ("resolved", "2026-11-22T11:02:00+09:00")
    assert len({report.event_key for report in reports}) == 1
    assert reports[0].private.details["通報者"] == "佐藤花子" and reports[0].private.place.lat == 38.42
    assert "佐藤" not in str([(report.headline, report.text, report.facts) for report in reports])


def test_the_same_dispatch_in_a_table_and_pushed_is_one_event():
    assert read(HEAD + ROW)[0].event_key == "dispatch:fire:Actual:8-1"


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("2026-11-22T10:15:30+09:00", "10:15:30"),
        ("2026年11月22日 10時15分", "10:15:00"),
        ("令和8年11月22日10時15分", "10:15:00"),
        ("R8.11.22 10:15", "10:15:00"),
        ("２０２６／１１／２２　１０：１５", "10:15:00"),
    ],
)
def test_a_time_is_read_as_it_is_written(written, iso):
    (report,) = read(f"出動番号,種別,覚知時刻\n1,火災,{written}\n")
    assert report.facts["occurred_at"] == f"2026-11-22T{iso}+09:00"


def test_what_goes_over_midnight_ends_the_next_day():
    reports = read("出動番号,種別,発生日,覚知時刻,鎮火時刻\n1,火災,2026/11/22,23:50,0:40\n")
    assert reports[-1].reported_at.isoformat() == "2026-11-23T00:40:00+09:00"


def test_a_false_alarm_is_withdrawn():
    reports = read(HEAD + ROW.replace("11:02,,", "11:02,誤報,"))
    assert timeline(reports, fold_dispatch)[-1].state == "cancelled"


def test_a_drill_is_a_drill():
    assert {report.status for report in read(HEAD + ROW.replace("建物火災", "【訓練】建物火災"))} == {"Exercise"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("8-1,建物火災\n", "2 cells"),
        (ROW.replace("8-1", ""), "dispatch number"),
        (ROW.replace("2026/11/22 10:15", "10:15"), "no time"),
        (ROW.replace("10:15", "25:15"), "no time"),
        (ROW.replace("2026/11/22 10:15", "2026/02/30 10:15"), "no time"),
        (ROW.replace("2026/11/22 10:15", "昨日"), "no time"),
        ("8-1,建物火災,,,,,,,,,\n", "no time of any stage"),
        (ROW.replace("141.21,38.42", "38.42,141.21"), "swapped"),
        (ROW.replace("141.21", "141度12分"), "decimal"),
    ],
)
def test_a_wrong_row_is_named_by_its_line_and_the_others_go_on(row, reason):
    good = ROW.replace("8-1", "8-2")
    ((record, why),) = rejected(HEAD + row + "\n" + good)
    assert record == "line 2" and reason in why
    assert any(not isinstance(one, Rejected) for one in read(HEAD + row + good))


def test_a_number_that_stands_twice_and_says_two_things_is_seen():
    assert rejected(HEAD + ROW + ROW) == []
    assert "twice" in rejected(HEAD + ROW + ROW.replace("大町", "河戸"))[0][1]


@pytest.mark.parametrize(
    "body",
    [b"", b"\x00", b"\xff\xfe1", b"a,b\n1,2\n", "出動番号,種別,種別\n".encode(), '出動番号,種別\n"1,'.encode()],
)  # fmt: skip
def test_what_is_no_table_is_unreadable(body):
    with pytest.raises(Unreadable):
        read_table(body, TOWN, Service(), "t", TableForm())


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"folder": "relative"},
        {"folder": "/x", "complete": "soon"},
        {"folder": "/x", "columns": {"colour": "色"}},
        {"folder": "/x", "columns": ["種別"]},
        {"folder": "/x", "columns": {"lon": "X", "lat": "Y"}},
        {"folder": "/x", "datum": "Tokyo"},
    ],
)
def test_a_wrong_option_is_named(options):
    with pytest.raises(UsageError, match="fire_table"):
        make_source(SourceConfig("fire_table", "fire_csv", "消防", Schedule(10), options))


def test_own_headers_are_read():
    config = SourceConfig("t", "fire_csv", "消防", None, {"columns": {"number": "事案番号", "called": "入電"}})
    (report,) = read("事案番号,種別,入電\n7,火災,2026/1/2 3:04\n", form=read_form(config))
    assert report.event_key.endswith(":7")
