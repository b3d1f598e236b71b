"""What an operator reads afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from alerts.delivery import send_alert
from alerts.report import count_failures, count_states, list_alerts, report_alert
from gis.accounts import add_account
from gis.errors import UsageError
from gis.settings import Settings
from tests.alerts.alert_town import FIRST, MAJOR, SquareTown
from tests.alerts.scripted_smtp import ScriptedServer
from webmap.cli import build_parser
from webmap.commands import alerts as command

Considered = Callable[..., int | None]


def run(settings: Settings, *arguments: str) -> int:
    return command.run(build_parser(["alerts"]).parse_args(["alerts", *arguments]), settings)


@pytest.fixture
def sent(town: SquareTown, considered: Considered, mail_settings: Settings, smtp: ScriptedServer) -> int:
    for number in range(4):
        town.subscribe(f"a{number}@machimori.example")
    smtp.at_rcpt = lambda address, times: {"a0": "550 no such user", "a1": "450 busy"}.get(address[:2])
    alert_id = considered(MAJOR)
    assert alert_id
    send_alert(town.database, mail_settings, alert_id, connections=1)
    return alert_id


def test_the_report_counts_every_state_and_names_every_reason(town: SquareTown, sent: int) -> None:
    with town.database.begin("machimori_service") as connection:
        course = report_alert(connection, sent)
        assert count_states(connection) == course.states
        assert count_failures(connection) == course.failures
    assert {row.state: row.messages for row in course.states} == {"accepted": 2, "bounced": 1, "deferred": 1}
    assert {row.reply for row in course.failures} == {"550 no such user", "450 busy"}
    assert [step.state for step in course.steps] == ["draft", "submitted", "approved", "sending"]


def test_the_list_shows_how_many_have_it(town: SquareTown, considered: Considered, sent: int) -> None:
    draft = considered({**MAJOR, "class": "warning"}, level=4, incident_fid=2)
    with town.database.begin("machimori_service") as connection:
        rows = [(row.id, row.state, row.accepted, row.people) for row in list_alerts(connection)]
    assert rows == [(draft, "draft", 0, 0), (sent, "sending", 2, 4)]


def test_the_command_reports_in_words(settings: Settings, sent: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(settings, "list") == 0
    assert run(settings, "report", str(sent)) == 0
    assert run(settings, "report") == 0
    words = capsys.readouterr().out
    for part in (
        "2/4 mails",
        "大津波警報 東松島市",
        "policy:VTSE41:5",
        "bounced\t1",
        "550 no such user",
        "next attempt",
    ):
        assert part in words


def test_the_command_names_an_alert_that_is_not_there(settings: Settings, town: SquareTown) -> None:
    with pytest.raises(UsageError, match="no alert 4711"):
        run(settings, "report", "4711")


def test_the_command_sends_a_draft_in_the_name_of_two_people(
    settings: Settings, town: SquareTown, owner: Engine, considered: Considered, capsys: pytest.CaptureFixture[str]
) -> None:
    town.subscribe("a@machimori.example")
    draft = considered({**MAJOR, "class": "warning"}, level=4, reported_at=FIRST + timedelta(minutes=1))
    with owner.begin() as connection:
        add_account(
            connection,
            "kato",
            "kato",
            "sewer",
            "a long password",
            is_demo=True,
            roles=("alert_author", "alert_approver"),
        )
        add_account(connection, "goto", "goto", "disaster", "a long password", roles=("viewer", "editor"))
    send = ["send", str(draft), "--submitted-by", "sato", "--approved-by"]
    with pytest.raises(UsageError, match="no active login of the disaster office"):
        run(settings, *send, "kato")
    with pytest.raises(UsageError, match="goto may not do this"):
        run(settings, *send, "goto")
    with pytest.raises(UsageError, match="submitted by sato too"):
        run(settings, *send, "sato")
    assert town.scalar("SELECT state FROM alerts.alert") == "draft"
    assert run(settings, *send, "ito") == 0
    assert "to 1 people" in capsys.readouterr().out
    steps = town.execute("SELECT state, account FROM alerts.alert_step ORDER BY id")
    assert steps[1:3] == [("submitted", "sato"), ("approved", "ito")]


def test_a_relay_that_is_down_shows_in_the_report(
    settings: Settings, town: SquareTown, considered: Considered, capsys: pytest.CaptureFixture[str]
) -> None:
    town.subscribe("a@machimori.example")
    alert_id = considered(MAJOR)
    assert alert_id
    send_alert(town.database, replace(settings, smtp_url="smtp://127.0.0.1:1"), alert_id, connections=1)
    run(settings, "report", str(alert_id))
    assert "no connection to 127.0.0.1:1" in capsys.readouterr().out
