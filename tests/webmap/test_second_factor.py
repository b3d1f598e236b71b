"""The second factor on the pages: setting up, logging in, what stays closed without it."""

from __future__ import annotations

import html
import re
import time

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from gis.accounts import add_account, grant_role, list_events
from tests.webmap.conftest import PASSWORD, csrf_token

FACTOR = "/staff/account/second-factor"


@pytest.fixture
def office(owner: Engine) -> None:
    """An approver and an administrator who have set up nothing, an editor who need not."""
    with owner.begin() as connection:
        add_account(connection, "mori", "森", "disaster", PASSWORD, roles=["viewer", "alert_approver"])
        add_account(connection, "head", "課長", "planning", PASSWORD, roles=["viewer", "administrator"])
        add_account(connection, "ito", "伊藤", "sewer", PASSWORD, roles=["viewer", "editor"])


def post(client: FlaskClient, path: str, page: str = FACTOR, **values: str) -> str:
    """Send a form of `page` and return what is shown in the end."""
    token = csrf_token(client.get(f"{page}?lang=en").text)
    answer = client.post(path, data={"csrf_token": token, **values}, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return answer.text


def log_in(app: Flask, name: str) -> FlaskClient:
    client = app.test_client()
    post(client, "/staff/login", "/staff/login", name=name, password=PASSWORD)
    return client


def enrol(client: FlaskClient) -> tuple[pyotp.TOTP, list[str]]:
    page = post(client, f"{FACTOR}/begin", present=PASSWORD)
    found = re.search(r'<code class="key"[^>]*>([A-Z2-7 ]+)</code>', page)
    assert found and "<svg" in page and "viewBox" in page, "a fixed size would be cut off by a narrow page"
    totp = pyotp.TOTP(found.group(1).replace(" ", ""))
    codes = re.findall(
        r"<li><code>([a-z0-9]{5}-[a-z0-9]{5})</code>", post(client, f"{FACTOR}/confirm", code=totp.now())
    )
    assert len(codes) == 10
    return totp, codes


@pytest.mark.parametrize("name", ["mori", "head"])
def test_who_needs_one_sees_nothing_else_before(app: Flask, office: None, name: str) -> None:
    client = log_in(app, name)
    for path in ("/staff/", "/staff/layers", "/staff/accounts", "/staff/account"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers.get("Location")) == (302, FACTOR), path
    assert "Your roles need a second factor" in client.get(f"{FACTOR}?lang=en").text
    enrol(client)
    assert client.get("/staff/").status_code == 200


def test_an_editor_may_and_need_not(app: Flask, office: None) -> None:
    client = log_in(app, "ito")
    assert client.get("/staff/").status_code == 200
    enrol(client)
    assert client.get("/staff/").status_code == 200


def test_a_role_that_needs_one_closes_a_running_session(app: Flask, owner: Engine, office: None) -> None:
    client = log_in(app, "ito")
    with owner.begin() as connection:
        grant_role(connection, "ito", "alert_approver")
    assert client.get("/staff/").headers["Location"] == FACTOR


def test_the_password_alone_opens_nothing_any_more(app: Flask, owner: Engine, office: None) -> None:
    earlier = log_in(app, "ito")
    totp, codes = enrol(log_in(app, "ito"))
    assert earlier.get("/staff/").status_code == 302, "a session without a code goes on"
    client = log_in(app, "ito")
    assert client.get("/staff/").status_code == 302
    assert "The code is wrong" in post(client, "/staff/login/code", "/staff/login/code", code="000000")
    assert "The code is wrong" in post(client, "/staff/login/code", "/staff/login/code", code=totp.now()), (
        "used already"
    )
    assert client.get("/staff/").status_code == 302
    post(client, "/staff/login/code", "/staff/login/code", code=codes[0])
    assert client.get("/staff/").status_code == 200
    with owner.begin() as connection:
        assert "recovery code used" in [event.event for event in list_events(connection, "ito")]


def test_half_a_login_lasts_five_minutes_and_is_nobodys_without_password(
    app: Flask, office: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app.test_client().get("/staff/login/code").headers["Location"] == "/staff/login"
    _totp, codes = enrol(log_in(app, "ito"))
    client = log_in(app, "ito")
    token = csrf_token(client.get("/staff/login/code").text)
    later = time.time() + 301
    monkeypatch.setattr("webmap.staff.login.time.time", lambda: later)
    answer = client.post("/staff/login/code", data={"csrf_token": token, "code": codes[0]})
    assert answer.headers["Location"] == "/staff/login"
    assert client.get("/staff/").status_code == 302


def test_setting_up_needs_the_password(app: Flask, office: None) -> None:
    client = log_in(app, "ito")
    assert "The present password is wrong." in post(client, f"{FACTOR}/begin", present="wrong")
    assert "<svg" not in client.get(FACTOR).text


def test_removal_and_new_codes_need_password_and_code(app: Flask, office: None) -> None:
    client = log_in(app, "ito")
    _totp, codes = enrol(client)
    for part in ("remove", "recovery-codes"):
        assert "The present password is wrong." in post(client, f"{FACTOR}/{part}", present="x", code=codes[0])
        assert "The code is wrong" in post(client, f"{FACTOR}/{part}", present=PASSWORD, code="123456")
    assert "Recovery codes left: 10" in html.unescape(client.get(FACTOR).text)
    fresh = re.findall(
        r"<code>([a-z0-9-]{11})</code>", post(client, f"{FACTOR}/recovery-codes", present=PASSWORD, code=codes[0])
    )
    assert "The second factor is removed." in post(client, f"{FACTOR}/remove", present=PASSWORD, code=fresh[0])
    assert log_in(app, "ito").get("/staff/").status_code == 200


def test_an_administrator_resets_it_and_the_sessions_end(app: Flask, owner: Engine, office: None) -> None:
    head = log_in(app, "head")
    enrol(head)
    client = log_in(app, "mori")
    enrol(client)
    page = "/staff/accounts"
    assert "The second factor is removed." in post(head, f"{page}/mori/second-factor/reset", page)
    assert client.get("/staff/").headers["Location"].startswith("/staff/login")
    assert log_in(app, "mori").get("/staff/").headers["Location"] == FACTOR
    with owner.begin() as connection:
        assert ("second factor removed", "head") in {(e.event, e.actor) for e in list_events(connection, "mori")}


def test_nobody_else_resets_or_ends_sessions(app: Flask, owner: Engine, office: None) -> None:
    enrol(log_in(app, "mori"))
    client = log_in(app, "ito")
    token = csrf_token(client.get(FACTOR).text)
    for part in ("second-factor/reset", "sessions/end"):
        assert client.post(f"/staff/accounts/mori/{part}", data={"csrf_token": token}).status_code == 403
    with owner.begin() as connection:
        assert connection.execute(text("SELECT gis.has_second_factor('mori')")).scalar_one()


def test_an_administrator_ends_all_sessions_of_somebody(app: Flask, office: None) -> None:
    head, client = log_in(app, "head"), log_in(app, "ito")
    enrol(head)
    assert "All sessions have ended." in post(head, "/staff/accounts/ito/sessions/end", "/staff/accounts")
    assert client.get("/staff/").status_code == 302
