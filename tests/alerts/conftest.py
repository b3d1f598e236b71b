"""A small town of our own for alerts: an area, sites, subscribers, situations; and a real SMTP server."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from alerts.channels.push import post
from alerts.channels.push.post import Network
from alerts.consider import consider
from alerts.delivery import send_alert
from bench.authority import Authority
from gis.accounts import add_account
from gis.database import Database
from gis.settings import Settings
from tests.alerts.alert_town import SquareTown
from tests.alerts.push_service import PushService
from tests.alerts.scripted_smtp import ScriptedServer


@pytest.fixture
def town(database: Database, owner: Engine) -> SquareTown:
    """The square town without subscribers; sato and ito of its disaster office may write and approve alerts."""
    town = SquareTown(database, owner)
    town.execute(
        "INSERT INTO layers.city_area (code, name, prefecture, is_demo, geom)"
        " VALUES ('04214', '東松島市', '宮城県', true, ST_Multi(ST_MakeEnvelope(141.15, 38.35, 141.25, 38.45, 6668)))"
    )
    with owner.begin() as connection:
        for name in ("sato", "ito"):
            roles = ("alert_author", "alert_approver")
            add_account(connection, name, name, "disaster", "a long password", is_demo=True, roles=roles)
    return town


@pytest.fixture
def smtp() -> Iterator[ScriptedServer]:
    """A real SMTP server on a free loopback port that does as its script says."""
    server = ScriptedServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PushService]:
    authority = Authority(tmp_path)
    context = ssl.create_default_context(cafile=str(authority.file))
    monkeypatch.setattr(post, "PUBLIC", Network(context, is_public_only=False))
    service = PushService(authority)
    yield service
    service.server.shutdown()
    service.server.server_close()


@pytest.fixture
def mail_settings(settings: Settings, smtp: ScriptedServer) -> Settings:
    """The test's settings with the scripted server as the relay."""
    return replace(settings, smtp_url=f"smtp://127.0.0.1:{smtp.port}")


@pytest.fixture
def considered(town: SquareTown) -> Callable[..., int | None]:
    """Write a situation and consider it as a worker does; return the alert."""

    def run(facts: Mapping[str, Any], **situation: Any) -> int | None:
        situation_id = town.situation(facts, **situation)
        with town.database.begin("machimori_service") as connection:
            return consider(connection, situation_id)

    return run


@pytest.fixture
def send(town: SquareTown, mail_settings: Settings) -> Callable[[int | None], dict[str, int]]:
    def run(alert_id: int | None) -> dict[str, int]:
        assert alert_id
        return dict(send_alert(town.database, mail_settings, alert_id, connections=2))

    return run
