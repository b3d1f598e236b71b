"""A browser's push subscription: taken with the token of a subscription, whole, and for a push service only."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from alerts.channels.push.encryption import encode_point, from_base64url, to_base64url

PATH = "/subscription/a-token-nobody-guesses/push"


def subscription(**changes: Any) -> dict[str, Any]:
    point = encode_point(ec.generate_private_key(ec.SECP256R1()).public_key())
    keys = {"p256dh": to_base64url(point), "auth": to_base64url(bytes(16))}
    return {"endpoint": "https://push.example/abc", "keys": keys, "language": "en", **changes}


def test_a_browser_is_taken_with_the_token_and_forgotten_with_it_and_nothing_else_is(
    client: FlaskClient, owner: Engine
) -> None:
    with owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO alerts.subscriber (email, language, kinds, state, token) VALUES"
                " ('hanako@machimori.example', 'ja', '{tsunami}', 'confirmed', 'a-token-nobody-guesses')"
            )
        )
    assert len(from_base64url(client.get("/push/key").get_json()["key"])) == 65
    keys = subscription()["keys"]
    refused: list[Any] = [
        [],
        subscription(endpoint="https://127.0.0.1/abc"),
        subscription(endpoint="http://push.example/abc"),
        subscription(keys={**keys, "auth": "AAAA"}),
        subscription(keys={**keys, "p256dh": to_base64url(b"\x04" + bytes(64))}),
        subscription(keys="none"),
        subscription(language="xx"),
    ]
    assert [client.post(PATH, json=sent).status_code for sent in refused] == [400] * len(refused)
    assert client.post("/subscription/another/push", json=subscription()).status_code == 409
    answer = client.post(PATH, json=subscription())
    assert answer.status_code == 204 and answer.headers["Cache-Control"] == "no-store"
    with owner.begin() as connection:
        rows = connection.execute(text("SELECT endpoint, language FROM alerts.push_device")).all()
        assert rows == [("https://push.example/abc", "en")]
    client.delete("/subscription/another/push", json={"endpoint": "https://push.example/abc"})
    with owner.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM alerts.push_device")).scalar_one() == 1
    for _ in range(2):
        assert client.delete(PATH, json={"endpoint": "https://push.example/abc"}).status_code == 204
    with owner.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM alerts.push_device")).scalar_one() == 0
