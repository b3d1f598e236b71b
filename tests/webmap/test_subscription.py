from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

PATH = "/subscription/a-token-nobody-guesses"


@pytest.fixture(autouse=True)
def subscriber(owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO alerts.subscriber (email, language, kinds, state, token) VALUES"
                " ('hanako@machimori.example', 'ja', '{tsunami}', 'confirmed', 'a-token-nobody-guesses')"
            )
        )


def state(owner: Engine) -> str:
    with owner.begin() as connection:
        return str(connection.execute(text("SELECT state FROM alerts.subscriber")).scalar_one())


def test_looking_at_a_subscription_changes_nothing_and_masks_the_address(client: FlaskClient, owner: Engine) -> None:
    page = client.get(PATH)
    assert page.status_code == 200
    assert "h…@machimori.example" in page.text and "hanako" not in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert client.head(PATH).status_code == 200
    assert state(owner) == "confirmed"


def test_one_click_ends_a_subscription_without_cookies(client: FlaskClient, owner: Engine) -> None:
    answer = client.post(PATH, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200, "RFC 8058 section 3.1: no redirect"
    assert "Set-Cookie" not in answer.headers
    assert state(owner) == "unsubscribed"
    assert client.post(PATH, data={"List-Unsubscribe": "One-Click"}).status_code == 200, "twice is no error"


def test_an_unknown_token_is_404(client: FlaskClient, owner: Engine) -> None:
    assert client.get("/subscription/guess").status_code == 404
    assert client.post("/subscription/guess").status_code == 404
    assert state(owner) == "confirmed"


def quiet(owner: Engine) -> tuple[str, str]:
    with owner.begin() as connection:
        row = connection.execute(text("SELECT quiet_from, quiet_until FROM alerts.subscriber")).one()
    return str(row.quiet_from), str(row.quiet_until)


def test_the_holder_sets_and_ends_the_quiet_hours(client: FlaskClient, owner: Engine) -> None:
    answer = client.post(f"{PATH}/quiet", data={"from": "22:00", "until": "07:00"}, follow_redirects=True)
    assert 'value="22:00"' in answer.text and 'role="status"' in answer.text
    assert quiet(owner) == ("22:00:00", "07:00:00")
    for wrong in ({"from": "22:00"}, {"from": "7 Uhr", "until": "08:00"}, {"from": "07:00", "until": "07:00"}):
        refused = client.post(f"{PATH}/quiet", data=wrong)
        assert refused.status_code == 400 and 'role="alert"' in refused.text
    assert quiet(owner) == ("22:00:00", "07:00:00")
    client.post(f"{PATH}/quiet", data={"from": "", "until": ""})
    assert quiet(owner) == ("None", "None")
    assert client.post("/subscription/guess/quiet", data={}).status_code == 404
    client.post(PATH)
    assert client.post(f"{PATH}/quiet", data={"from": "22:00", "until": "07:00"}).status_code == 404
