from datetime import datetime

import pytest

from ingest.jma.earthquake import EarthquakeBody
from ingest.jma.kinds import EVENT_CODES
from ingest.jma.telegram import parse_telegram
from ingest.jma.tsunami import TsunamiBody
from ingest.reports import Unreadable
from tests.ingest.telegrams import forecast, observation, shaking, telegram


def test_control_and_head_are_read():
    parsed = parse_telegram(telegram("VTSE51", forecast(), minute=3, serial="4", status="訓練", action="訂正"))
    assert parsed.code == "VTSE51"
    assert parsed.status == "Exercise"
    assert parsed.action == "correct"
    assert parsed.serial == 4
    assert parsed.reported_at.isoformat() == "2031-05-01T10:03:00+09:00"
    assert parsed.controlled_at == parsed.reported_at
    assert parsed.event_ids == ("20310501095700",)


def test_the_status_test_is_read():
    assert parse_telegram(telegram("VTSE41", forecast(), status="試験")).status == "Test"


def test_several_event_ids_are_told_apart_and_sorted():
    parsed = parse_telegram(telegram("VTSE41", forecast(), event="20310501100000 20310501095700"))
    assert parsed.event_ids == ("20310501095700", "20310501100000")


def test_a_withdrawal_has_words_only():
    parsed = parse_telegram(telegram("VTSE41", "<Text>取り消します。</Text>", action="取消"))
    assert parsed.body is None
    assert parsed.text == "取り消します。"


@pytest.mark.parametrize("code", sorted(EVENT_CODES - {"VXSE62"}))
def test_every_kind_gets_its_body(code):
    content = (
        forecast(observed=observation(1.2)) if code.startswith("VTSE") else shaking("4", position="+38+142-10000/")
    )
    body = parse_telegram(telegram(code, content)).body
    assert isinstance(body, TsunamiBody if code.startswith("VTSE") else EarthquakeBody)


@pytest.mark.parametrize(
    ("field", "path"),
    [
        ("Status", "Report/Control/Status"),
        ("DateTime", "Report/Control/DateTime"),
        ("ReportDateTime", "Report/Head/ReportDateTime"),
        ("EventID", "Report/Head/EventID"),
        ("InfoType", "Report/Head/InfoType"),
    ],
)
def test_a_missing_field_is_named_by_its_path(field, path):
    body = telegram("VTSE41", forecast()).decode()
    start, end = body.index(f"<{field}>"), body.index(f"</{field}>") + len(f"</{field}>")
    with pytest.raises(Unreadable, match=path):
        parse_telegram((body[:start] + body[end:]).encode())


def test_a_missing_forecast_is_named_by_its_path():
    with pytest.raises(Unreadable, match="Report/Body/Tsunami/Forecast/Item"):
        parse_telegram(telegram("VTSE41", "<Tsunami/>"))


def test_an_unknown_kind_is_named_by_its_title_and_status():
    with pytest.raises(Unreadable, match=r"unknown kind of telegram: 火山の様子 \(通常\)"):
        parse_telegram(telegram("VTSE41", forecast(), title="火山の様子"))


@pytest.mark.parametrize(("field", "value"), [("Status", "本番"), ("InfoType", "遅延")])
def test_an_unknown_status_or_type_is_refused(field, value):
    body = telegram("VTSE41", forecast()).decode()
    start, end = body.index(f"<{field}>") + len(field) + 2, body.index(f"</{field}>")
    with pytest.raises(Unreadable, match=value):
        parse_telegram((body[:start] + value + body[end:]).encode())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"<Report", "not XML"),
        (b"<html><body>503</body></html>", "no JMA telegram"),
        ("<Report/>".encode("utf-16"), "NUL"),
        (telegram("VTSE41", forecast())[:900], "not XML"),
    ],
)
def test_what_is_no_telegram_is_refused_with_its_reason(body, reason):
    with pytest.raises(Unreadable, match=reason):
        parse_telegram(body)


def test_an_entity_bomb_is_refused_unexpanded():
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e0 "ha">{entities}]><Report>&e11;</Report>'
    with pytest.raises(Unreadable, match="DTD"):
        parse_telegram(bomb.encode())


def test_an_external_entity_is_refused():
    body = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><Report>&x;</Report>'
    with pytest.raises(Unreadable, match="DTD"):
        parse_telegram(body.encode())


def test_every_saved_telegram_is_read_as_the_kind_that_its_file_says(samples):
    paths = list((samples / "jma").iterdir())
    assert len(paths) == 71
    for path in paths:
        parsed = parse_telegram(path.read_bytes())
        assert parsed.code == path.stem[-6:]
        assert isinstance(parsed.reported_at, datetime)
