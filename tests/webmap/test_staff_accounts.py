"""One's own account, and all accounts for administrators."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from gis.accounts import grant_role, join_department
from tests.webmap.conftest import PASSWORD, csrf_token

LogIn = Callable[[str], FlaskClient]


@pytest.fixture
def administrator(log_in: LogIn, owner: Engine) -> FlaskClient:
    with owner.begin() as connection:
        grant_role(connection, "jiro", "administrator")
    return log_in("jiro")


def post(client: FlaskClient, path: str, **values: object) -> str:
    token = csrf_token(client.get("/staff/account?lang=en").text)
    answer = client.post(path, data={"csrf_token": token, **values})
    assert answer.status_code == 302, answer.text
    return client.get(answer.headers["Location"]).text


def test_a_session_is_ended_from_another_place(log_in: LogIn, owner: Engine) -> None:
    here, there = log_in("hanako"), log_in("hanako")
    with owner.begin() as connection:
        second = connection.execute(text("SELECT max(id) FROM gis.session")).scalar_one()
    assert "The session has ended." in post(here, f"/staff/account/sessions/{second}/end")
    assert there.get("/staff/").status_code == 302
    assert here.get("/staff/").status_code == 200
    assert log_in("saburo").get("/staff/account").text.count("/end") == 0, "only one's own are listed"


def test_nobody_ends_the_session_of_somebody_else(log_in: LogIn, owner: Engine) -> None:
    victim, attacker = log_in("hanako"), log_in("saburo")
    with owner.begin() as connection:
        session = connection.execute(text("SELECT id FROM gis.session WHERE account = 'hanako'")).scalar_one()
    token = csrf_token(attacker.get("/staff/account").text)
    attacker.post(f"/staff/account/sessions/{session}/end", data={"csrf_token": token})
    assert victim.get("/staff/").status_code == 200


def test_logging_out_ends_the_session_so_that_a_copied_cookie_is_worth_nothing(log_in: LogIn) -> None:
    client = log_in("hanako")
    cookie = client.get_cookie("machimori_staff")
    assert cookie is not None
    client.post("/staff/logout", data={"csrf_token": csrf_token(client.get("/staff/account").text)})
    client.set_cookie("machimori_staff", cookie.value)
    assert client.get("/staff/").status_code == 302


def test_a_new_password_needs_the_present_one_and_ends_the_other_sessions(log_in: LogIn) -> None:
    here, there = log_in("hanako"), log_in("hanako")
    path, new = "/staff/account/password", "another password"
    assert "The present password is wrong." in post(here, path, present="wrong", new=new, again=new)
    assert "The two new passwords differ." in post(here, path, present=PASSWORD, new=new, again="x")
    assert "The password is changed" in post(here, path, present=PASSWORD, new=new, again=new)
    assert (here.get("/staff/").status_code, there.get("/staff/").status_code) == (200, 302)


def test_a_person_works_for_another_of_their_departments(log_in: LogIn, owner: Engine) -> None:
    with owner.begin() as connection:
        join_department(connection, "saburo", "disaster")
    client = log_in("saburo")
    assert client.get("/staff/ingest").status_code == 403
    post(client, "/staff/account/department", department="disaster")
    assert client.get("/staff/ingest").status_code == 200


def test_only_an_administrator_sees_the_accounts(log_in: LogIn, administrator: FlaskClient) -> None:
    client = log_in("hanako")
    assert client.get("/staff/accounts").status_code == 403
    token = csrf_token(client.get("/staff/account").text)
    answer = client.post("/staff/accounts/hanako", data={"csrf_token": token, "role": "administrator"})
    assert answer.status_code == 403
    assert "saburoさん" in administrator.get("/staff/accounts?lang=en").text


def test_an_administrator_adds_changes_and_disables(log_in: LogIn, administrator: FlaskClient, owner: Engine) -> None:
    new = {"name": "ito", "title": "伊藤", "department": "school", "password": PASSWORD}
    assert "The account is added." in post(administrator, "/staff/accounts", **new)
    client = log_in("ito")
    values = {"role": ["viewer", "editor"], "department": ["sewer"], "is_active": "on"}
    assert "The account is changed." in post(administrator, "/staff/accounts/ito", **values)
    with owner.begin() as connection:
        role = connection.execute(text("SELECT string_agg(role, ' ' ORDER BY role) FROM gis.account_role")).scalar_one()
        assert "editor" in role
        actors = connection.execute(text("SELECT DISTINCT actor FROM gis.account_event WHERE event = 'role granted'"))
        assert "jiro" in set(actors.scalars())
    assert client.get("/staff/").status_code == 302, "the session worked for a department that was left"
    again = log_in("ito")
    post(administrator, "/staff/accounts/ito", role="viewer", department="sewer")
    assert again.get("/staff/").status_code == 302
    page = administrator.get("/staff/accounts?lang=en&account=ito").text
    assert "role revoked editor" in page and "disabled" in page
