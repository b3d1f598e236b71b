"""Web Push: encrypted as the RFC's example, through the outbox to a real HTTPS service, to public machines only."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from alerts.approval import approve, submit
from alerts.channels import TransportError
from alerts.channels.push import post
from alerts.channels.push.encryption import encrypt, from_base64url
from alerts.channels.push.forms import PushForms
from alerts.channels.push.post import Network, Poster, check_endpoint
from alerts.channels.push.trial import try_devices
from alerts.channels.push.vapid import Sender
from alerts.delivery import send_alert
from alerts.outbox import Claimed
from gis.errors import UsageError
from gis.settings import Settings
from tests.alerts.alert_town import FIRST, MAJOR, SquareTown
from tests.alerts.push_service import Browser, PushService, add_device
from tests.alerts.test_morning import dawn, hold, wake
from tests.alerts.test_quiet_hours import sleep_now

Considered = Callable[..., int | None]
Send = Callable[[int | None], dict[str, int]]


def test_a_message_is_encrypted_as_in_the_example_of_rfc_8291() -> None:
    private = int.from_bytes(from_base64url("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big")
    body = encrypt(
        b"When I grow up, I want to be a watermelon",
        from_base64url("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        from_base64url("BTBZMqHH6r4Tts7J_aSIgg"),
        ec.derive_private_key(private, ec.SECP256R1()),
        from_base64url("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert body == from_base64url(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
        "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_the_senders_token_is_signed_with_a_key_that_stays(settings: Settings) -> None:
    sender = Sender(settings)
    assert sender.public_key == Sender(settings).public_key
    header = sender.authorize("https://push.example/a/b?c")
    assert header == sender.authorize("https://push.example/other"), "one token per service"
    token, _, key = header.removeprefix("vapid t=").partition(", k=")
    head, claims, signature = token.split(".")
    raw = from_base64url(signature)
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_base64url(key))
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
    assert json.loads(base64.urlsafe_b64decode(claims + "=="))["aud"] == "https://push.example"


def test_every_device_gets_the_warning_once_and_the_service_reads_nothing_of_it(
    town: SquareTown, considered: Considered, send: Send, service: PushService
) -> None:
    person = town.subscribe("a@machimori.example", place="自宅")
    town.subscribe("b@machimori.example")
    phones = [add_device(town, service, person, 1), add_device(town, service, person, 2, "en")]
    alert_id = considered(MAJOR)
    assert send(alert_id) == {"accepted": 2, "push.accepted": 1}
    assert send(alert_id) == {}
    messages = {path: (headers, body) for path, headers, body in service.calls}
    assert len(service.calls) == 2 and all("大津波".encode() not in body for _, _, body in service.calls)
    headers, body = messages[phones[0].path]
    words = phones[0].read(body)
    assert "大津波警報" in str(words["title"]) and str(words["body"]).startswith("自宅\n") and words["level"] == 5
    assert str(words["url"]).endswith(f"/alerts/{alert_id}?lang=ja")
    assert headers["Urgency"] == "high" and 0 < int(headers["TTL"]) <= 24 * 3600 and len(headers["Topic"]) == 32
    assert headers["Authorization"].startswith("vapid t=")
    assert "tsunami" in str(phones[1].read(messages[phones[1].path][1])["title"]).lower()
    assert town.scalar("SELECT state FROM alerts.alert") == "sent"


def test_a_device_that_has_it_is_not_asked_again_for_the_others_sake_and_one_that_is_gone_never(
    town: SquareTown, considered: Considered, send: Send, service: PushService
) -> None:
    person, other = town.subscribe("a@machimori.example"), town.subscribe("b@machimori.example")
    for number in (1, 2, 3):
        add_device(town, service, person, number)
    add_device(town, service, other, 4)
    service.statuses = {"/push/2": [429, 503], "/push/3": [410], "/push/4": [404]}
    alert_id = considered(MAJOR)
    assert send(alert_id) == {"accepted": 2, "push.deferred": 1, "push.suppressed": 1}
    wait_s = "SELECT extract(epoch FROM next_attempt_at - now()) FROM alerts.delivery WHERE state = 'deferred'"
    assert 60 < town.scalar(wait_s) < 78, "as long as the service said"
    for _ in range(2):
        town.execute("UPDATE alerts.delivery SET next_attempt_at = now() WHERE state = 'deferred'")
        send(alert_id)
    assert sorted(path for path, _, _ in service.calls) == [f"/push/{n}" for n in (1, 2, 2, 2, 3, 4)]
    assert town.execute("SELECT state, count(*) FROM alerts.delivery WHERE channel = 'push' GROUP BY 1 ORDER BY 1") == [
        ("accepted", 1), ("suppressed", 1),
    ]  # fmt: skip
    assert town.execute("SELECT outcome, reason FROM alerts.attempt JOIN alerts.delivery d ON d.id = delivery_id"
                        " WHERE outcome IN ('suppressed', 'bounced')") == [("suppressed", "no_device")]  # fmt: skip
    assert town.execute("SELECT FROM alerts.bounce") == [], "a lost phone does not silence the mail address"
    assert town.scalar("SELECT count(*) FROM alerts.push_device WHERE gone_at IS NULL") == 2
    assert town.scalar("SELECT state FROM alerts.alert") == "sent"


@pytest.mark.parametrize("leaves", ["by itself", "by the person"])
def test_a_push_that_one_device_took_is_no_lost_one_when_the_other_is_gone(
    town: SquareTown, considered: Considered, send: Send, service: PushService, leaves: str
) -> None:
    person = town.subscribe("a@machimori.example")
    for number in (1, 2):
        add_device(town, service, person, number)
    service.statuses = {"/push/2": [503, 410]}
    alert_id = considered(MAJOR)
    assert send(alert_id) == {"accepted": 1, "push.deferred": 1}
    if leaves == "by the person":
        town.execute("SELECT open.remove_push_device(s.token, d.endpoint) FROM alerts.push_device d"
                     " JOIN alerts.subscriber s ON s.id = d.subscriber_id WHERE d.endpoint LIKE '%/2'")  # fmt: skip
    town.execute("UPDATE alerts.delivery SET next_attempt_at = now() WHERE state = 'deferred'")
    assert send(alert_id) == {"push.accepted": 1}


def test_what_a_service_refuses_for_good_is_refused_and_not_gone(
    town: SquareTown, considered: Considered, send: Send, service: PushService
) -> None:
    add_device(town, service, town.subscribe("a@machimori.example"), 1)
    service.statuses = {"/push/1": [413]}
    assert send(considered(MAJOR)) == {"accepted": 1, "push.bounced": 1}
    assert town.execute("SELECT FROM alerts.bounce") == []
    assert town.scalar("SELECT gone_at FROM alerts.push_device") is None


def test_what_waited_for_the_morning_is_one_push_and_no_device_misses_a_part(
    town: SquareTown, considered: Considered, send: Send, service: PushService
) -> None:
    person = town.subscribe("a@machimori.example", place="自宅")
    phones = [add_device(town, service, person, number) for number in (1, 2)]
    sleep_now(town)
    held = [hold(town, considered, 1), hold(town, considered, 2)]
    dawn(town)
    assert wake(town) == 2, "one mail and one push"
    service.statuses = {"/push/2": [503]}
    counts = [send(alert_id) for alert_id in held]
    assert {"accepted": 1, "push.deferred": 1} in counts and len(service.calls) == 2
    words = phones[0].read(service.calls[0][2])
    assert str(words["body"]).count("■") == 1 and str(words["url"]).endswith(f"/alerts/{held[1]}?lang=ja")
    # Another one of the night joins: the first phone has the two others and must have that one, too.
    held.append(hold(town, considered, 3))
    dawn(town)
    wake(town)
    for alert_id in held:
        send(alert_id)
    said = [str(phone.read(body)["body"]) for phone, (_, _, body) in zip(phones, service.calls[2:], strict=True)]
    assert [body.count("■") for body in said] == [2, 2]
    pushes = "SELECT state, count(*) FROM alerts.delivery WHERE channel = 'push' GROUP BY 1"
    assert town.execute(pushes) == [("accepted", 3)]
    for alert_id in held:
        assert send(alert_id) == {}
    assert len(service.calls) == 4


def test_of_a_morning_without_a_device_every_message_says_so(
    town: SquareTown, considered: Considered, send: Send, service: PushService
) -> None:
    add_device(town, service, town.subscribe("a@machimori.example"), 1)
    service.statuses = {"/push/1": [410]}
    sleep_now(town)
    held = [hold(town, considered, 1), hold(town, considered, 2)]
    dawn(town)
    wake(town)
    for alert_id in held * 2:  # the second time finds nothing to send, and closes
        send(alert_id)
    assert len(service.calls) == 1
    pushes = "SELECT state, reason, is_held, count(*) FROM alerts.delivery WHERE channel = 'push' GROUP BY 1, 2, 3"
    assert town.execute(pushes) == [("suppressed", "no_device", False, 2)]
    assert {row.state for row in town.execute("SELECT state FROM alerts.alert")} == {"sent"}


def test_an_unsubscription_between_approval_and_sending_holds_for_the_phone_too(
    town: SquareTown, considered: Considered, send: Send, service: PushService
) -> None:
    add_device(town, service, town.subscribe("a@machimori.example"), 1)
    alert_id = considered(MAJOR)
    town.execute("SELECT open.unsubscribe(token) FROM alerts.subscriber")
    assert send(alert_id) == {"suppressed": 1, "push.suppressed": 1} and service.calls == []


def test_a_push_goes_out_while_no_relay_takes_mails(
    town: SquareTown, considered: Considered, settings: Settings, service: PushService
) -> None:
    add_device(town, service, town.subscribe("a@machimori.example"), 1)
    alert_id = considered(MAJOR)
    assert alert_id
    counts = send_alert(town.database, replace(settings, smtp_url="smtp://127.0.0.1:1"), alert_id)
    assert counts["push.accepted"] == 1 and counts["relay_is_down"] == 1 and len(service.calls) == 1


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example/a", "https://push.example:8443/a", "https://user@push.example/a", "https://127.0.0.1/a",
        "https://[::1]/a", "https://localhost/a", "https://push.example/a b", "https://push.example/" + "a" * 2000, "",
    ],
)  # fmt: skip
def test_an_endpoint_that_no_push_service_has_is_refused(endpoint: str) -> None:
    with pytest.raises(ValueError):
        check_endpoint(endpoint)


def test_a_name_that_leads_into_the_city_hall_is_not_asked(
    service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Poster(Network(ssl.create_default_context()))
    for address in ("127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "::ffff:10.0.0.7", "64:ff9b::a00:7", "fd00::1"):
        monkeypatch.setattr(post.socket, "getaddrinfo", lambda *name, at=address, **kind: [(0, 0, 0, "", (at, 443))])
        with pytest.raises(TransportError, match="a network that push services do not lie in"):
            asked.post("https://push.example/a", {}, b"")
    assert service.calls == []


def test_an_update_says_so_to_who_got_the_push_before_and_to_nobody_else(
    town: SquareTown, considered: Considered, send: Send, service: PushService
) -> None:
    person = town.subscribe("a@machimori.example", place="自宅")
    late = town.subscribe("b@machimori.example", place="自宅")
    phones = [add_device(town, service, person, 1), add_device(town, service, person, 2, "en")]
    send(considered(MAJOR))
    newcomer = add_device(town, service, late, 3)
    service.calls.clear()
    send(considered({**MAJOR, "height_text": "１０ｍ"}, reported_at=FIRST + timedelta(minutes=1)))
    bodies = {path: body for path, _, body in service.calls}
    first_lines = [str(phone.read(bodies[phone.path])["body"]).split("\n")[0] for phone in [*phones, newcomer]]
    assert first_lines == [
        "先にお送りした通知の続報です。",
        "This updates the notification that we sent you before.",
        "自宅",
    ]


def test_a_redirect_is_not_followed_and_a_kept_connection_is_used_again(service: PushService) -> None:
    service.statuses = {"/a": [302]}
    poster = Poster()
    assert [poster.post(f"{service.origin}/a", {}, b"x").status for _ in range(2)] == [302, 201]
    assert [path for path, _, _ in service.calls] == ["/a", "/a"]
    poster.close()


def test_a_subscription_holds_ten_devices_and_its_key_removes_them(town: SquareTown, service: PushService) -> None:
    person = town.subscribe("a@machimori.example")
    for number in range(10):
        add_device(town, service, person, number)
    add_device(town, service, person, 3)  # a browser that comes again
    eleventh = "SELECT open.add_push_device(token, 'https://push.example/11', :key, :auth, 'ja') FROM alerts.subscriber"
    assert not town.scalar(eleventh, key=Browser(11).point, auth=bytes(16))
    wrong = "SELECT open.remove_push_device('another token', :endpoint)"
    assert not town.scalar(wrong, endpoint=f"{service.origin}/push/3")
    right = "SELECT open.remove_push_device(token, :endpoint) FROM alerts.subscriber"
    assert town.scalar(right, endpoint=f"{service.origin}/push/3")
    assert town.scalar("SELECT count(*) FROM alerts.push_device") == 9


def test_a_test_reaches_each_device_in_its_language_and_cannot_be_taken_for_a_warning(
    town: SquareTown, settings: Settings, service: PushService
) -> None:
    person = town.subscribe("a@machimori.example")
    phones = [add_device(town, service, person, 1), add_device(town, service, person, 2, "en")]
    add_device(town, service, town.subscribe("b@machimori.example"), 3)
    service.statuses = {"/push/2": [410]}
    trials = try_devices(town.database, settings, "a@machimori.example")
    assert [(trial.is_taken, trial.words[:3]) for trial in trials] == [(True, "201"), (False, "410")]
    bodies = {path: body for path, _, body in service.calls}
    assert sorted(bodies) == ["/push/1", "/push/2"]
    first, second = (phone.read(bodies[phone.path]) for phone in phones)
    assert str(first["title"]).startswith("【試験】") and str(second["title"]).startswith("[TEST]")
    assert first["level"] == 0 and "避難などの必要はありません" in str(first["body"])
    assert town.execute("SELECT FROM alerts.delivery") == []
    with pytest.raises(UsageError, match="no device"):
        town.subscribe("c@machimori.example")
        try_devices(town.database, settings, "c@machimori.example")


def test_what_was_cancelled_has_ended_or_waits_for_the_morning_is_not_pushed(
    town: SquareTown, considered: Considered, send: Send, service: PushService
) -> None:
    add_device(town, service, town.subscribe("a@machimori.example"), 1)
    first = considered(MAJOR)
    considered({}, level=0, phase="withdrawn", reported_at=FIRST + timedelta(minutes=1))
    send(first)
    ended = considered(MAJOR, incident_fid=2)
    town.execute("ALTER TABLE alerts.alert DISABLE TRIGGER guard_alert")
    town.execute("UPDATE alerts.alert SET sent_at = sent_at - interval '25 hours' WHERE id = :i", i=ended)
    assert send(ended) == {"expired": 1, "push.expired": 1}
    town.execute(
        "UPDATE alerts.subscriber SET quiet_from = (now() AT TIME ZONE 'Asia/Tokyo' - interval '1 hour')::time,"
        " quiet_until = (now() AT TIME ZONE 'Asia/Tokyo' + interval '1 hour')::time"
    )
    advisory = {**MAJOR, "class": "advisory", "class_name": "津波注意報"}
    lesser = considered(advisory, level=2, incident_fid=3)
    assert lesser
    for account, act in (("sato", submit), ("ito", approve)):
        with town.database.begin("dept_disaster", account) as connection:
            act(connection, lesser, account)
    assert send(lesser) == {} and service.calls == []
    town.execute("UPDATE alerts.delivery SET next_attempt_at = now() WHERE is_held")
    assert send(lesser) == {"accepted": 1, "push.accepted": 1} and len(service.calls) == 1


def test_many_places_leave_room_for_what_to_do(
    town: SquareTown, considered: Considered, send: Send, service: PushService
) -> None:
    """A quarter is a place for each of its blocks: the words to act by must not be cut off behind its name."""
    person = town.subscribe("a@machimori.example", place="自宅")
    phone = add_device(town, service, person, 1)
    for number in range(60):
        town.add_place(person, "大曲", 141.2, 38.4)
        town.add_place(person, f"とても長い名前の場所その{number}", 141.2, 38.4)
    send(considered(MAJOR))
    first, what_to_do = str(phone.read(service.calls[0][2])["body"]).split("\n", 1)
    assert first.startswith("自宅、大曲、とても長い名前の場所その0") and first.endswith("か所") and len(first) < 75
    assert what_to_do and "…" not in what_to_do


@pytest.mark.parametrize("way", ["device", "person"])
def test_a_device_or_a_person_that_leaves_while_the_batch_is_in_hand_gets_no_push(
    town: SquareTown, considered: Considered, settings: Settings, service: PushService,
    monkeypatch: pytest.MonkeyPatch, way: str,
) -> None:  # fmt: skip
    for number in range(3):
        add_device(town, service, town.subscribe(f"p{number}@machimori.example"), number)
    alert_id = considered(MAJOR)
    assert alert_id
    real = PushForms.prepare

    def prepare(forms: PushForms, batch: Iterable[Claimed]) -> None:
        """They leave after the claim, before anything of it is handed over."""
        real(forms, batch := list(batch))
        if not batch:
            return
        if way == "person":
            town.execute("SELECT open.unsubscribe(token) FROM alerts.subscriber")
        else:
            town.execute(
                "SELECT open.remove_push_device(s.token, d.endpoint) FROM alerts.push_device d"
                " JOIN alerts.subscriber s ON s.id = d.subscriber_id"
            )

    monkeypatch.setattr(PushForms, "prepare", prepare)
    counts = send_alert(town.database, replace(settings, smtp_url="smtp://127.0.0.1:1"), alert_id)
    assert service.calls == []
    assert counts["push.suppressed"] == 3
    without = town.scalar("SELECT count(*) FROM alerts.delivery WHERE reason = 'no_device'")
    assert without == {"person": 0, "device": 3}[way]
    assert town.execute("SELECT FROM alerts.bounce") == []


@pytest.mark.parametrize(
    ("sql", "verdict"),
    [
        ("UPDATE alerts.alert SET state = 'cancelled'", "push.suppressed"),
        ("UPDATE alerts.alert SET expires_at = now() - interval '1 minute'", "push.expired"),
    ],
)
def test_what_ends_or_is_cancelled_while_the_batch_is_in_hand_is_not_pushed(
    town: SquareTown, considered: Considered, settings: Settings, service: PushService,
    monkeypatch: pytest.MonkeyPatch, sql: str, verdict: str,
) -> None:  # fmt: skip
    for number in range(3):
        add_device(town, service, town.subscribe(f"p{number}@machimori.example"), number)
    alert_id = considered(MAJOR)
    assert alert_id
    town.execute("ALTER TABLE alerts.alert DISABLE TRIGGER guard_alert")
    real = PushForms.prepare

    def prepare(forms: PushForms, batch: Iterable[Claimed]) -> None:
        real(forms, batch := list(batch))
        if batch:
            town.execute(sql)

    monkeypatch.setattr(PushForms, "prepare", prepare)
    counts = send_alert(town.database, replace(settings, smtp_url="smtp://127.0.0.1:1"), alert_id)
    assert service.calls == [] and counts[verdict] == 3
