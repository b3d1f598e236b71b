"""Who may send without a second person: the emergency override, and what was approved beforehand."""

from __future__ import annotations

import re
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes
from email.policy import default

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from alerts.consider import consider
from alerts.notices import mail_notices
from gis.accounts import grant_role, set_email
from gis.database import GATE, SERVICE, Database
from gis.settings import Settings
from tests.alerts.scripted_smtp import ScriptedServer
from tests.ingest.telegrams import forecast, telegram
from tests.webmap.conftest import PASSWORD, Send, tokens
from webmap.commands.alerts import run

LogIn = Callable[[str], FlaskClient]


@pytest.fixture
def office(owner: Engine, staff: None) -> None:
    """Hanako may send alone; both have addresses."""
    with owner.begin() as connection:
        grant_role(connection, "hanako", "alert_override")
        for name in ("hanako", "jiro"):
            set_email(connection, name, f"{name}@city.example")


@pytest.fixture
def draft(town_database: Database, send: Send, owner: Engine) -> int:
    """A tsunami warning of level 4: the policy leaves it to people."""
    send(telegram("VTSE41", forecast("51")))
    with owner.begin() as connection:
        return int(connection.execute(text("SELECT id FROM alerts.alert WHERE state = 'draft'")).scalar_one())


def post(client: FlaskClient, page: str, path: str, **values: str | list[str]) -> str:
    data = {**tokens(client.get(page).text), **values}
    answer = client.post(f"{path}?lang=en", data=data, follow_redirects=True)
    return answer.text


def state(owner: Engine, alert_id: int) -> str:
    with owner.begin() as connection:
        return str(connection.execute(text("SELECT state FROM alerts.alert WHERE id = :id"), {"id": alert_id}).scalar())


def submit(client: FlaskClient, alert_id: int) -> None:
    post(client, f"/staff/alerts/{alert_id}", f"/staff/alerts/{alert_id}/submit")


def test_one_named_person_sends_alone_with_a_reason_and_the_approvers_are_told(
    draft: int,
    office: None,
    log_in: LogIn,
    owner: Engine,
    town_database: Database,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    hanako, jiro = log_in("hanako"), log_in("jiro")
    page, path = f"/staff/alerts/{draft}", f"/staff/alerts/{draft}/approve-alone"
    submit(hanako, draft)
    assert "approve-alone" in hanako.get(page).text and "approve-alone" not in jiro.get(page).text
    assert "may not do this" in post(jiro, page, path, reason="x", proof=PASSWORD)
    assert "does not fit" in post(hanako, page, path, reason="nobody is here", proof="a wrong password")
    assert "reason is missing" in post(hanako, page, path, reason=" ", proof=PASSWORD)
    assert state(owner, draft) == "submitted"
    answer = post(hanako, page, path, reason="The night watch is cut off", proof=PASSWORD)
    assert "Sent by you alone" in answer and state(owner, draft) == "sending"
    for where in ("/staff/", "/staff/alerts", page):
        shown = jiro.get(f"{where}?lang=en").text
        assert "Sent by one person alone: hanako" in shown and "The night watch is cut off" in shown, where
    run(Namespace(part="report", id=draft), settings)
    assert "SENT BY ONE PERSON ALONE: hanako" in capsys.readouterr().out
    smtp = ScriptedServer()
    smtp.start()
    try:
        relayed = replace(settings, smtp_url=f"smtp://127.0.0.1:{smtp.port}")
        assert mail_notices(town_database, relayed) == 1
        assert mail_notices(town_database, relayed) == 0, "each is told once"
    finally:
        smtp.stop()
    head = message_from_bytes(smtp.accepted[0][1])
    assert head["To"] == "hanako@city.example, jiro@city.example"
    assert "2 addresses" in jiro.get(f"{page}?lang=en").text
    table = jiro.get(f"{page}/report.csv").data.decode("utf-8-sig")
    assert '"override_reason","","2","The night watch is cut off"' in table
    with owner.begin() as connection:
        jobs = connection.execute(text("SELECT task_name FROM queue.procrastinate_jobs")).scalars().all()
    assert "alerts.mail_notices" in jobs and "alerts.send" in jobs


ALONE = "UPDATE alerts.alert SET state = 'approved', sent_at = now(), approved_by = submitted_by, override_reason = {}"


def test_the_database_refuses_to_be_passed_by(
    draft: int, office: None, log_in: LogIn, owner: Engine, town_database: Database
) -> None:
    hanako = log_in("hanako")
    submit(hanako, draft)

    def alone(account: str, reason: str) -> None:
        with town_database.begin("dept_disaster", account) as connection:
            connection.execute(text(ALONE.format(f"'{reason}'")))

    with pytest.raises(DBAPIError, match="may not send it alone"):
        alone("hanako", "no proof was shown")
    with owner.begin() as connection:
        connection.execute(text("UPDATE gis.session SET proved_at = now()"))
    for reason in ("", "  "):
        with pytest.raises(IntegrityError, match="two_people"):
            alone("hanako", reason)
    with pytest.raises(DBAPIError, match="may not send it alone"):
        alone("jiro", "in the name of hanako")
    for role in (SERVICE, "machimori_owner"):
        with owner.begin() as connection, pytest.raises(DBAPIError, match="may not send it alone"):
            connection.execute(text(f"SET LOCAL ROLE {role}"))
            connection.execute(text(ALONE.format("'because I can'")))
    with owner.begin() as connection:
        connection.execute(text("DELETE FROM gis.account_role WHERE role = 'alert_override'"))
    with pytest.raises(DBAPIError, match="may not send it alone"):
        alone("hanako", "without the role")
    with owner.begin() as connection:
        grant_role(connection, "hanako", "alert_override")
        connection.execute(text("UPDATE gis.session SET proved_at = now() - interval '6 minutes'"))
    with pytest.raises(DBAPIError, match="may not send it alone"):
        alone("hanako", "the proof is old")
    assert state(owner, draft) == "submitted"
    with owner.begin() as connection:
        connection.execute(text("UPDATE gis.session SET proved_at = now()"))
    alone("hanako", "all is as it must be")
    with owner.begin() as connection:
        assert connection.execute(text("SELECT kind FROM alerts.notice WHERE alert_id = :i"), {"i": draft}).scalar()
        with pytest.raises(DBAPIError, match="how it was approved"):
            connection.execute(text("UPDATE alerts.alert SET override_reason = 'another story'"))


def test_a_second_factor_is_asked_for_anew(app: Flask, draft: int, office: None, log_in: LogIn, owner: Engine) -> None:
    hanako = log_in("hanako")
    factor = "/staff/account/second-factor"
    shown = post(hanako, factor, f"{factor}/begin", present=PASSWORD)
    found = re.search(r'<code class="key"[^>]*>([A-Z2-7 ]+)</code>', shown)
    assert found
    totp = pyotp.TOTP(found.group(1).replace(" ", ""))
    recovery = re.findall(
        r"<li><code>([a-z0-9-]{11})</code>", post(hanako, factor, f"{factor}/confirm", code=totp.now())
    )
    submit(hanako, draft)
    page, path = f"/staff/alerts/{draft}", f"/staff/alerts/{draft}/approve-alone"
    assert "does not fit" in post(hanako, page, path, reason="alone", proof=PASSWORD), (
        "the password is no second factor"
    )
    assert "does not fit" in post(hanako, page, path, reason="alone", proof=totp.at(time.time() - 300))
    assert "Sent by you alone" in post(hanako, page, path, reason="alone", proof=recovery[0])


def test_what_the_policy_sends_is_listed_and_stops_when_it_is_revoked(
    town_database: Database, send: Send, log_in: LogIn, owner: Engine
) -> None:
    hanako = log_in("hanako")
    shown = hanako.get("/staff/alerts/standing?lang=en").text
    assert "VTSE41 · first message · Level 5" in shown and "shipped policy" in shown
    send(telegram("VTSE41", forecast("52")))
    with owner.begin() as connection:
        first = connection.execute(text("SELECT id, state, standing_id FROM alerts.alert")).one()
    assert first.state == "sending" and first.standing_id
    assert f"Standing approval {first.standing_id}" in hanako.get(f"/staff/alerts/{first.id}?lang=en").text
    with owner.begin() as connection:
        ids = connection.execute(text("SELECT id FROM alerts.standing_approval WHERE telegram = 'VTSE41'")).scalars()
    for number in ids:
        path = f"/staff/alerts/standing/{number}/revoke"
        assert "reason is missing" in post(hanako, "/staff/alerts/standing", path, reason="")
        assert "wait for people" in post(hanako, "/staff/alerts/standing", path, reason="false alarms")
    send(
        telegram(
            "VTSE41", forecast("52", height='<eb:TsunamiHeight description="１０ｍ">10</eb:TsunamiHeight>'), minute=5
        )
    )
    with owner.begin() as connection:
        states = connection.execute(text("SELECT state FROM alerts.alert ORDER BY id")).scalars().all()
        told = connection.execute(text("SELECT kind FROM alerts.notice")).scalars().all()
    assert states == ["sending", "draft"] and told == ["waiting"]


def test_two_people_approve_beforehand_and_only_while_it_lasts(
    town_database: Database, send: Send, log_in: LogIn, owner: Engine
) -> None:
    hanako, jiro, page = log_in("hanako"), log_in("jiro"), "/staff/alerts/standing"
    wish = {"subject": "VTSE41 first", "valid_until": "2099-01-01T00:00", "reason": "far from help"}
    assert "within a year" in post(hanako, page, page, level=["4"], **wish)
    with owner.begin() as connection:
        wish["valid_until"] = connection.execute(
            text("SELECT to_char(now() AT TIME ZONE 'Asia/Tokyo' + interval '30 days', 'YYYY-MM-DD\"T\"HH24:MI')")
        ).scalar_one()
    assert "cannot be approved beforehand" in post(hanako, page, page, level=["3"], **wish)
    assert "Proposed." in post(hanako, page, page, level=["4"], **wish)
    with owner.begin() as connection:
        number = connection.execute(text("SELECT max(id) FROM alerts.standing_approval")).scalar_one()
    approve = f"{page}/{number}/approve"
    assert "proposed it too" in post(hanako, page, approve)
    with pytest.raises(DBAPIError, match="standing_two_people"), town_database.begin("dept_disaster", "hanako") as own:
        own.execute(text("UPDATE alerts.standing_approval SET approved_by = 'hanako' WHERE id = :i"), {"i": number})
    send(telegram("VTSE41", forecast("51")))
    with owner.begin() as connection:
        assert connection.execute(text("SELECT state FROM alerts.alert")).scalar_one() == "draft", "not approved yet"
        connection.execute(text("TRUNCATE alerts.alert, alerts.decision CASCADE"))
    assert "Approved." in post(jiro, page, approve)
    for change in ("levels = '{4,5}'", "valid_until = valid_until + interval '1 day'", "reason = 'x'"):
        with pytest.raises(DBAPIError, match="never changed"), town_database.begin("dept_disaster", "jiro") as own:
            own.execute(text(f"UPDATE alerts.standing_approval SET {change} WHERE id = :i"), {"i": number})
    with town_database.begin(SERVICE) as connection:
        situation = connection.execute(text("SELECT max(id) FROM ingest.situation")).scalar_one()
        sent = consider(connection, situation)
    assert sent and state(owner, sent) == "sending"
    with owner.begin() as connection:
        assert connection.execute(text("SELECT standing_id FROM alerts.alert")).scalar_one() == number
        connection.execute(text("TRUNCATE alerts.alert, alerts.decision CASCADE"))
        past = "valid_from = now() - interval '2 days', valid_until = now() - interval '1 day'"
        connection.execute(text(f"UPDATE alerts.standing_approval SET {past} WHERE id = :i"), {"i": number})
    with town_database.begin(SERVICE) as connection:
        again = consider(connection, situation)
    assert again and state(owner, again) == "draft", "it has ended"
    service = "UPDATE alerts.alert SET state = '{}', submitted_by = 'source:jma', sent_at = now(), approved_by = {}"
    with pytest.raises(DBAPIError, match="no standing approval covers it"), town_database.begin(SERVICE) as connection:
        connection.execute(text(service.format("submitted", "NULL")))
        connection.execute(text(service.format("approved", "'policy:VTSE41:4'")))
    with pytest.raises(DBAPIError, match="permission denied"), town_database.begin(SERVICE) as connection:
        connection.execute(text("UPDATE alerts.standing_approval SET valid_until = NULL"))
    with pytest.raises(DBAPIError, match="permission denied"), town_database.begin(GATE) as connection:
        connection.execute(text("SELECT FROM alerts.standing_approval"))


def test_the_second_person_is_told_what_waits_once_and_nobody_of_what_no_longer_does(
    draft: int, office: None, log_in: LogIn, owner: Engine, town_database: Database, settings: Settings
) -> None:
    smtp = ScriptedServer()
    smtp.start()
    relayed = replace(settings, smtp_url=f"smtp://127.0.0.1:{smtp.port}")

    def told() -> list[str]:
        smtp.accepted.clear()
        count = mail_notices(town_database, relayed)
        mails = [message_from_bytes(content, policy=default) for _, content in smtp.accepted]
        assert len({mail["Subject"] for mail in mails}) == count
        return [f"{mail['Subject']}\n{mail.get_body(('plain',)).get_content()}" for mail in mails]

    hanako, jiro, page = log_in("hanako"), log_in("jiro"), f"/staff/alerts/{draft}"
    try:
        assert "承認待ち" in told()[0], "the telegram's draft"
        submit(hanako, draft)
        (mail, *_) = told()
        assert mail.startswith("【街守】承認をお願いします") and "hanako さんが" in mail and page in mail
        assert told() == []
        post(hanako, page, f"{page}/take-back")
        assert state(owner, draft) == "draft"
        submit(hanako, draft)
        assert len(told()) > 0, "submitted anew, told anew"
        with owner.begin() as connection:
            connection.execute(text("UPDATE alerts.notice SET mailed_at = NULL"))
        post(jiro, page, f"{page}/approve")
        assert state(owner, draft) == "sending" and told() == [], "approved meanwhile"

        standing = "/staff/alerts/standing"
        until = "SELECT to_char(now() + interval '30 days', 'YYYY-MM-DD\"T\"HH24:MI')"
        with owner.begin() as connection:
            ends = connection.execute(text(until)).scalar_one()
        wish = {"subject": "VTSE41 first", "valid_until": ends, "reason": "far from help", "level": ["4"]}
        for is_revoked in (False, True):
            assert "Proposed." in post(hanako, standing, standing, **wish)
            with owner.begin() as connection:
                number = connection.execute(text("SELECT max(id) FROM alerts.standing_approval")).scalar_one()
            if is_revoked:
                post(hanako, standing, f"{standing}/{number}/revoke", reason="by mistake")
            mails = told()
            assert bool(mails) is not is_revoked
            if mails:
                assert "VTSE41（最初のお知らせ）" in mails[0] and "far from help" in mails[0] and standing in mails[0]
    finally:
        smtp.stop()
    with owner.begin() as connection:
        jobs = connection.execute(text("SELECT task_name FROM queue.procrastinate_jobs")).scalars().all()
    assert "alerts.mail_notices" in jobs
