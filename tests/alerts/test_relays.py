"""Relays: order, fail-over, TLS with a certificate authority of our own, logins, health."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.delivery import send_alert
from bench.authority import Authority
from bench.fault_server import FaultServer
from gis.errors import UsageError
from gis.relay import Relay, parse_relay, relays
from gis.settings import Settings
from tests.alerts.alert_town import MAJOR, SquareTown

Considered = Callable[..., int | None]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


@pytest.fixture
def send_through(town: SquareTown, considered: Considered, settings: Settings) -> Callable[[str], dict[str, int]]:
    """Send to twelve people through the relays of a URL; return what became of it."""
    for number in range(12):
        town.subscribe(f"a{number}@machimori.example")
    alert_id = considered(MAJOR)

    def run(url: str) -> dict[str, int]:
        assert alert_id
        town.execute("UPDATE alerts.delivery SET next_attempt_at = now() WHERE state = 'deferred'")
        return dict(send_alert(town.database, replace(settings, smtp_url=url), alert_id, connections=2))

    return run


@pytest.mark.parametrize(("scheme", "starttls"), [("smtps", False), ("smtp+starttls", True)])
def test_a_secured_relay_with_a_login_takes_everything(
    send_through: Callable[[str], dict[str, int]], authority: Authority, scheme: str, starttls: bool
) -> None:
    with FaultServer(authority.context(), starttls) as server:
        url = f"{scheme}://city:se%40cret@127.0.0.1:{server.port}?ca={authority.file}"
        assert send_through(url) == {"accepted": 12}
        assert {base64.b64decode(login) for login in server.logins} == {b"\0city\0se@cret"}


@pytest.mark.parametrize(
    ("address", "expires", "reason"),
    [
        ("127.0.0.1", timedelta(days=-1), "expired"),
        ("127.0.0.2", timedelta(days=1), "not valid for '127.0.0.1'"),
    ],
)
@pytest.mark.parametrize(("scheme", "starttls"), [("smtps", False), ("smtp+starttls", True)])
def test_a_certificate_that_is_not_valid_gets_no_mail_and_the_record_says_why(
    town: SquareTown,
    send_through: Callable[[str], dict[str, int]],
    authority: Authority,
    address: str,
    expires: timedelta,
    reason: str,
    scheme: str,
    starttls: bool,
) -> None:
    with FaultServer(authority.context(address, expires), starttls) as server:
        send_through(f"{scheme}://127.0.0.1:{server.port}?ca={authority.file}")
        assert not server.accepted
    assert reason in town.scalar("SELECT reply FROM alerts.attempt LIMIT 1")
    assert town.execute("SELECT DISTINCT state FROM alerts.delivery") == [("deferred",)]


def test_an_unknown_authority_is_not_trusted(
    send_through: Callable[[str], dict[str, int]], authority: Authority
) -> None:
    with FaultServer(authority.context()) as server:
        assert "accepted" not in send_through(f"smtps://127.0.0.1:{server.port}")


def test_a_relay_without_starttls_gets_no_password(
    send_through: Callable[[str], dict[str, int]], server: FaultServer
) -> None:
    assert "accepted" not in send_through(f"smtp+starttls://city:secret@127.0.0.1:{server.port}")
    assert not server.logins


def test_the_second_relay_takes_over_and_the_record_names_it(
    town: SquareTown, send_through: Callable[[str], dict[str, int]], server: FaultServer
) -> None:
    assert send_through(f"smtp://127.0.0.1:1 smtp://127.0.0.1:{server.port}") == {"accepted": 12}
    assert town.execute("SELECT DISTINCT relay FROM alerts.attempt") == [(f"127.0.0.1:{server.port}",)]
    (health,) = town.execute("SELECT relay, is_open, failures, reason FROM alerts.relay_health")
    assert (health.relay, health.is_open) == ("127.0.0.1:1", True) and "no connection" in health.reason


def test_a_relay_that_falls_silent_in_the_middle_is_left_for_the_second(
    send_through: Callable[[str], dict[str, int]], server: FaultServer
) -> None:
    with FaultServer() as first:
        first.fault = lambda step, count, address: "drop" if step == "MAIL" and count > 4 else None
        assert send_through(f"smtp://127.0.0.1:{first.port} smtp://127.0.0.1:{server.port}") == {"accepted": 12}
        assert sum(first.accepted.values()) == 4 and sum(server.accepted.values()) == 8


def test_a_relay_that_works_again_is_noted_and_preferred_again(
    town: SquareTown, send_through: Callable[[str], dict[str, int]], server: FaultServer
) -> None:
    url = f"smtp://127.0.0.1:{server.port}"
    server.fault = lambda step, count, address: "421 closed" if step == "MAIL" else None
    send_through(url)
    assert town.execute("SELECT is_open FROM alerts.relay_health") == [(True,)]
    server.fault = lambda step, count, address: None
    assert send_through(url) == {"accepted": 12}, "the only relay is tried even while its circuit is open"
    assert town.execute("SELECT is_open FROM alerts.relay_health") == [(False,)]


def test_a_relay_never_gets_more_connections_than_agreed(
    town: SquareTown, considered: Considered, settings: Settings, server: FaultServer
) -> None:
    for number in range(40):
        town.subscribe(f"a{number}@machimori.example")
    most = [0]

    def count(step: str, number: int, address: str) -> None:
        most[0] = max(most[0], number if step == "connect" else 0)

    server.fault = count
    alert_id = considered(MAJOR)
    assert alert_id
    url = f"smtp://127.0.0.1:{server.port}?connections=3"
    assert send_alert(town.database, replace(settings, smtp_url=url), alert_id) == {"accepted": 40}
    assert most[0] <= 3


def test_several_relays_stand_in_one_setting(settings: Settings) -> None:
    url = "smtp://a.example smtps://u:p@b.example?connections=5&ca=/ca.pem"
    assert relays(replace(settings, smtp_url=url)) == [
        Relay("a.example", 25),
        Relay("b.example", 465, "u", "p", "tls", 5, "/ca.pem"),
    ]


@pytest.mark.parametrize(
    "url", ["smtp://a?connections=0", "smtp://a?connections=x", "smtp://a?rate=5", "http://u:pw@a"]
)
def test_a_relay_that_is_not_understood_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(UsageError, match="not understood") as refused:
        parse_relay(url)
    assert "pw" not in str(refused.value)
