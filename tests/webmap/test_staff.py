from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from gis.database import Database
from gis.passwords import set_password
from gis.settings import Settings
from tests.ingest.telegrams import forecast, telegram
from tests.webmap.conftest import PASSWORD, Send, csrf_token, tokens
from webmap.app import create_app

LogIn = Callable[[str], FlaskClient]


@pytest.fixture
def draft(town_database: Database, send: Send, owner: Engine) -> int:
    """A tsunami warning of level 4: the policy leaves it to people."""
    send(telegram("VTSE41", forecast("51")))
    with owner.begin() as connection:
        return int(connection.execute(text("SELECT id FROM alerts.alert WHERE state = 'draft'")).scalar_one())


def take(client: FlaskClient, alert_id: int, step: str) -> str:
    """Press a button of the alert's page; return the page that follows."""
    seen = tokens(client.get(f"/staff/alerts/{alert_id}").text)
    answer = client.post(f"/staff/alerts/{alert_id}/{step}?lang=en", data=seen | {"note": "試験の理由"})
    assert answer.status_code == 302, answer.text
    return client.get(answer.headers["Location"]).text


@pytest.mark.parametrize(
    "path", ["/staff/", "/staff/alerts/1", "/staff/mailbox", "/staff/ingest", "/staff/alerts/1.geojson"]
)
def test_nothing_is_shown_before_the_login(database: Database, client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/staff/login")


def test_the_session_cookie_is_out_of_reach_for_scripts_and_other_sites(client: FlaskClient, staff: None) -> None:
    page = client.get("/staff/login")
    answer = client.post(
        "/staff/login", data={"name": "hanako", "password": PASSWORD, "csrf_token": csrf_token(page.text)}
    )
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie


def test_a_wrong_password_is_refused_and_guessing_is_slowed_down(client: FlaskClient, staff: None) -> None:
    statuses = []
    for _ in range(6):
        token = csrf_token(client.get("/staff/login").text)
        answer = client.post("/staff/login?lang=en", data={"name": "hanako", "password": "wrong", "csrf_token": token})
        statuses.append(answer.status_code)
    assert statuses == [200] * 5 + [429]


def test_the_login_leads_to_our_own_pages_only(client: FlaskClient, staff: None) -> None:
    for target in ("https://evil.example/staff", "//evil.example/staff", "/staff\\@evil.example"):
        reader = client.application.test_client()
        token = csrf_token(reader.get("/staff/login").text)
        data = {"name": "hanako", "password": PASSWORD, "csrf_token": token}
        answer = reader.post("/staff/login", query_string={"next": target}, data=data)
        assert answer.headers["Location"] == "/staff/"


def test_a_form_without_its_token_is_refused(log_in: LogIn, draft: int) -> None:
    assert log_in("hanako").post(f"/staff/alerts/{draft}/submit").status_code == 400


def test_an_alert_goes_out_when_a_second_person_approves(log_in: LogIn, draft: int, owner: Engine) -> None:
    first, second = log_in("hanako"), log_in("jiro")
    assert "It would reach" in first.get(f"/staff/alerts/{draft}?lang=en").text
    assert "You submitted this message" in take(first, draft, "submit")
    assert "was submitted by hanako too" in take(first, draft, "approve")
    page = take(second, draft, "approve")
    assert "It is being sent to" in page
    assert "試験の理由" in page
    with owner.begin() as connection:
        row = connection.execute(text("SELECT state, submitted_by, approved_by FROM alerts.alert")).one()
        people = connection.execute(text("SELECT count(*) FROM alerts.delivery")).scalar_one()
    assert tuple(row) == ("sending", "hanako", "jiro")
    assert people > 0


def test_a_draft_is_not_public(draft: int, client: FlaskClient) -> None:
    assert client.get(f"/alerts/{draft}").status_code == 404
    assert client.get(f"/alerts/{draft}.geojson").status_code == 404
    assert client.get(f"/alerts/{draft}.cap").status_code == 404


def test_a_draft_can_be_discarded(log_in: LogIn, draft: int) -> None:
    assert "Discarded." in take(log_in("hanako"), draft, "discard")


def test_other_departments_see_no_alerts_and_no_addresses(log_in: LogIn, draft: int, settings: Settings) -> None:
    client = log_in("saburo")
    page = client.get("/staff/?lang=en")
    assert page.status_code == 200
    assert "kept by the disaster prevention section" in page.text
    for path in (f"/staff/alerts/{draft}", f"/staff/alerts/{draft}.geojson", "/staff/mailbox", "/staff/ingest"):
        assert client.get(path).status_code == 403, path


def test_the_overview_shows_what_waits_and_what_went_out(log_in: LogIn, warned_town: Database) -> None:
    page = log_in("hanako").get("/staff/?lang=en").text
    assert "replaced by a newer message" in page
    assert "Waiting for you (1)" in page, "the earthquake is a draft"


def test_a_closed_account_is_out_at_once(log_in: LogIn, owner: Engine) -> None:
    client = log_in("hanako")
    with owner.begin() as connection:
        connection.execute(text("UPDATE gis.account SET is_active = false WHERE name = 'hanako'"))
    assert client.get("/staff/").status_code == 302


def test_unusable_input_is_shown_with_its_reason_and_downloads_as_text(
    log_in: LogIn, send: Send, town_database: Database
) -> None:
    send(b"<script>alert(1)</script><broken")
    client = log_in("hanako")
    page = client.get("/staff/ingest").text
    assert "0.xml" in page
    answer = client.get("/staff/ingest/documents/1")
    assert answer.data == b"<script>alert(1)</script><broken"
    assert answer.mimetype == "text/plain"
    assert answer.headers["Content-Disposition"].startswith("attachment")


def put_mail(settings: Settings, key: str, to: str, subject: str) -> Path:
    mail = EmailMessage()
    mail["To"], mail["Subject"], mail["Message-ID"] = to, subject, f"<7.{key}@machimori.example>"
    mail.set_content(f"{subject}の本文")
    mail.add_alternative("<p>HTML</p><script>alert(1)</script>", subtype="html")
    folder = settings.mailbox_dir / "new"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / key
    path.write_bytes(mail.as_bytes())
    return path


def test_the_mailbox_shows_filters_and_opens_mails(log_in: LogIn, settings: Settings) -> None:
    os.utime(put_mail(settings, "100.a.host", "a@machimori.example", "大津波警報"), (100, 100))
    put_mail(settings, "200.b.host", "b@machimori.example", "解除")
    client = log_in("hanako")
    page = client.get("/staff/mailbox").text
    assert page.index("解除") < page.index("大津波警報"), "the newest first"
    filtered = client.get("/staff/mailbox?q=A@machimori").text
    assert "100.a.host" in filtered and "200.b.host" not in filtered
    assert "大津波警報の本文" in client.get("/staff/mailbox/100.a.host").text
    html = client.get("/staff/mailbox/100.a.host/html")
    assert "sandbox" in html.headers["Content-Security-Policy"]
    assert client.get("/staff/mailbox/..%2f..%2fsecrets").status_code == 404
    assert client.get("/staff/mailbox/nothing").status_code == 404


def test_there_is_no_mailbox_when_mails_leave_the_house(settings: Settings, log_in: LogIn) -> None:
    log_in("hanako")
    client = create_app(replace(settings, smtp_url="smtp://127.0.0.1:25")).test_client()
    token = csrf_token(client.get("/staff/login").text)
    client.post("/staff/login", data={"name": "hanako", "password": PASSWORD, "csrf_token": token})
    assert client.get("/staff/mailbox").status_code == 404


def test_a_new_password_works_at_the_next_login(client: FlaskClient, staff: None, owner: Engine) -> None:
    with owner.begin() as connection:
        set_password(connection, "hanako", "another password")
    token = csrf_token(client.get("/staff/login").text)
    answer = client.post("/staff/login", data={"name": "hanako", "password": PASSWORD, "csrf_token": token})
    assert answer.status_code == 200
