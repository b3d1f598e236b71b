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


def test_an_address_that_was_given_up_is_taken_up_again_by_its_holder_only(client: FlaskClient, owner: Engine) -> None:
    def set_state(name: str) -> None:
        with owner.begin() as connection:
            connection.execute(text("UPDATE alerts.subscriber SET state = :name"), {"name": name})

    resume = f'action="{PATH}/resume"'
    assert resume not in client.get(PATH).text
    set_state("suspended")
    page = client.get(f"{PATH}?lang=en").text
    assert resume in page and "came back several times" in page
    assert client.post("/subscription/guess/resume").status_code == 404 and state(owner) == "suspended"
    assert 'id="places"' in client.post(f"{PATH}/resume", follow_redirects=True).text
    assert state(owner) == "confirmed"
    set_state("unsubscribed")
    assert client.post(f"{PATH}/resume").status_code == 404
    assert state(owner) == "unsubscribed", "who left stays away"


BOX = '{"type":"Polygon","coordinates":[[[141.23,38.42],[141.24,38.42],[141.24,38.43],[141.23,38.42]]]}'
BOW_TIE = '{"type":"Polygon","coordinates":[[[141.2,38.4],[141.21,38.41],[141.21,38.4],[141.2,38.41],[141.2,38.4]]]}'


def test_the_holder_adds_and_removes_places_of_every_sort(client: FlaskClient, owner: Engine) -> None:
    block = (
        "INSERT INTO layers.town_block (name, sub_name, geom)"
        " VALUES ('試験町', :block, ST_MakeEnvelope(:w, 38.4, :e, 38.41, 6668))"
    )
    with owner.begin() as connection:
        for number, west in enumerate((141.20, 141.21)):
            connection.execute(text(block), {"block": f"字{number}", "w": west, "e": west + 0.01})
        connection.execute(
            text(
                "INSERT INTO alerts.subscriber (email, language, kinds, state, token) VALUES"
                " ('jiro@machimori.example', 'ja', '{tsunami}', 'confirmed', 'of-somebody-else')"
            )
        )
    assert "no warnings will come" in client.get(f"{PATH}?lang=en").text

    def add(**values: str) -> tuple[int, str]:
        answer = client.post(f"{PATH}/places?lang=en", data=values, follow_redirects=True)
        return answer.status_code, answer.text

    assert add(feature="試験町")[0] == 200
    assert add(feature="試験町字1", name="祖母の家")[0] == 200
    assert add(name="自宅", lon="141.205", lat="38.405", radius_m="300")[0] == 200
    assert add(name="畑", drawn=BOX)[0] == 200
    page = client.get(f"{PATH}?lang=en").text
    for words in ("<strong>試験町</strong>", "<strong>祖母の家</strong>", "300 m around a point", "drawn area"):
        assert page.count(words) == 1, f"{words}: a quarter of two blocks is one line"
    with owner.begin() as connection:
        rows = connection.execute(
            text(
                "SELECT name FROM alerts.places_inside(ST_Transform(ST_SetSRID(ST_Point(141.205, 38.405), 6668), 6678))"
            )
        )
        assert {row.name for row in rows} == {"試験町", "自宅"}, "they match as any other place"

    for values, words in (
        ({"feature": "無い町"}, "There is no quarter 無い町"),
        ({"lon": "141.2", "lat": "38.4", "radius_m": "300"}, "The place has no name"),
        ({"name": "自宅", "lon": "38.4", "lat": "141.2", "radius_m": "300"}, "not in Japan"),
        ({"name": "自宅", "lon": "nan", "lat": "38.4", "radius_m": "300"}, "No place was named"),
        ({"name": "自宅", "lon": "141.2", "lat": "38.4", "radius_m": "7000"}, "no radius of 7000 m"),
        ({"name": "私の畑", "drawn": BOW_TIE}, "cannot be a place"),
        ({"name": "畑", "drawn": "{}"}, "cannot be read"),
        ({"name": "x"}, "No place was named"),
    ):
        status, shown = add(**values)
        assert status == 400 and words in shown, (values, shown)
        assert f'value="{values.get("name", "")}"' in shown, "what was typed is still there"

    with owner.begin() as connection:
        before = connection.execute(text("SELECT array_agg(id ORDER BY id) FROM alerts.place")).scalar_one()
    drawing = next(form for form in page.split("<form") if "畑" in form)
    ids = [part.split('"')[0] for part in drawing.split('name="id" value="')[1:]]
    client.post("/subscription/of-somebody-else/places/remove", data={"id": before})
    with owner.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM alerts.place")).scalar_one() == 5, "only one's own"
    assert "removed" in client.post(f"{PATH}/places/remove?lang=en", data={"id": ids}, follow_redirects=True).text
    with owner.begin() as connection:
        left = connection.execute(text("SELECT count(*) FILTER (WHERE layer IS NULL), count(*) FROM alerts.zone")).one()
        assert tuple(left) == (0, 2) and connection.execute(text("SELECT count(*) FROM alerts.place")).scalar_one() == 4
        connection.execute(
            text(
                "INSERT INTO alerts.place (subscriber_id, name, position, plane)"
                " SELECT p.subscriber_id, 'n' || n, p.position, p.plane"
                " FROM (SELECT * FROM alerts.place LIMIT 1) p, generate_series(1, 196) n"
            )
        )
    assert "too many places" in add(name="自宅2", lon="141.205", lat="38.405", radius_m="300")[1]
    client.post(PATH)
    assert client.post(f"{PATH}/places", data={"feature": "試験町"}).status_code == 404, "it has ended"
    assert client.post(f"{PATH}/places/remove", data={"id": ids}).status_code == 404
