"""What the tests of the pages share: the application, logins, and a town that has been warned."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from alerts.consider import consider
from gis.accounts import add_account
from gis.database import SERVICE, Database
from gis.settings import Settings
from ingest.documents import read_body
from ingest.processing import receive
from ingest.source import find_source
from ingest.summary import RunSummary
from tests.ingest.telegrams import forecast, observation, shaking, telegram
from webmap.app import create_app
from webmap.services import Services

PASSWORD = "a password of the tests"
HUGE = '<eb:TsunamiHeight description="巨大">NaN</eb:TsunamiHeight>'
OVER_10_M = '<eb:TsunamiHeight description="１０ｍ超">10</eb:TsunamiHeight>'
Send = Callable[..., None]


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The application of this test's own database."""
    app = create_app(settings)
    yield app
    services: Services = app.extensions["machimori"]
    services.database.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A reader without cookies."""
    return app.test_client()


@pytest.fixture
def send(database: Database) -> Send:
    """Receive telegrams and decide about alerts, as the worker does."""

    def run(*bodies: bytes) -> None:
        for number, body in enumerate(bodies):
            name = f"{number}.xml"
            receive(database, find_source("jma"), "replay", name, read_body([body], 1_000_000), RunSummary())
            with database.begin(SERVICE) as connection:
                for situation_id in connection.execute(text("SELECT id FROM ingest.situation ORDER BY id")).scalars():
                    consider(connection, situation_id)

    return run


@pytest.fixture
def warned_town(town_database: Database, send: Send) -> Database:
    """The demonstration town after an earthquake of 6強 and a 大津波警報 that was updated once."""
    send(
        telegram("VXSE53", shaking("6+", area="6+", position="+38.0+142.9-10000/")),
        telegram("VTSE41", forecast("52", height=HUGE), minute=3, event="20310501095701"),
        telegram("VTSE51", forecast("52", height=HUGE, observed=observation(3.3)), minute=9, event="20310501095701"),
        telegram("VTSE41", forecast("52", last="52", height=OVER_10_M), minute=12, event="20310501095701"),
    )
    return town_database


@pytest.fixture
def staff(owner: Engine) -> None:
    """Two people of the disaster office, one of the sewerage section."""
    with owner.begin() as connection:
        for name, department in (("hanako", "disaster"), ("jiro", "disaster"), ("saburo", "sewer")):
            roles = ("viewer", "editor", *(("alert_author", "alert_approver") if department == "disaster" else ()))
            add_account(connection, name, f"{name}さん", department, PASSWORD, is_demo=True, roles=roles)


@pytest.fixture
def log_in(app: Flask, staff: None) -> Callable[[str], FlaskClient]:
    """Return a client that is logged in as an account."""

    def run(name: str) -> FlaskClient:
        client = app.test_client()
        answer = client.post(
            "/staff/login",
            data={"name": name, "password": PASSWORD, "csrf_token": csrf_token(client.get("/staff/login").text)},
        )
        assert answer.status_code == 302, answer.text
        return client

    return run


def tokens(page: str) -> dict[str, str]:
    """Return the CSRF token of a page's first form, and the version of the message that the page shows."""
    found = re.search(r'name="version"[^>]*value="([^"]+)"', page)
    return {"csrf_token": csrf_token(page)} | ({"version": found.group(1)} if found else {})


def csrf_token(page: str) -> str:
    """Return the first CSRF token of a page."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, page
    return found.group(1)
